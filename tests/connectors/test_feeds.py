"""Feeds: GeoJSON and Atom of the same incidents, positions in the order that each format wants, and over HTTP."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from lxml import etree
from starlette.applications import Starlette

from connectors.cap import alert_from
from connectors.sinks import feeds as feeds_module
from connectors.sinks.cap import CapFolder, Office
from connectors.sinks.contract import TryLater
from connectors.sinks.feeds import ATOM, GEOJSON, Feeds
from connectors.sinks.feeds_served import application, is_known
from connectors.sources.feeds import document_from
from records import Alert, ManualClock, SettingsError
from records.alert import Level
from records.place import PlaceLevel, PlaceSource

NAMES = {"atom": "http://www.w3.org/2005/Atom", "georss": "http://www.georss.org/georss"}


@pytest.fixture
def feeds(tmp_path: Path, clock: ManualClock) -> Feeds:
    return opened(tmp_path, clock)


def opened(path: Path, clock: ManualClock, **more: Any) -> Feeds:
    return Feeds(path / "feeds", clock=clock, base_url="https://crise.ville.example/feeds", **more)


def asking(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://feeds")


def revision(alert: Alert, number: int, level: Level = "alert", **more: Any) -> Alert:
    return msgspec.structs.replace(alert, revision=number, level=level, **more)


def features(path: Path) -> list[dict[str, Any]]:
    collection = json.loads((path / "feeds" / GEOJSON).read_bytes())
    assert collection["type"] == "FeatureCollection"
    found: list[dict[str, Any]] = collection["features"]
    return found


def entries(path: Path) -> list[etree._Element]:
    return list(etree.parse(path / "feeds" / ATOM).iterfind("atom:entry", NAMES))


def text(node: etree._Element, name: str) -> str | None:
    found: str | None = node.findtext(name, namespaces=NAMES)
    return found


async def test_one_incident_stands_at_one_place_in_all_formats(
    feeds: Feeds, alert: Alert, tmp_path: Path, clock: ManualClock
) -> None:
    await feeds.send(alert)
    await CapFolder(
        tmp_path / "cap", office=Office(sender="v@ville.example"), base_url="https://v.example", clock=clock
    ).send(alert)
    lon, lat = features(tmp_path)[0]["geometry"]["coordinates"]
    georss = [float(number) for number in (text(entries(tmp_path)[0], "georss:point") or "").split()]
    ((cap_lat, cap_lon, cap_km),) = (
        alert_from((tmp_path / "cap" / "inc-1.0001.xml").read_bytes()).infos[0].areas[0].circles
    )
    assert (lat, lon) == (cap_lat, cap_lon) == tuple(georss) == (alert.place.lat, alert.place.lon)
    radius_m = float(text(entries(tmp_path)[0], "georss:radius") or "")
    assert radius_m / 1000 == cap_km == features(tmp_path)[0]["properties"]["radius_km"] == 5.0


async def test_a_feature_says_how_exact_it_is_and_whence(feeds: Feeds, alert: Alert, tmp_path: Path) -> None:
    await feeds.send(alert)
    (feature,) = features(tmp_path)
    assert feature["id"] == "inc-1"
    said = feature["properties"]
    assert (said["precision"], said["provenance"], said["confidence"]) == ("commune", "text", 0.9)
    assert said["evidence"] == ["9f8e"]
    assert said["title"] == "ALERTE · incendie · Le Havre (signal à vérifier)"
    assert said["onset"] == "2026-11-22T07:00:00Z"


async def test_no_words_of_posts_leave(feeds: Feeds, alert: Alert, tmp_path: Path) -> None:
    await feeds.send(alert)
    for path in (tmp_path / "feeds").iterdir():
        content = path.read_text(encoding="utf-8")
        assert "Énorme" not in content
        assert "0123456789abcdef" not in content
        assert "bsky.app" not in content


@pytest.mark.parametrize(
    ("level", "source", "is_drawn"),
    [
        ("site", "text", True),
        ("commune", "hashtag", True),
        ("epci", "text", True),
        ("dep", "text", False),
        ("region", "text", False),
        ("country", "geotag", False),
        ("commune", "home", False),
        ("commune", "profile", False),
    ],
)
async def test_the_middle_of_a_large_area_and_a_guess_are_no_points(
    level: PlaceLevel, source: PlaceSource, is_drawn: bool, feeds: Feeds, alert: Alert, tmp_path: Path
) -> None:
    place = msgspec.structs.replace(alert.place, level=level, source=source)
    await feeds.send(msgspec.structs.replace(alert, place=place))
    (feature,), (entry,) = features(tmp_path), entries(tmp_path)
    assert "geometry" in feature, "a feature without a place says so"
    assert (feature["geometry"] is not None) == is_drawn
    assert (entry.find("georss:point", NAMES) is not None) == is_drawn
    assert text(entry, "georss:featurename") == "Le Havre"


async def test_an_entry_keeps_its_id_and_updated_moves(
    feeds: Feeds, alert: Alert, tmp_path: Path, clock: ManualClock
) -> None:
    seen = []
    for number in (1, 2, 3):
        await feeds.send(revision(alert, number))
        (entry,) = entries(tmp_path)
        seen.append((text(entry, "atom:id"), text(entry, "atom:updated")))
        clock.advance(timedelta(milliseconds=1))
    assert len({id_ for id_, _ in seen}) == 1
    assert (seen[0][0] or "").startswith("urn:uuid:")
    assert [updated for _, updated in seen] == [f"2026-11-22T07:00:0{second}Z" for second in range(3)]


async def test_repeats_and_lower_revisions_change_nothing_also_after_a_restart(
    feeds: Feeds, alert: Alert, tmp_path: Path, clock: ManualClock
) -> None:
    await feeds.send(revision(alert, 2, "confirmed"))
    before = {path: path.read_bytes() for path in (tmp_path / "feeds").iterdir()}
    clock.advance(timedelta(hours=1))
    for again in (feeds, opened(tmp_path, clock)):
        for number in (2, 1):
            await again.send(revision(alert, number))
    assert {path: path.read_bytes() for path in (tmp_path / "feeds").iterdir()} == before


async def test_killed_between_the_two_files_the_start_mends_the_second(
    feeds: Feeds, alert: Alert, tmp_path: Path, clock: ManualClock
) -> None:
    await feeds.send(alert)
    (tmp_path / "feeds" / ATOM).write_bytes(b"<half")
    opened(tmp_path, clock)
    assert len(entries(tmp_path)) == 1


async def test_a_file_that_is_not_ours_is_not_written_over(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / GEOJSON).write_text('{"type":"FeatureCollection","features":[{"type":"Feature"}]}')
    with pytest.raises(SettingsError, match=r"was not written by Vigie: .*; move it away, or give another folder"):
        opened(tmp_path, clock)


async def test_posts_that_were_taken_back_are_in_it_no_more(feeds: Feeds, alert: Alert, tmp_path: Path) -> None:
    await feeds.send(alert)
    removed = msgspec.structs.replace(alert.evidence[0], is_removed=True, text="")
    await feeds.send(revision(alert, 2, evidence=(removed,)))
    assert not [path for path in (tmp_path / "feeds").iterdir() if b"9f8e" in path.read_bytes()]


async def test_what_is_over_names_no_posts(feeds: Feeds, alert: Alert, tmp_path: Path) -> None:
    await feeds.send(alert)
    await feeds.send(revision(alert, 2, "resolved"))
    assert features(tmp_path)[0]["properties"]["evidence"] == []


async def test_what_is_over_leaves_and_what_is_open_stays_a_month(
    feeds: Feeds, alert: Alert, tmp_path: Path, clock: ManualClock
) -> None:
    levels: dict[str, Level] = {"open": "alert", "resolved": "resolved", "rejected": "rejected"}
    for name, level in levels.items():
        await feeds.send(revision(alert, 1, incident_id=name))
        await feeds.send(revision(alert, 2, level, incident_id=name))
    assert len(features(tmp_path)) == 3
    clock.advance(timedelta(days=2, seconds=2))
    await feeds.tidy()
    assert [feature["id"] for feature in features(tmp_path)] == ["open"]
    await feeds.send(revision(alert, 3, "resolved", incident_id="resolved"))  # a post of it was taken back
    assert [feature["id"] for feature in features(tmp_path)] == ["open"]
    clock.advance(timedelta(days=30))
    opened(tmp_path, clock)
    assert features(tmp_path) == []
    assert entries(tmp_path) == []


async def test_a_full_disk_is_tried_later_and_nothing_is_taken_for_written(
    feeds: Feeds, alert: Alert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(feeds_module, "write_whole", full)
        with pytest.raises(TryLater, match="No space left"):
            await feeds.send(alert)
    await feeds.send(alert)
    assert len(features(tmp_path)) == len(entries(tmp_path)) == 1


async def test_our_own_reader_of_feeds_reads_it(feeds: Feeds, alert: Alert, tmp_path: Path) -> None:
    await feeds.send(alert)
    body = (tmp_path / "feeds" / ATOM).read_bytes()
    (entry,) = document_from(body, content_type="application/atom+xml").entries
    assert entry.title == "ALERTE · incendie · Le Havre (signal à vérifier)"
    assert entry.geo
    assert (entry.geo.lat, entry.geo.lon) == (alert.place.lat, alert.place.lon)


async def test_served_it_is_sent_once_and_then_only_when_it_changed(feeds: Feeds, alert: Alert) -> None:
    await feeds.send(alert)
    async with asking(application(feeds)) as client:
        for name, kind in ((GEOJSON, "application/geo+json"), (ATOM, "application/atom+xml;charset=utf-8")):
            first = await client.get(f"/{name}", headers={"Origin": "https://elsewhere.example"})
            assert (first.status_code, first.headers["content-type"]) == (200, kind)
            assert first.content == feeds.documents[name]
            assert not [header for header in first.headers if header.startswith("access-control")]
            again = await client.get(f"/{name}", headers={"If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"]
        tag = (await client.get(f"/{ATOM}")).headers["etag"]
        await feeds.send(revision(alert, 2))
        changed = await client.get(f"/{ATOM}", headers={"If-None-Match": tag})
        assert changed.status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nothing_can_be_written_over_http(method: str, feeds: Feeds) -> None:
    async with asking(application(feeds)) as client:
        assert (await client.request(method, f"/{GEOJSON}")).status_code == 405
        assert (await client.get("/../vigie.toml")).status_code == 404


async def test_other_sites_may_read_it_where_that_is_said(feeds: Feeds) -> None:
    async with asking(application(feeds, allow_origin="https://carte.ville.example")) as client:
        answer = await client.get(f"/{GEOJSON}")
    assert answer.headers["access-control-allow-origin"] == "https://carte.ville.example"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [('"a"', True), ('W/"a"', True), ('"b", W/"a"', True), ("*", True), ('"b"', False), ("", False)],
)
def test_tags_are_compared_weakly(asked: str, expected: bool) -> None:
    assert is_known(asked, '"a"') == expected
