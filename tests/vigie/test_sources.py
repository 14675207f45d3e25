"""Each kind of source, from its table in `vigie.toml` to its first readings off a server that stands for it."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from connectors.contract import Unobserved
from connectors.pseudonym import FixedPseudonyms
from connectors.watch import Watch
from records import SettingsError, SystemClock
from vigie import fake
from vigie.broker import free_port
from vigie.settings import load
from vigie.source_assembly import Workshop, watch_over
from vigie.source_check import Coverage, covered
from vigie.source_settings import SourceSettings

SECS = 20.0
TABLES: dict[str, tuple[str, str]] = {
    "bluesky": ("jetstream", 'url = "ws://127.0.0.1:{port}"'),
    "mastodon": (
        "mastodon",
        'base_url = "http://127.0.0.1:{port}"\ntoken_file = "secret"\nstreams = ["hashtag:lehavre"]',
    ),
    "press": ("press", 'every_secs = 1\nfeeds = [{{ url = "http://127.0.0.1:{port}/rss.xml", lang = "fr" }}]'),
    "facebook": (
        "facebook",
        'page_id = "1000000000001"\nbase_url = "http://127.0.0.1:{port}/v27.0"\nevery_secs = 1\n'
        'token_file = "secret"\napp_secret_file = "secret"\nverify_token_file = "secret"',
    ),
    "vigicrues": ("vigicrues", 'base_url = "http://127.0.0.1:{port}"\nevery_secs = 1\nreaches = {{ ZZ12 = ["76"] }}'),
    "hubeau": (
        "hubeau",
        'base_url = "http://127.0.0.1:{port}"\nevery_secs = 1\n'
        'stations = [{{ code = "Z999999901", areas = ["76"], yellow_m = 0.2 }}]',
    ),
    "cap": ("cap", 'base_url = "http://127.0.0.1:{port}"\npaths = ["/feeds/atom"]\nevery_secs = 1\narea = "76"'),
    "meteofrance": (
        "meteofrance",
        'base_url = "http://127.0.0.1:{port}"\nevery_secs = 1\nareas = ["76"]\napi_key_file = "secret"',
    ),
}
SECRETS = {"mastodon": "local-token", "facebook": "demo", "meteofrance": "demo"}


def workshop(folder: Path, kind: str, rest: str) -> Workshop:
    (folder / "secret").write_text(SECRETS.get(kind, "x"))
    (folder / "vigie.toml").write_text(f'[[sources]]\nkind = "{kind}"\n{rest}\n')
    return Workshop(load(folder / "vigie.toml"), SystemClock(), Unobserved(), FixedPseudonyms(b"test"))


@pytest.mark.parametrize("kind", TABLES)
async def test_a_source_is_made_from_its_table_and_reads_its_platform_s_wire(kind: str, tmp_path: Path) -> None:
    server, rest = TABLES[kind]
    port = free_port()
    serving = asyncio.create_task(fake.server_of(server)(port))
    try:
        (source,) = workshop(tmp_path, kind, rest.format(port=port)).reading()
        coverage = Coverage("", source.capabilities)
        deadline = asyncio.get_running_loop().time() + SECS
        while not coverage.records and asyncio.get_running_loop().time() < deadline:
            coverage = await covered(source, gate=lambda _: True, clock=SystemClock(), seconds=5.0, most=5)
            await asyncio.sleep(0.1)  # the server may not be there yet
    finally:
        serving.cancel()
        await asyncio.wait({serving})
    assert coverage.records > 0, coverage
    assert coverage.outcomes["refused"] == 0
    assert source.name == kind


@pytest.mark.parametrize(
    ("kind", "rest", "said"),
    [
        ("mastodon", 'base_url = "http://127.0.0.1:1"\ntoken_file = "nothing"\nstreams = ["user"]', "token_file"),
        ("press", 'every_secs = 5\nfeeds = [{ url = "https://journal.example/rss.xml" }]', "once a minute at most"),
        (
            "x",
            'bearer_token_file = "secret"\nrules = { fire = "incendie" }',
            "government_plan_acknowledged",
        ),
        ("meteofrance", 'areas = ["Seine-Maritime"]\napi_key_file = "secret"', "want départements"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_what_would_do(
    kind: str, rest: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=said):
        workshop(tmp_path, kind, rest).reading()


def test_x_is_read_only_once_the_plan_is_acknowledged_and_a_ceiling_set(tmp_path: Path) -> None:
    rest = (
        'bearer_token_file = "secret"\nrules = { fire = "incendie" }\n'
        "government_plan_acknowledged = true\nmonthly_ceiling_usd = 50"
    )
    shop = workshop(tmp_path, "x", rest)
    (source,) = shop.reading()
    watch = Watch(Unobserved(), SystemClock())
    watch_over(watch, shop.settings, [source])
    status = watch.statuses()["x"]
    assert (status.way, status.spent_usd, status.ceiling_usd) == ("network", 0.0, 50.0)


def test_a_page_is_served_and_asked_and_both_ways_remember_together(tmp_path: Path) -> None:
    shop = workshop(tmp_path, "facebook", TABLES["facebook"][1].format(port=1))
    publisher: Any = None
    (served,) = shop.served(lambda _: True, publisher)
    (source,) = shop.reading()
    assert (served.source.name, source.name) == ("facebook", "facebook")
    assert len(shop.memories) == 1


def test_every_server_that_is_named_can_be_loaded() -> None:
    made: list[Callable[..., Any]] = [fake.server_of(name) for name in fake.names()]
    assert {"jetstream", "mastodon", "press", "facebook", "x", "vigicrues", "hubeau", "meteofrance"} <= set(
        fake.names()
    )
    assert all(asyncio.iscoroutinefunction(one) for one in made)


def examples() -> list[tuple[str, str]]:
    """Return the tables that the pages of `docs/sources/` show."""
    pages = sorted((Path(__file__).parents[2] / "docs" / "sources").glob("*.md"))
    found = [(page.stem, block) for page in pages for block in re.findall(r"```toml\n(.*?)```", page.read_text(), re.S)]
    return [(name, block) for name, block in found if "[[sources]]" in block]


@pytest.mark.parametrize(("page", "toml"), examples(), ids=[name for name, _ in examples()])
def test_the_example_on_a_source_s_page_can_be_used(page: str, toml: str, tmp_path: Path) -> None:
    (tmp_path / "vigie.toml").write_text(toml, encoding="utf-8")
    (source,) = load(tmp_path / "vigie.toml").sources
    assert source.kind == page


def test_every_kind_has_a_page() -> None:
    own = {"bluesky", "recorded", "topic"}  # described in the manual itself
    models = get_args(get_args(SourceSettings)[0])
    kinds = {str(get_args(model.model_fields["kind"].annotation)[0]) for model in models}
    assert {name for name, _ in examples()} | own == kinds
