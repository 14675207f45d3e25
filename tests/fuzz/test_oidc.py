"""Whatever stands in the cookie of a login, and whatever its provider says: nobody comes in by it, and it is said why.

The provider answers in this process, byte for byte what a law wants. Its key is public, from an RFC: it signs the same
every time, and signs whatever claims it is given.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from hmac import digest
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp

from console.access import sessions
from console.access.door import middleware
from console.access.doors import Doors, Oidc
from console.access.oidc import LEEWAY_SECS, Begun
from console.access.roles import Role
from console.access.visitor import Visitor
from console.application import application
from console.desk import Desk
from console.pages.login import BEGUN
from records import ManualClock
from tests.console.made import MORNING
from tests.fuzz.asking import OFTEN, Answer, Asked, a_new_desk, answer_of, as_query, check, check_plain, wire
from tests.fuzz.depth import fuzzing
from tests.fuzz.found import found, name_of
from tests.fuzz.mutating import changed, hostile

ISSUER, CLIENT, SECRET = "https://login.example", "vigie", "a secret of thirty-two characters"
ANEW = timedelta(seconds=700)  # what is known of a provider is asked for again by then
BACK = b"/login/oidc/back"


def in_base64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def of_base64(text: str) -> bytes:
    return urlsafe_b64decode(text + "==")


D, X = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
"""RFC 8037, appendix A."""
KEY, STRANGER = Ed25519PrivateKey.from_private_bytes(of_base64(D)), Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
OURS = {"kty": "OKP", "crv": "Ed25519", "kid": "one", "use": "sig", "alg": "Ed25519", "x": X}
OTHERS = [  # RFC 7517, appendix A
    {
        "kty": "EC",
        "crv": "P-256",
        "kid": "two",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    },
    {"kty": "RSA", "kid": "three", "e": "AQAB", "n": in_base64(b"\xd2" + b"\xfc\x7b\x6a" * 85), "alg": "RS256"},
    {"kty": "oct", "kid": "four", "k": in_base64(SECRET.encode())},
]
BEGAN = Begun(
    state="s" * 43, nonce="n" * 43, verifier="v" * 64, redirect_uri=f"http://localhost{BACK.decode()}", way_back="/"
)
SAYS = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
    "userinfo_endpoint": f"{ISSUER}/me",
    "id_token_signing_alg_values_supported": ["Ed25519", "RS256", "ES256", "HS256", "none"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic"],
}
HEAD = {"alg": "Ed25519", "kid": "one", "typ": "JWT"}
NOW = int(MORNING.timestamp())
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "user-1",
    "aud": CLIENT,
    "exp": 2**40,
    "iat": NOW,
    "nonce": BEGAN.nonce,
    "preferred_username": "Astreinte",
    "roles": ["crisis-cell"],
}
WHO = {"sub": "user-1", "roles": ["crisis-cell", "gardener"], "name": "Astreinte"}
DISCOVERY, KEYS, TOKEN, ME = "/.well-known/openid-configuration", "/keys", "/token", "/me"


def signed(claims: bytes, head: bytes = json.dumps(HEAD).encode(), key: Ed25519PrivateKey = KEY) -> str:
    said = f"{in_base64(head)}.{in_base64(claims)}"
    return f"{said}.{in_base64(key.sign(said.encode()))}"


def by_secret(secret: bytes) -> str:
    said = f"{in_base64(json.dumps({'alg': 'HS256', 'kid': 'four'}).encode())}.{in_base64(as_json(CLAIMS))}"
    return f"{said}.{in_base64(digest(secret, said.encode(), sha256))}"


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def token_answer(id_token: str) -> bytes:
    return as_json({"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": id_token})


RIGHT = {
    DISCOVERY: as_json(SAYS),
    KEYS: as_json({"keys": [OURS, *OTHERS]}),
    TOKEN: token_answer(signed(as_json(CLAIMS))),
    ME: as_json(WHO),
}
WITHOUT_ROLES = token_answer(signed(as_json({name: value for name, value in CLAIMS.items() if name != "roles"})))
UNSIGNED = f"{in_base64(as_json({'alg': 'none'}))}.{in_base64(as_json(CLAIMS))}."
FORGED = [
    token_answer(signed(as_json(CLAIMS), key=STRANGER)),
    token_answer(by_secret(SECRET.encode())),
    token_answer(by_secret(X.encode())),
    token_answer(by_secret(of_base64(X))),
    token_answer(UNSIGNED),
    token_answer(signed(as_json(CLAIMS)).rpartition(".")[0] + "."),
    token_answer(signed(as_json(CLAIMS | {"nonce": "another"}))),
    token_answer(signed(as_json(CLAIMS | {"aud": "another"}))),
    token_answer(signed(as_json(CLAIMS | {"exp": 1}))),
    as_json({"error": "invalid_grant", "error_description": "no"}),
]
"""What looks like a login and is none: another signed it, or for another."""


@dataclass
class Login:
    """The console with a provider that says what it is told to."""

    app: ASGIApp
    desk: Desk
    says: dict[str, bytes] = field(default_factory=dict)  # path -> what is answered there in place of what is right
    status: int = 200

    def __repr__(self) -> str:
        return "login"  # that of a desk holds all messages, and what was found drowns in it

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer as the provider."""
        path = request.url.path
        if path in self.says:
            return httpx.Response(self.status, content=self.says[path], headers={"location": f"{ISSUER}/keys"})
        return httpx.Response(200, content=RIGHT[path]) if path in RIGHT else httpx.Response(404)

    def pass_time(self) -> None:
        """Let so much time pass that the provider is asked anew."""
        assert isinstance(self.desk.clock, ManualClock)
        self.desk.clock.advance(ANEW)

    async def begin(self) -> Answer:
        """Ask for the way to the provider."""
        self.pass_time()
        return await answer_of(self.app, Asked("oidc", "GET", b"/login/oidc", headers=wire(("host", "localhost"))))

    async def end(self, cookie: str, query: bytes) -> tuple[Asked, Answer, Visitor | None]:
        """Come back from it; return what was asked, the answer, and who is in by it."""
        self.pass_time()
        headers = wire(("host", "localhost"), ("cookie", f"{BEGUN}={cookie}"))
        asked = Asked("oidc_back", "GET", BACK, query, headers)
        answer = await answer_of(self.app, asked)
        session = answer.cookie(b"vigie").decode()
        who = await sessions.visitor_of(self.desk.engine, session, self.desk.clock.now()) if session else None
        return asked, answer, who

    async def come(self, says: Mapping[str, bytes], status: int = 200) -> tuple[Asked, Answer, Visitor | None]:
        """Come back to a provider that says this."""
        self.says, self.status = dict(says), status
        return await self.end(BEGAN.to_cookie(), QUERY)


