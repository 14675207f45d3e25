"""What people do about an incident: what goes out, how it is taken back, and who is told of whom."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from msgspec.structs import replace

from console.archive import audit, looking, saying
from console.archive.taking import take
from console.desk import Desk
from records import ManualClock, Matcher, Silence, Verdict
from tests.console.made import INCIDENT, LE_HAVRE, a_verdict, an_alert, minutes, some_evidence

ADDRESS = f"/incidents/{INCIDENT}"
ME = "astreinte (operator)"


@pytest_asyncio.fixture(loop_scope="module")
async def known(desk: Desk) -> Desk:
    evidence = (some_evidence(1), some_evidence(2))
    await take(
        desk.engine,
        [
            an_alert(evidence=evidence, joins="fire-bigger"),
            an_alert(incident_id="fire-next", place=replace(LE_HAVRE, lat=49.5)),
            an_alert(incident_id="fire-bigger", place=replace(LE_HAVRE, lat=49.8)),
            an_alert(incident_id="fire-far", place=replace(LE_HAVRE, lat=48.0)),
            an_alert(incident_id="fire-over", level="resolved"),
        ],
        minutes(0),
    )
    return desk


@pytest.fixture
def operator(client_as: Callable[..., Any]) -> Callable[[], Any]:
    return lambda: client_as("operator", language="en")


async def send(client: httpx.AsyncClient, what: str = "decide", **typed: Any) -> httpx.Response:
    return await client.post(f"{ADDRESS}/{what}", data={"csrf": "a-token-of-the-tests", "nonce": "n1", **typed})


async def verdicts(desk: Desk) -> list[Verdict]:
    return [one.record for one in await saying.waiting(desk.engine) if isinstance(one.record, Verdict)]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        pytest.param({"decision": "acknowledge"}, {}, id="acknowledge"),
        pytest.param(
            {"decision": "confirm", "by": "authority", "reason": "SDIS 76"},
            {"reason": "par une autorité\N{NO-BREAK SPACE}: SDIS 76"},
            id="confirm, in the words of the cell",
        ),
        pytest.param({"decision": "reject", "why": "hoax"}, {"reason": "canular"}, id="reject"),
        pytest.param({"decision": "close", "reason": "SDIS"}, {"reason": "SDIS"}, id="close"),
        pytest.param({"decision": "note", "reason": "vu"}, {"reason": "vu"}, id="note"),
        pytest.param({"decision": "change_hazard", "read_as": "flood"}, {"read_as": "flood"}, id="change_hazard"),
        pytest.param({"decision": "merge", "other": "fire-next"}, {"other": "fire-next"}, id="merge"),
        pytest.param(
            {"decision": "split", "other": "fire-bigger"}, {"other": "fire-bigger"}, id="split of a joined one"
        ),
        pytest.param(
            {"decision": "split", "post_keys": ["facebook:e0002"]},
            {"post_keys": ("facebook:e0002",)},
            id="split of posts",
        ),
        pytest.param(
            {"decision": "relocate", "lat": "49.48", "lon": "0.15", "name": "Centrale"},
            {
                "place": replace(
                    LE_HAVRE,
                    place_id="said:49.48000,0.15000",
                    name="Centrale",
                    lat=49.48,
                    lon=0.15,
                    radius_km=0.3,
                    level="point",
                    confidence=1.0,
                    source="person",
                    reasons=(ME,),
                )
            },
            id="relocate",
        ),
    ],
)
async def test_a_decision_goes_out_is_shown_and_can_be_undone(
    known: Desk, operator: Callable[[], Any], typed: dict[str, Any], said: dict[str, Any]
) -> None:
    async with operator() as client:
        answer = await send(client, **typed)
        assert answer.status_code == 303
        (verdict,) = await verdicts(known)
        usual = {"reason": "", "place": None, "read_as": None, "other": "", "post_keys": ()}
        assert {name: getattr(verdict, name) for name in usual} == {**usual, **said}
        assert (verdict.incident_id, verdict.hazard, verdict.area) == (INCIDENT, "fire", "76")
        assert (verdict.decision, verdict.decided_by) == (typed["decision"], ME)
        page = (await client.get(answer.headers["location"])).text
        assert "Done:" in page
        assert f'name="withdraws" value="{verdict.decision_id}"' in page.split('id="head"')[0]
        undone = await send(client, decision="withdraw", withdraws=verdict.decision_id)
        assert undone.status_code == 303
        assert (await verdicts(known))[1].withdraws == verdict.decision_id
        page = (await client.get(undone.headers["location"])).text
    assert "Taken back" in page
    assert f'name="withdraws" value="{verdict.decision_id}"' not in page


async def test_every_decision_is_in_the_audit(known: Desk, operator: Callable[[], Any]) -> None:
    async with operator() as client:
        await send(client, decision="acknowledge")
    (entry,) = await audit.entries(known.engine, object_=INCIDENT)
    assert (entry.action, entry.actor) == ("acknowledge", ME)


async def test_a_decision_can_be_undone_from_the_history_later(known: Desk, operator: Callable[[], Any]) -> None:
    await take(known.engine, [a_verdict("close", decided_by="chef")], minutes(1))
    async with operator() as client:
        page = (await client.get(ADDRESS)).text
    assert 'name="withdraws" value="close-1"' in page.split('id="history"')[1]


async def test_a_form_sent_twice_decides_once(known: Desk, operator: Callable[[], Any]) -> None:
    async with operator() as client:
        answers = [await send(client, decision="note", reason="vu") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len(await verdicts(known)) == 1


@pytest.mark.parametrize("number", ["9" * 18, "9" * 19, "9" * 5000, "-1", "²", "vu"])
async def test_whatever_number_somebody_says_he_knows_of_is_answered(
    known: Desk, operator: Callable[[], Any], number: str
) -> None:
    async with operator() as client:
        assert (await send(client, decision="note", reason="vu", known=number)).status_code == 303
    assert len(await verdicts(known)) == 1


async def test_the_same_form_with_other_words_is_another_note(known: Desk, operator: Callable[[], Any]) -> None:
    async with operator() as client:
        for words in ("vu", "revu"):
            await send(client, decision="note", reason=words)
    assert [one.reason for one in await verdicts(known)] == ["vu", "revu"]


async def test_who_decides_after_somebody_else_is_told_and_asked_again(
    known: Desk, operator: Callable[[], Any]
) -> None:
    async with operator() as client:
        before = (await client.get(ADDRESS)).text
        await take(known.engine, [a_verdict("reject", decided_by="chef", reason="canular")], minutes(1))
        told = await send(client, decision="close", reason="SDIS", known=known_in(before), revision="1")
        assert told.status_code == 409
        assert "Others have decided meanwhile" in told.text
        assert "Rejected · chef · canular" in re.sub(r"\s+", " ", told.text)
        assert ">SDIS</textarea>" in told.text
        assert await verdicts(known) == []
        again = await send(client, decision="close", reason="SDIS", known=known_in(told.text), revision="1")
    assert again.status_code == 303
    assert [one.decision for one in await verdicts(known)] == ["close"]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        pytest.param(a_verdict("note", decided_by="chef", reason="x"), "close", id="their note decides nothing"),
        pytest.param(a_verdict("acknowledge", decided_by=ME), "close", id="what is one's own"),
        pytest.param(a_verdict("reject", decided_by="chef"), "note", id="a note may be added to anything"),
    ],
)
async def test_nobody_is_asked_again_for_nothing(
    known: Desk, operator: Callable[[], Any], theirs: Verdict, ours: str
) -> None:
    async with operator() as client:
        before = (await client.get(ADDRESS)).text
        await take(known.engine, [theirs], minutes(1))
        answer = await send(client, decision=ours, reason="SDIS", known=known_in(before))
    assert answer.status_code == 303


def known_in(page: str) -> str:
    """Return the last decision that the forms of a page know of."""
    found = re.search(r'name="known" value="(\d+)"', page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("typed", "words", "kept"),
    [
        pytest.param(
            {"decision": "confirm", "reason": "on dit"}, "Say who confirmed it.", ">on dit</textarea>", id="confirm"
        ),
        pytest.param(
            {"decision": "reject", "reason": "bof"}, "Say why it is rejected.", ">bof</textarea>", id="reject"
        ),
        pytest.param(
            {"decision": "relocate", "lat": "quai", "lon": "0", "name": "Port"},
            "The latitude is a number of degrees",
            'value="quai"',
            id="relocate",
        ),
        pytest.param(
            {"decision": "merge", "other": "fire-over", "reason": "idem"},
            "Choose an open incident that it is part of.",
            ">idem</textarea>",
            id="merge",
        ),
        pytest.param({"decision": "split", "reason": "x"}, "Tick the posts", ">x</textarea>", id="split"),
        pytest.param({"decision": "note"}, "Say it in words.", "Note for those", id="note"),
        pytest.param({"decision": "withdraw", "withdraws": "none"}, "Nothing of that kind", "History", id="withdraw"),
        pytest.param({"decision": "burn"}, "This cannot be done", "Decide", id="no decision"),
    ],
)
async def test_what_cannot_be_done_comes_back_as_it_was_typed(
    known: Desk, operator: Callable[[], Any], typed: dict[str, str], words: str, kept: str
) -> None:
    async with operator() as client:
        answer = await send(client, **typed)
    assert answer.status_code == 422
    assert words in answer.text.split('class="error-summary"')[1].split("</div>")[0]
    assert kept in answer.text
    assert await verdicts(known) == []


async def test_what_is_taken_back_already_cannot_be_taken_back_again(known: Desk, operator: Callable[[], Any]) -> None:
    await take(
        known.engine,
        [a_verdict("close"), a_verdict("withdraw", withdraws="close-1", decided_at=minutes(4))],
        minutes(4),
    )
    async with operator() as client:
        answer = await send(client, decision="withdraw", withdraws="close-1")
    assert answer.status_code == 422
    assert "That has been taken back already." in answer.text


async def test_ticked_posts_stay_ticked(known: Desk, operator: Callable[[], Any]) -> None:
    async with operator() as client:
        answer = await send(client, decision="split", post_keys=["facebook:e0001", "facebook:e0002"])
    assert answer.status_code == 422
    assert len(re.findall(r'name="post_keys"[^>]* checked', answer.text)) == 2


async def test_the_nearest_open_incident_is_offered_first(known: Desk, operator: Callable[[], Any]) -> None:
    async with operator() as client:
        page = (await client.get(ADDRESS)).text
    choices = page.split('id="merge-other"')[1].split("</select>")[0]
    assert re.findall(r'value="(fire-[a-z]+)"', choices) == ["fire-next", "fire-far"]


async def test_several_places_of_a_name_are_offered(known: Desk, client_as: Callable[..., Any]) -> None:
    places = (replace(LE_HAVRE, place_id="x:1", name="Bourg"), replace(LE_HAVRE, place_id="x:2", name="Bourg"))
    object.__setattr__(known, "find_place", lambda text: places if text == "Bourg" else ())
    async with client_as("operator", language="en") as client:
        asked = await send(client, decision="relocate", name="Bourg")
        assert asked.status_code == 422
        assert 'value="x:2"' in asked.text
        chosen = await send(client, decision="relocate", name="Bourg", place_id="x:2")
    assert chosen.status_code == 303
    (verdict,) = await verdicts(known)
    assert verdict.place is not None
    assert verdict.place.place_id == "x:2"


async def silences_of(desk: Desk) -> list[Silence]:
    return [one.record for one in await saying.waiting(desk.engine) if isinstance(one.record, Silence)]


async def test_an_incident_is_silenced_and_that_is_ended(known: Desk, operator: Callable[[], Any]) -> None:
    async with operator() as client:
        answer = await send(client, "silence", hours="4", reason="exercice")
        assert answer.status_code == 303
        (made,) = await silences_of(known)
        assert made.matchers == (Matcher(name="incident_id", value=INCIDENT),)
        assert (made.author, made.reason, made.ends_at - made.starts_at) == (ME, "exercice", timedelta(hours=4))
        page = (await client.get(answer.headers["location"])).text
        assert "Nobody is notified of this incident until" in page
        assert "notifications silenced" in page
        known.clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined]
        ended = await send(client, "silence", ends=made.silence_id)
        assert ended.status_code == 303
        page = (await client.get(ADDRESS)).text
    assert (await silences_of(known))[1].ends_at == minutes(1)
    assert "notifications silenced" not in page


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"hours": "4"}, "Say why: whoever comes next wants to know."),
        ({"hours": "1000", "reason": "x"}, "Choose how long."),
        ({"ends": "none"}, "This silence is not in force any more"),
    ],
)
async def test_a_silence_that_cannot_be_is_refused(
    known: Desk, operator: Callable[[], Any], typed: dict[str, str], words: str
) -> None:
    async with operator() as client:
        answer = await send(client, "silence", **typed)
    assert answer.status_code == 422
    assert words in answer.text
    assert await silences_of(known) == []


async def test_a_silence_sent_twice_is_one(known: Desk, operator: Callable[[], Any]) -> None:
    async with operator() as client:
        for _ in range(2):
            await send(client, "silence", hours="4", reason="exercice")
            known.clock.advance(timedelta(seconds=1))  # type: ignore[attr-defined]
    assert len(await silences_of(known)) == 1


async def asked_of(desk: Desk) -> list[tuple[str, str]]:
    dossier = await looking.incident(desk.engine, INCIDENT)
    assert dossier is not None
    return [(one.question, one.state) for one in dossier.verifications]


async def test_volunteers_are_asked_once_and_that_is_taken_back(known: Desk, operator: Callable[[], Any]) -> None:
    async with operator() as client:
        answers = [await send(client, "verify", question="De la fumée ?") for _ in range(2)]
        assert await asked_of(known) == [("De la fumée ?", "to_verify")]
        page = (await client.get(answers[0].headers["location"])).text
        assert "Volunteers are asked: De la fumée ?" in page
        found = re.search(r'name="withdraws" value="([0-9a-f]+)"', page)
        assert found is not None
        assert (await send(client, "verify", withdraws=found[1])).status_code == 303
        assert await asked_of(known) == [("De la fumée ?", "withdrawn")]
        again = await send(client, "verify", withdraws=found[1])
    assert again.status_code == 422


@pytest.mark.parametrize(
    ("question", "words"), [("  ", "Say what is to be found out."), ("x" * 501, "That is too long.")]
)
async def test_a_question_has_words(known: Desk, operator: Callable[[], Any], question: str, words: str) -> None:
    async with operator() as client:
        answer = await send(client, "verify", question=question)
    assert answer.status_code == 422
    assert words in answer.text
    assert await asked_of(known) == []


@pytest.mark.parametrize("what", ["decide", "silence", "verify"])
@pytest.mark.parametrize("role", ["viewer", "volunteer", "analyst"])
async def test_who_may_not_decide_does_not(known: Desk, client_as: Callable[..., Any], role: str, what: str) -> None:
    async with client_as(role) as client:
        answer = await send(client, what, decision="close", hours="4", reason="x", question="x")
    assert answer.status_code == 403
    assert await saying.waiting(known.engine) == []


@pytest.mark.parametrize("what", ["decide", "silence", "verify", "reveal"])
async def test_a_form_of_somebody_elses_does_nothing(known: Desk, operator: Callable[[], Any], what: str) -> None:
    async with operator() as client:
        answer = await client.post(f"{ADDRESS}/{what}", data={"csrf": "guessed", "decision": "close", "nonce": "n"})
    assert answer.status_code == 403
    assert await saying.waiting(known.engine) == []


async def test_nothing_is_decided_of_what_is_not_there(known: Desk, operator: Callable[[], Any]) -> None:
    async with operator() as client:
        answer = await client.post("/incidents/none/decide", data={"csrf": "a-token-of-the-tests", "decision": "close"})
    assert answer.status_code == 404


async def test_closing_is_offered_and_done_only_where_it_changes_something(
    desk: Desk, operator: Callable[[], Any]
) -> None:
    await take(desk.engine, [an_alert(level="signal")], minutes(0))
    async with operator() as client:
        page = await client.get(ADDRESS)
        assert 'value="close"' not in page.text
        assert "There is nothing to close" in page.text
        assert 'value="reject"' in page.text
        refused = await send(client, decision="close")
    assert refused.status_code == 422
    assert "Closing it would change nothing" in refused.text
    assert await verdicts(desk) == []


async def test_what_a_decision_waits_for_is_said(known: Desk, operator: Callable[[], Any], clock: ManualClock) -> None:
    async with operator() as client:
        done = (await send(client, decision="close")).headers["location"]
        assert "not sent yet" in (await client.get(done)).text
        await saying.sent(known.engine, [one.sequence for one in await saying.waiting(known.engine)])
        assert "waiting for the detectors" in (await client.get(done)).text
        clock.advance(timedelta(minutes=2))
        assert "without an answer from the detectors" in (await client.get(done)).text
        await take(known.engine, [an_alert(revision=2, level="resolved")], minutes(3))
        assert "detectors" not in (await client.get(done)).text.partition('id="done"')[2].partition('id="head"')[0]
