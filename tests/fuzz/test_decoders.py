"""Each place that takes apart what somebody else wrote is known here, with what fuzzes it: a new one fails until it is.

Found in the source: decoders that are made, and calls that read JSON, TOML, XML or base64, each by the name that it is
assigned to, or by the function that it stands in.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
READING = frozenset({
    "msgspec.json.Decoder", "msgspec.json.decode", "json.load", "json.loads", "tomllib.load", "tomllib.loads",
    "etree.fromstring", "feedparser.parse", "urlsafe_b64decode", "b64decode", "jwt.decode", "KeySet.import_key_set",
})  # fmt: skip


def readers(path: Path) -> Iterator[str]:
    """Give the names under which a file takes something apart."""

    def below(node: ast.AST, name: str) -> Iterator[str]:
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from below(inner, inner.name)
                continue
            if isinstance(inner, ast.Call) and ast.unparse(inner.func) in READING:
                yield name
            target = inner.targets[0] if isinstance(inner, ast.Assign) and not name else None
            yield from below(inner, target.id if isinstance(target, ast.Name) else name)

    return below(ast.parse(path.read_text("utf-8")), "")


def all_readers() -> set[str]:
    """Return every reader of the rooms that face the outside."""
    files = [path for room in ("connectors", "console") for path in sorted((ROOT / room).rglob("*.py"))]
    return {f"{path.relative_to(ROOT).as_posix()} {name}" for path in files for name in readers(path)}


SOURCES, OIDC = "test_sources.py", "test_oidc.py"
OURS, SHIPPED = "a file of our own, or a row of the archive", "a file that comes with Vigie"
KNOWN: dict[str, str] = {
    "connectors/cap.py tree_from": SOURCES,
    "connectors/pseudonym.py keys_in": "test_files.py",
    "connectors/sinks/alertmanager.py __init__": OURS,
    "connectors/sinks/alertmanager.py silence": "test_receivers.py",
    "connectors/sinks/alertmanager.py silences": "test_receivers.py",
    "connectors/sinks/apprise.py __init__": OURS,
    "connectors/sinks/feeds.py features_from": OURS,
    "connectors/sinks/jsonl.py key_in": OURS,
    "connectors/sinks/outbox.py _labels": OURS,
    "connectors/sources/bluesky.py _account": SOURCES,
    "connectors/sources/bluesky.py _commit": SOURCES,
    "connectors/sources/bluesky.py _envelope": SOURCES,
    "connectors/sources/bluesky.py _head": SOURCES,
    "connectors/sources/cap.py standing_from": SOURCES,
    "connectors/sources/facebook_graph.py _failure": SOURCES,
    "connectors/sources/facebook_graph.py _listing": SOURCES,
    "connectors/sources/facebook_graph.py _node": SOURCES,
    "connectors/sources/facebook_graph.py seconds_to_wait": SOURCES,
    "connectors/sources/facebook_posts.py scrubbed": SOURCES,
    "connectors/sources/facebook_webhook.py _change": SOURCES,
    "connectors/sources/facebook_webhook.py _entry": SOURCES,
    "connectors/sources/facebook_webhook.py _head": SOURCES,
    "connectors/sources/facebook_webhook.py _notice": SOURCES,
    "connectors/sources/facebook_webhook.py _value": SOURCES,
    "connectors/sources/feed_memory.py standing_from": SOURCES,
    "connectors/sources/feeds.py parsed_from": SOURCES,
    "connectors/sources/hubeau.py _observation": SOURCES,
    "connectors/sources/hubeau.py _page": SOURCES,
    "connectors/sources/mapping.py _decoded": SOURCES,
    "connectors/sources/mapping.py mapping_from": "test_files.py",
    "connectors/sources/mastodon.py _instance": SOURCES,
    "connectors/sources/mastodon.py _numbered": SOURCES,
    "connectors/sources/mastodon.py _page": SOURCES,
    "connectors/sources/mastodon.py _status": SOURCES,
    "connectors/sources/mastodon.py scrubbed": SOURCES,
    "connectors/sources/meteofrance.py _bloc": SOURCES,
    "connectors/sources/meteofrance.py _carte": SOURCES,
    "connectors/sources/meteofrance.py _domain": SOURCES,
    "connectors/sources/meteofrance.py _phenomenon": SOURCES,
    "connectors/sources/meteofrance.py _textes": SOURCES,
    "connectors/sources/notices.py _decoder": SOURCES,
    "connectors/sources/notices.py scrubbed": SOURCES,
    "connectors/sources/plain.py _decoder": SOURCES,
    "connectors/sources/plain.py scrubbed": SOURCES,
    "connectors/sources/polling.py _position": SOURCES,
    "connectors/sources/polling.py kept_of": SOURCES,
    "connectors/sources/recorded.py with_geo": SOURCES,
    "connectors/sources/robots.py reserved_in": SOURCES,
    "connectors/sources/vigicrues.py _feature": SOURCES,
    "connectors/sources/vigicrues.py _map": SOURCES,
    "connectors/sources/vigicrues.py points_in": SOURCES,
    "connectors/sources/webhook.py _items": SOURCES,
    "connectors/sources/webhook.py _whole": SOURCES,
    "connectors/sources/x.py _line": SOURCES,
    "connectors/sources/x.py refusal_in": SOURCES,
    "connectors/sources/x.py scrubbed": SOURCES,
    "console/access/oidc.py _claims": OIDC,
    "console/access/oidc.py _found": OIDC,
    "console/access/oidc.py _provider_from": OIDC,
    "console/access/oidc.py _token": OIDC,
    "console/access/oidc.py _userinfo": OIDC,
    "console/access/oidc.py begun_from": OIDC,
    "console/api/operation.py _asked": "test_console.py",
    "console/archive/audit.py note": OURS,
    "console/base_map/boundaries.py _features": "test_files.py",
    "console/base_map/boundaries.py _geometry": OURS,
    "console/base_map/sources.py departements": SHIPPED,
    "console/base_map/sources.py world_atlas": SHIPPED,
    "console/figures/profile_words.py profile_from": "test_console.py",
    "console/messages/alert_lines.py alert_from": "test_files.py",
    "console/messages/map_files.py _read": "test_files.py",
    "console/record_file.py _read": "test_files.py",
    "console/trust/budget_use.py profile_named": "test_console.py",
    "console/tuning/editing.py _loaded": "test_console.py",
    "console/tuning/trials.py _from": OURS,
    "console/tuning/trials.py report": OURS,
    "console/vendoring.py read_packages": SHIPPED,
}
"""What fuzzes each, or whose it is, so that nothing needs to."""


def test_every_place_that_takes_something_apart_is_known() -> None:
    assert all_readers() == set(KNOWN)
    fuzzing = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    assert set(KNOWN.values()) <= {*fuzzing, OURS, SHIPPED}