QUERY = urlencode({"code": "c", "state": BEGAN.state, "iss": ISSUER}).encode()
STATUSES = st.sampled_from((200, 200, 200, 200, 200, 200, 201, 204, 301, 307, 400, 401, 500, 503))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def login(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Login]:
    roles: tuple[tuple[str, Role], ...] = (("crisis-cell", "operator"), ("chief", "admin"))
    oidc = Oidc(issuer=ISSUER, client_id=CLIENT, client_secret=SECRET, roles=roles)
    async with a_new_desk(tmp_path_factory.mktemp("oidc")) as desk:
        made = Login(application(desk, middleware(desk, Doors(oidc=oidc, forms=OFTEN, api=OFTEN))), desk)
        with pytest.MonkeyPatch.context() as patch:
            transport = httpx.MockTransport(made.answer)
            patch.setattr("console.access.oidc._client", lambda: httpx.AsyncClient(transport=transport))
            yield made


def check_end(asked: Asked, answer: Answer, who: Visitor | None) -> None:
    """Look at where somebody is after all: in, or told why not."""
    check(asked, answer)
    if who is None:
        assert answer.status == 403, asked
        assert b"error-summary" in answer.body, asked
    else:
        assert answer.status == 303, asked


def check_same(asked: Asked, answer: Answer, who: Visitor | None) -> None:
    """Look whether who is in, if anybody, is in as what the provider signed for: an operator, and no more."""
    check_end(asked, answer, who)
    assert who is None or who.role == "operator", asked


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("says", [{}, {TOKEN: WITHOUT_ROLES}], ids=["by its token", "by what it says of the user"])
async def test_who_is_vouched_for_is_in(login: Login, says: dict[str, bytes]) -> None:
    login.says = {}
    assert (await login.begin()).status == 303
    _, _, who = await login.come(says)
    assert who
    assert (who.name, who.role) == ("Astreinte", "operator")


@pytest.mark.asyncio(loop_scope="module")
@fuzzing(60)
@given(cookie=hostile([of_base64(BEGAN.to_cookie())]), as_it_is=st.booleans())
async def test_whatever_the_cookie_holds(login: Login, cookie: bytes, *, as_it_is: bool) -> None:
    await check_cookie(login, cookie.decode("latin-1") if as_it_is else urlsafe_b64encode(cookie).decode())


