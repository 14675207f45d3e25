"""Coming in on somebody else's word: OpenID Connect."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from console.access.accounts import accounts, disable
from console.access.doors import Doors, Oidc
from console.access.oidc import Provider
from console.desk import Desk
from records import ManualClock, SettingsError, SystemClock
from tests.console.access.provider import CLIENT, SECRET, SmallProvider, running
from tests.console.entering import ADDRESS, actions

Made = Callable[..., Any]


@pytest_asyncio.fixture(loop_scope="module")
async def small(clock: ManualClock) -> AsyncIterator[SmallProvider]:
    async with running(SmallProvider(clock)) as provider:
        yield provider


def doors(issuer: str, **changes: Any) -> Doors:
    roles = (("crisis-cell", "operator"), ("chief", "admin"))
    fields: dict[str, Any] = {"issuer": issuer, "client_id": CLIENT, "client_secret": SECRET, "roles": roles}
    return Doors(oidc=Oidc(**{**fields, **changes}))


async def go_there(client: httpx.AsyncClient, back: str = "/") -> httpx.Response:
    """Go to the provider as a browser does, and return the answer that it brings back."""
    begun = await client.get("/login/oidc", params={"next": back})
    if "location" not in begun.headers:
        return begun
    async with httpx.AsyncClient() as outside:
        return await follow(outside, begun.headers["location"])


async def follow(outside: httpx.AsyncClient, address: str) -> httpx.Response:
    """Follow redirects until one leads back to us."""
    while True:
        answer = await outside.get(address)
        address = str(httpx.URL(address).join(answer.headers["location"]))
        if address.startswith(ADDRESS):
            return answer


async def come_in(client: httpx.AsyncClient, back: str = "/") -> httpx.Response:
    there = await go_there(client, back)
    if "location" not in there.headers:
        return there
    return await client.get(there.headers["location"])


async def test_whoever_is_vouched_for_comes_in_with_the_role_of_the_map(
    desk: Desk, entered: Made, small: SmallProvider
) -> None:
    async with entered(doors(small.issuer, label="Préfecture")) as client:
        assert "Se connecter avec Préfecture" in (await client.get("/login?next=/accounts/me")).text
        answer = await come_in(client, "/accounts/me")
        assert (answer.status_code, answer.headers["location"]) == (303, "/accounts/me")
        page = (await client.get("/accounts/me")).text
        assert "Astreinte" in page
        assert (await client.get("/accounts")).status_code == 403
    (account,) = await accounts(desk.engine)
    assert (account.name, account.role, account.is_from_oidc) == ("Astreinte", "operator", True)
    assert await actions(desk.engine) == [("vigie", "account_made"), ("Astreinte", "login")]


async def test_it_is_the_same_account_next_time_with_the_role_of_that_day(
    desk: Desk, entered: Made, small: SmallProvider
) -> None:
    for roles in (["crisis-cell"], ["chief", "crisis-cell"], "crisis-cell"):
        small.claims = {"roles": roles, "preferred_username": "Autre nom"}
        async with entered(doors(small.issuer)) as client:
            assert (await come_in(client)).status_code == 303
    assert [(one.name, one.role) for one in await accounts(desk.engine)] == [("Autre nom", "operator")]
    assert [action for _, action in await actions(desk.engine)].count("role_changed") == 2


async def test_a_name_that_somebody_has_already_is_told_apart(
    desk: Desk, entered: Made, account: Made, small: SmallProvider
) -> None:
    await account("admin", "Astreinte")
    async with entered(doors(small.issuer)) as client:
        assert (await come_in(client)).status_code == 303
    assert [one.name for one in await accounts(desk.engine)] == ["Astreinte", "Astreinte (2)"]


@pytest.mark.parametrize("name", [" ", "\x07", "\ufb03" * 60], ids=["blank", "bell", "longer once it is plain"])
async def test_a_name_that_cannot_be_kept_is_said_to_be_none(
    desk: Desk, entered: Made, small: SmallProvider, name: str
) -> None:
    small.claims = {"preferred_username": name}
    async with entered(doors(small.issuer)) as client:
        answer = await come_in(client)
        assert answer.status_code == 403
        assert "Un nom compte de 1 à 64 caractères visibles." in answer.text
    assert await accounts(desk.engine) == []


async def test_roles_that_the_token_does_not_tell_are_asked_for(
    desk: Desk, entered: Made, small: SmallProvider
) -> None:
    small.claims, small.userinfo = {"roles": None}, {"roles": ["chief"]}
    async with entered(doors(small.issuer)) as client:
        assert (await come_in(client)).status_code == 303
    assert [one.role for one in await accounts(desk.engine)] == ["admin"]


LIES: dict[str, dict[str, Any]] = {
    "the key is another": {"lie": "key"},
    "signed with the secret": {"lie": "secret"},
    "not signed": {"lie": "none"},
    "another nonce": {"claims": {"nonce": "another"}},
    "no nonce": {"claims": {"nonce": None}},
    "for another client": {"claims": {"aud": "another"}},
    "by another issuer": {"claims": {"iss": "https://elsewhere.example"}},
    "over": {"claims": {"exp": 1}},
    "of nobody": {"claims": {"sub": None}},
    "answered by another": {"lie": "mix-up"},
    "userinfo of another": {"claims": {"roles": None}, "userinfo": {"sub": "user-2", "roles": ["chief"]}},
    "denied": {"lie": "denied"},
    "a subject without end": {"claims": {"sub": "x" * 256}},
    "a subject that cannot be kept": {"claims": {"sub": "user\x00"}},
    "no role": {"claims": {"roles": ["gardener"]}},
    "roles that are none": {"claims": {"roles": {"chief": True}}},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
async def test_no_lie_opens_the_door(desk: Desk, entered: Made, small: SmallProvider, lie: dict[str, Any]) -> None:
    for name, value in lie.items():
        setattr(small, name, value)
    async with entered(doors(small.issuer)) as client:
        answer = await come_in(client)
        assert answer.status_code == 403
        assert "error-summary" in answer.text
        assert "vigie" not in client.cookies
    assert await accounts(desk.engine) == []


@pytest.mark.parametrize("lie", ["broken", "issuer"])
async def test_a_provider_that_does_not_answer_leaves_the_passwords(
    entered: Made, account: Made, log_in: Made, small: SmallProvider, lie: str
) -> None:
    small.lie = lie
    await account("viewer")
    async with entered(doors(small.issuer)) as client:
        answer = await client.get("/login/oidc")
        assert answer.status_code == 502
        assert "Le service de connexion ne répond pas." in answer.text
        assert (await log_in(client, "viewer")).status_code == 303


DISCOVERY = "/.well-known/openid-configuration"
SAYS = {
    "issuer": "ISSUER", "authorization_endpoint": "ISSUER/authorize", "token_endpoint": "ISSUER/token",
    "jwks_uri": "ISSUER/keys",
}  # fmt: skip
ODD = {
    "HTML": "<!doctype html><title>502</title>",
    "nothing": "",
    "a list": "[]",
    "an object": "{}",
    "null": "null",
    "a text": '"x"',
    "a number": "1",
}
ODD_KEYS = {"kinds": '{"keys": [{"kty": ["RSA"]}]}', "numbers": '{"keys": [{"kty": "RSA", "n": 1, "e": 2}]}'}
ODD_TOKENS = {"a number": '{"id_token": 1}', "no token": '{"id_token": "a.b.c"}', "null": '{"id_token": null}'}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        *(pytest.param(DISCOVERY, said, id=f"says of itself: {name}") for name, said in ODD.items()),
        pytest.param(DISCOVERY, json.dumps(SAYS) + " " * (2 << 20), id="says of itself: what is right, at length"),
        *(
            pytest.param(DISCOVERY, json.dumps(SAYS | {name: address}), id=f"{name}: {address!r}")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
            for address in ("", "keys", "http://[", "http://a:b")
        ),
        *(pytest.param("/keys", said, id=f"its keys: {name}") for name, said in (ODD | ODD_KEYS).items()),
    ],
)
async def test_a_provider_that_answers_something_else_leaves_the_passwords(
    entered: Made, account: Made, log_in: Made, small: SmallProvider, path: str, said: str
) -> None:
    small.says = {path: said}
    await account("viewer")
    async with entered(doors(small.issuer)) as client:
        answer = await client.get("/login/oidc")
        assert answer.status_code == 502
        assert "Le service de connexion ne répond pas." in answer.text
        assert (await log_in(client, "viewer")).status_code == 303


@pytest.mark.parametrize(
    ("path", "said"),
    [
        *(pytest.param("/token", said, id=f"its token: {name}") for name, said in (ODD | ODD_TOKENS).items()),
        *(pytest.param("/me", said, id=f"who it is: {name}") for name, said in ODD.items()),
    ],
)
async def test_an_answer_that_is_none_opens_nothing_and_says_so(
    desk: Desk, entered: Made, small: SmallProvider, path: str, said: str
) -> None:
    small.says, small.claims = {path: said}, {"roles": None}
    async with entered(doors(small.issuer)) as client:
        answer = await come_in(client)
        assert answer.status_code == 403
        assert "error-summary" in answer.text
    assert await accounts(desk.engine) == []


async def test_an_answer_is_for_the_browser_that_began_and_for_once(entered: Made, small: SmallProvider) -> None:
    async with entered(doors(small.issuer)) as client, entered(doors(small.issuer)) as victim:
        there = await go_there(client)
        address = there.headers["location"]
        assert (await victim.get(address)).status_code == 403
        await victim.get("/login/oidc")
        assert (await victim.get(address)).status_code == 403
        assert (await client.get(address)).status_code == 303
        assert (await client.get(address)).status_code == 403


async def test_a_new_key_of_the_provider_is_learnt(entered: Made, small: SmallProvider) -> None:
    async with entered(doors(small.issuer)) as client:
        assert (await come_in(client)).status_code == 303
    small.key = type(small.key).generate_key(2048, {"kid": "two"})
    async with entered(doors(small.issuer)) as client:
        assert (await come_in(client)).status_code == 303


async def test_a_disabled_account_stays_out(desk: Desk, entered: Made, account: Made, small: SmallProvider) -> None:
    await account("admin")
    async with entered(doors(small.issuer)) as client:
        await come_in(client)
        (found,) = [one for one in await accounts(desk.engine) if one.is_from_oidc]
        await disable(desk.engine, account_id=found.account_id, by="tests", now=desk.clock.now())
        assert (await client.get("/")).status_code == 303
        answer = await come_in(client)
        assert answer.status_code == 403
        assert "Ce compte est désactivé ici." in answer.text


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example"])
async def test_nobody_is_sent_elsewhere_afterwards(entered: Made, small: SmallProvider, back: str) -> None:
    async with entered(doors(small.issuer)) as client:
        assert (await come_in(client, back)).headers["location"] == "/"


def test_a_provider_without_encryption_is_no_provider() -> None:
    with pytest.raises(SettingsError, match="is no https:// address"):
        Provider(Oidc(issuer="http://login.example", client_id="a", client_secret="b"))


async def test_without_a_provider_there_is_no_such_way(entered: Made) -> None:
    async with entered() as client:
        assert (await client.get("/login/oidc")).headers["location"] == "/login"
        assert (await client.get("/login/oidc/back?code=a&state=b")).headers["location"] == "/login"


@pytest_asyncio.fixture(loop_scope="module")
async def certified() -> AsyncIterator[str]:
    """Run the certified provider; give its address."""
    node, folder = shutil.which("node"), os.environ.get("VIGIE_OIDC_PROVIDER", "")
    if node is None or not (Path(folder) / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("needs node, and npm's oidc-provider in the folder that VIGIE_OIDC_PROVIDER names")
    script = Path(__file__).parent / "provider.mjs"
    process = await asyncio.create_subprocess_exec(
        node, script, folder, f"{ADDRESS}/login/oidc/back", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


async def test_the_certified_provider_lets_somebody_in(
    desk: Desk, clock: ManualClock, entered: Made, certified: str
) -> None:
    clock.at = SystemClock().now()
    async with entered(doors(certified)) as client:
        answer = await come_in(client, "/accounts/me")
        assert (answer.status_code, answer.headers.get("location")) == (303, "/accounts/me"), answer.text
        clock.advance(timedelta(minutes=5))
        assert (await come_in(client)).status_code == 303
    assert [(one.name, one.role) for one in await accounts(desk.engine)] == [("Astreinte", "operator")]