async def check_cookie(login: Login, cookie: str) -> None:
    login.says = {}
    check_same(*await login.end(cookie, QUERY))


@pytest.mark.asyncio(loop_scope="module")
@fuzzing(60)
@given(query=hostile([QUERY, b"error=access_denied&error_description=no&state=" + b"s" * 43, b"code=c&state="]))
async def test_whatever_a_browser_brings_back(login: Login, query: bytes) -> None:
    login.says, query = {}, as_query(query)
    asked, answer, who = await login.end(BEGAN.to_cookie(), query)
    if answer.status in (400, 414):  # no address
        return
    check_same(asked, answer, who)
    said = dict(parse_qsl(query.decode(), keep_blank_values=True))
    assert who is None or (said["state"], said.get("iss", ISSUER)) == (BEGAN.state, ISSUER), asked


ABOUT = {DISCOVERY: [RIGHT[DISCOVERY]], KEYS: [RIGHT[KEYS], as_json({"keys": [OURS]})]}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", ABOUT)
@fuzzing(60)
@given(number=st.integers(0, 2**64 - 1), status=STATUSES)
async def test_whatever_a_provider_says_of_itself(login: Login, path: str, number: int, status: int) -> None:
    await check_about(login, path, changed(Random(number), ABOUT[path]), status)  # noqa: S311


async def check_about(login: Login, path: str, body: bytes, status: int = 200) -> None:
    """Look at the way to a provider and the way back."""
    check_same(*await login.come({path: body}, status))
    answer, asked = await login.begin(), Asked(path, "GET", b"/login/oidc", body=body)
    check_plain(asked, answer)
    assert answer.status in (303, 502), asked
    assert answer.status == 303 or b"error-summary" in answer.body, asked
    assert answer.status == 502 or answer.cookie(BEGUN.encode()), asked


@pytest.mark.asyncio(loop_scope="module")
@fuzzing(60)
@given(body=hostile(FORGED), status=STATUSES)
async def test_whatever_is_forged(login: Login, body: bytes, status: int) -> None:
    asked, answer, who = await login.come({TOKEN: body}, status)
    check_end(asked, answer, who)
    assert who is None, body


@pytest.mark.asyncio(loop_scope="module")
@fuzzing(60)
@given(body=hostile([RIGHT[TOKEN]]), status=STATUSES)
async def test_whatever_becomes_of_a_token(login: Login, body: bytes, status: int) -> None:
    check_same(*await login.come({TOKEN: body}, status))


@pytest.mark.asyncio(loop_scope="module")
@fuzzing(60)
@given(claims=hostile([as_json(CLAIMS | {"preferred_username": "Autre"})]))
async def test_whatever_the_provider_itself_signs(login: Login, claims: bytes) -> None:
    await check_signed(login, claims)


async def check_signed(login: Login, claims: bytes) -> None:
    """Look whether somebody is in only where the claims say so, read without the libraries that the console uses."""
    asked, answer, who = await login.come({TOKEN: token_answer(signed(claims))})
    check_end(asked, answer, who)
    if who is not None:
        said = json.loads(claims)
        expected = (ISSUER, CLIENT, BEGAN.nonce)
        assert (said["iss"], said["aud"], said["nonce"]) == expected or CLIENT in said["aud"], claims
        assert said["exp"] > login.desk.clock.now().timestamp() - LEEWAY_SECS, claims
        assert "crisis-cell" in said.get("roles", WHO["roles"]), claims
        assert who.role == "operator", claims


@pytest.mark.asyncio(loop_scope="module")
@fuzzing(60)
@given(
    head=hostile([as_json(HEAD), as_json(HEAD | {"jwk": OURS, "jku": f"{ISSUER}/keys", "crit": ["x"], "b64": False})])
)
async def test_whatever_the_head_of_a_token_says(login: Login, head: bytes) -> None:
    check_same(*await login.come({TOKEN: token_answer(signed(as_json(CLAIMS), head))}))


@pytest.mark.asyncio(loop_scope="module")
@fuzzing(60)
@given(body=hostile([RIGHT[ME]]), status=STATUSES)
async def test_whatever_is_said_of_the_user(login: Login, body: bytes, status: int) -> None:
    check_same(*await login.come({TOKEN: WITHOUT_ROLES, ME: body}, status))


def kept(path: Path) -> bytes:
    return path.read_bytes()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("kind", "path"), found("provider"), ids=name_of)
async def test_what_was_found_of_a_provider_stays_mended(login: Login, kind: str, path: Path) -> None:
    await check_about(login, {"discovery": DISCOVERY, "keys": KEYS}[kind], kept(path))
