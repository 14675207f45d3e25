"""The bench: a candidate is edited, tried, watched in the shadow, proposed, approved by another, and taken back."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from console.access.visitor import Visitor
from console.archive import audit, saying
from console.archive.taking import take
from console.archive.words import post_id_of
from console.desk import Desk
from console.tuning import candidates, promoting, running, shadows, trials
from console.tuning.candidates import Candidate
from console.tuning.editing import changed
from records import ManualClock, ProfileChange
from records.trial import TrialAsked
from tests.console.conftest import CSRF
from tests.console.made import an_alert, minutes
from tests.console.tuning.bench import CITY, AgreedTuner, a_trial, with_bench

HOSTILE = '<script>alert("x")</script>'


def flat(answer: httpx.Response) -> str:
    return " ".join(answer.text.split())


async def send(client: httpx.AsyncClient, path: str, **fields: Any) -> httpx.Response:
    data = {"csrf": CSRF, **{key.replace("__", ":"): value for key, value in fields.items()}}
    return await client.post(path, data=data)


async def begun(client: httpx.AsyncClient, nonce: str = "n1") -> str:
    """Begin a candidate; return its address."""
    answer = await send(client, "/tuning/candidates", nonce=nonce)
    assert answer.status_code == 303
    return answer.headers["location"]


async def the_candidate(desk: Desk, address: str) -> Candidate:
    found = await candidates.candidate(desk.engine, address.partition("?")[0].rpartition("/")[2])
    assert found is not None
    return found


async def change(client: httpx.AsyncClient, desk: Desk, address: str, values: dict[str, str]) -> httpx.Response:
    known = await the_candidate(desk, address)
    return await client.post(address, data={"csrf": CSRF, "text_id": known.text_id, **values})


@asynccontextmanager
async def at_work(desk: Desk) -> AsyncIterator[None]:
    """Let what is asked for be tried, as the console's process does."""
    working = asyncio.create_task(running.run(desk))
    try:
        yield
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def state_of(client: httpx.AsyncClient, path: str) -> str:
    return str((await client.get(f"{path}/state")).json()["state"])


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await is_so():  # noqa: ASYNC110  what is waited for stands in a database
            await asyncio.sleep(0.02)


async def tried(client: httpx.AsyncClient, desk: Desk, address: str, **fields: Any) -> str:
    """Try a candidate to the end; return the trial's address."""
    data = {"scenario": "lubrizol_2019", "frontiers": "1", "nonce": "t1", **fields}
    answer = await send(client, f"{address}/trials", **data)
    assert answer.status_code == 303, answer.text
    path: str = answer.headers["location"]

    async def is_over() -> bool:
        return await state_of(client, path) not in {"waiting", "running"}

    async with at_work(desk):
        await until(is_over)
    return path


@pytest.fixture
def tuner(desk: Desk) -> AgreedTuner:
    return with_bench(desk, AgreedTuner())


async def test_a_candidate_may_begin_as_a_text_that_is_handed_over(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner
) -> None:
    handed = CITY.replace("eta = 5.0", "eta = 2.5", 1)
    async with client_as("analyst") as client:
        answer = await send(client, "/tuning/candidates", nonce="n9", toml=handed.replace("\n", "\r\n"))
        known = await the_candidate(desk, answer.headers["location"])
    assert known.toml == handed.replace('version = "2"', 'version = "2.1"')


async def test_a_candidate_begins_as_what_is_in_force_with_the_next_version(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner
) -> None:
    async with client_as("analyst", language="en") as client:
        address = await begun(client)
        known = await the_candidate(desk, address)
        assert (known.name, known.version, known.state) == ("city", "2.1", "draft")
        assert known.toml == CITY.replace('version = "2"', 'version = "2.1"')
        assert await begun(client) == address, "a form that is sent twice begins one"
        other = await the_candidate(desk, await begun(client, "n2"))
        assert other.version == "2.2"
        page = flat(await client.get(address))
    assert 'name="set:budget.watch"' in page
    assert "from 0.0001 to 10000" in page
    assert "(a week)" in page


async def test_the_form_changes_settings_and_keeps_what_is_written_beside_them(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner
) -> None:
    async with client_as("analyst", language="en") as client:
        address = await begun(client)
        before = (await the_candidate(desk, address)).toml
        answer = await change(
            client,
            desk,
            address,
            {"set:budget.watch": "28,5", "set:gate.hearsay": "4", "set:population_floor": "20000"},
        )
        assert answer.status_code == 303
        after = (await the_candidate(desk, address)).toml
        page = flat(await client.get(address))
    assert after == (
        before.replace("watch = 14.0", "watch = 28.5").replace(
            "incidents_per_week = 1.0\n", "incidents_per_week = 1.0\npopulation_floor = 20000\n"
        )
        + "\n[gate]\nhearsay = 4\n"
    )
    assert "<code>budget.watch</code></th><td><code>14.0</code></td><td><code>28.5</code>" in page
    assert "<code>watch = 28.5</code>" in page
    [line] = await audit.entries(desk.engine, action="candidate_changed")
    assert "budget.watch: 14.0 → 28.5" in line.detail["changes"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        pytest.param(
            {"set:budget.watch": "0"}, "budget.watch = 0: out of bounds; from 0.0001 to 10000", id="out of bounds"
        ),
        pytest.param({"set:budget.watch": "many"}, "budget.watch = many: a number is needed", id="no number"),
        pytest.param({"set:gate.hearsay": "2.5"}, "gate.hearsay = 2.5: a whole number is needed", id="a part"),
        pytest.param({"set:budget.watch": "nan"}, "budget.watch = nan: out of bounds", id="not a number"),
        pytest.param({"set:budget.watch": ""}, "budget.watch: is missing; write it down", id="left out"),
        pytest.param(
            {"set:budget.alert": "20"}, "budget.alert = 20.0: more than budget.watch = 14.0; ask for less", id="budgets"
        ),
        pytest.param(
            {"set:gate.witnesses_with_support": "13"},
            "gate.witnesses_with_support = 13: more than witnesses_alone = 12: more support must not ask",
            id="contradiction",
        ),
        pytest.param({"toml": "x = ["}, "this is not TOML: ", id="no TOML"),
        pytest.param({"toml": CITY.replace("eta = 5.0", "eta = 5000.0")}, "hazard.fire.eta = 5000.0: out", id="text"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_reason(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner, values: dict[str, str], told: str
) -> None:
    async with client_as("analyst", language="en") as client:
        address = await begun(client)
        before = await the_candidate(desk, address)
        answer = await change(client, desk, address, values)
        assert answer.status_code == 422
        assert told in flat(answer).replace("&#39;", "'")
        assert await the_candidate(desk, address) == before


async def test_a_refusal_is_told_in_french_as_well(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner
) -> None:
    async with client_as("analyst", language="fr") as client:
        address = await begun(client)
        answer = await change(client, desk, address, {"set:gate.hearsay": "x"})
    assert "gate.hearsay = x: il faut un nombre entier" in flat(answer)


async def test_another_hazard_or_a_version_that_was_used_cannot_be_put_in_force(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner
) -> None:
    async with client_as("analyst", language="en") as client:
        address = await begun(client)
        text = (await the_candidate(desk, address)).toml
        await change(client, desk, address, {"toml": text.replace(', "other"]', "]").replace("2.1", "2")})
        page = flat(await client.get(address))
        assert "hazards = fire, flood, industrial: fire, flood, industrial, other is in force" in page
        assert "version = 2: was in force before with another text" in page
        refused = await send(client, f"{address}/trials", scenario="two_fires", nonce="x")
    assert refused.status_code == 422
    assert not tuner.asked


async def test_a_change_over_somebody_elses_does_nothing(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner
) -> None:
    async with client_as("analyst", language="en") as client:
        address = await begun(client)
        stale = {"csrf": CSRF, "text_id": (await the_candidate(desk, address)).text_id, "set:budget.watch": "99"}
        await change(client, desk, address, {"set:budget.watch": "28"})
        answer = await client.post(address, data=stale)
    assert answer.status_code == 422
    assert "Somebody has changed it meanwhile" in flat(answer)
    assert "watch = 28.0" in (await the_candidate(desk, address)).toml


async def test_a_trial_says_what_would_change_with_the_figures(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner
) -> None:
    async with client_as("analyst", language="en") as client:
        address = await begun(client)
        path = await tried(client, desk, address, recorded="1", since="2012-01-29T08:00", until="2012-01-30T08:00")
        page = flat(await client.get(path))
        candidate_page = flat(await client.get(address))
    assert "Better: it gains, and loses nothing that can be seen here." in page
    assert "Lubrizol: watch 6 min earlier" in page
    assert "the profile in force takes 20 min at 0.5 times its budget" in page
    assert "1 of 2" in page
    assert '<a href="/incidents/fire-true">Lubrizol</a>' in page
    assert '<th scope="row">missed:m1</th>' in page, "no page is about what was never raised"
    assert "50 %" not in page, "of so few cases no percentage is told"
    assert "mots d’un inconnu" not in page
    [asked] = tuner.asked
    assert asked.scenarios == ("lubrizol_2019",)
    assert (asked.since, asked.until) == (minutes(-24 * 60 - 37), minutes(-37))
    assert "<strong>Better:" in candidate_page


async def test_a_trial_keeps_nobody_who_wrote(client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner) -> None:
    async with client_as("analyst") as client:
        path = await tried(
            client, desk, await begun(client), recorded="1", since="2012-01-29T08:00", until="2012-01-30T08:00"
        )
    found = await trials.report(desk.engine, path.rpartition("/")[2])
    assert found is not None
    evidence = [
        (case.kind, item)
        for case in found.cases
        for outcome in case.backtest.outcomes
        for one in outcome.raised
        for item in one.evidence
    ]
    assert evidence
    assert {item.author_id for _, item in evidence} == {""}
    assert {item.text for kind, item in evidence if kind == "recorded"} == {""}
    assert {item.url for _, item in evidence} == {None}
    assert {item.post_key for kind, item in evidence if kind == "recorded"} == {post_id_of("facebook:e0001")}
    assert {item.post_key for one in found.cases[0].backtest.outcomes[0].found for item in one.seen} == {
        post_id_of("facebook:s1")
    }


async def test_a_form_that_is_sent_again_with_something_else_asks_for_something_else(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner
) -> None:
    async with client_as("analyst") as client:
        address = await begun(client)
        wanted: list[tuple[str, dict[str, str]]] = [
            ("trials", {"scenario": "two_fires"}),
            ("trials", {"scenario": "lubrizol_2019"}),
            ("shadows", {"days": "1"}),
            ("shadows", {"days": "2"}),
        ]
        for what, fields in wanted:
            twice = [await send(client, f"{address}/{what}", nonce="n", **fields) for _ in range(2)]
            assert twice[0].headers["location"] == twice[1].headers["location"]
        other = await send(client, "/tuning/candidates", nonce="n1", toml=CITY + "# of another mind\n")
    candidate_id = address.rpartition("/")[2]
    assert other.headers["location"] != address
    assert len(await trials.of_candidate(desk.engine, candidate_id)) == 2
    assert len(await shadows.of_candidate(desk.engine, candidate_id)) == 2


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param({"scenario": ""}, "Choose what it is to be tried on", id="nothing"),
        pytest.param({"scenario": "../../etc"}, "Choose what it is to be tried on", id="no scenario of ours"),
        pytest.param({"recorded": "1"}, "Say from when until when", id="no stretch"),
        pytest.param(
            {"recorded": "1", "since": "2012-01-30T08:00", "until": "2012-01-29T08:00"}, "Say from when", id="turned"
        ),
    ],
)
async def test_a_trial_of_nothing_is_refused(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner, fields: dict[str, str], told: str
) -> None:
    async with client_as("analyst", language="en") as client:
        answer = await send(client, f"{await begun(client)}/trials", nonce="x", **fields)
    assert answer.status_code == 422
    assert told in flat(answer)


async def test_a_trial_can_be_stopped_and_shows_how_far_it_is(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner
) -> None:
    tuner.waits = asyncio.Event()
    async with client_as("analyst", language="en") as client, at_work(desk):
        address = await begun(client)
        answer = await send(client, f"{address}/trials", scenario="two_fires", nonce="t1")
        path = answer.headers["location"]

        async def is_on() -> bool:
            answer = (await client.get(f"{path}/state")).json()
            return bool(answer == {"state": "running", "part": "Two fires", "done": 0.25})

        await until(is_on)
        assert "Stop it" in flat(await client.get(path))
        await send(client, f"{path}/stop")

        async def is_gone() -> bool:
            return tuner.ended == 1

        await until(is_gone)
        page = flat(await client.get(path))
        assert "Somebody stopped it." in page
        tuner.waits = None
        again = await send(client, f"{path}/again", nonce="t2")

        async def is_done() -> bool:
            return await state_of(client, again.headers["location"]) == "done"

        await until(is_done)


async def test_a_trial_that_fails_says_why(client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner) -> None:
    tuner.refuses = f"nothing was recorded {HOSTILE}"
    async with client_as("analyst", language="en") as client:
        page = flat(await client.get(await tried(client, desk, await begun(client))))
    assert "It failed: nothing was recorded" in page
    assert HOSTILE not in page


async def test_what_ran_when_the_console_died_is_told_as_broken_off(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner
) -> None:
    tuner.waits = asyncio.Event()
    async with client_as("analyst", language="en") as client:
        address = await begun(client)
        stretch = {"recorded": "1", "since": "2012-01-29T08:00", "until": "2012-01-30T08:00"}
        path = (await send(client, f"{address}/trials", nonce="t1", **stretch)).headers["location"]

        async def is_on() -> bool:
            return '<span id="part">The recording</span>' in (await client.get(path)).text

        async with at_work(desk):
            await until(is_on)
        async with at_work(desk):

            async def is_broken_off() -> bool:
                return await state_of(client, path) == "broken_off"

            await until(is_broken_off)
        page = flat(await client.get(path))
    assert "It was broken off" in page
    assert "Try it again" in page


async def test_nobody_promotes_what_was_not_tried(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner
) -> None:
    async with client_as("analyst", language="en") as client:
        address = await begun(client)
        await tried(client, desk, address)
        await change(client, desk, address, {"set:budget.watch": "28"})
        answer = await send(client, f"{address}/propose", reason="why not")
    assert answer.status_code == 422
    assert "Nobody has tried it as it stands" in flat(answer)


async def test_two_people_put_a_candidate_in_force_and_one_takes_it_back(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner, clock: ManualClock
) -> None:
    async with client_as("analyst", language="en") as one, client_as("admin", language="en") as other:
        address = await begun(one)
        await change(one, desk, address, {"set:budget.watch": "28"})
        await tried(one, desk, address)
        assert (await send(one, f"{address}/propose", reason="Lubrizol")).status_code == 303
        known = await the_candidate(desk, address)
        alone = await send(one, f"{address}/approve", text_id=known.text_id)
        assert "You have proposed it: somebody else approves it." in flat(alone)
        clock.advance(timedelta(minutes=1))
        assert (await send(other, f"{address}/approve", text_id=known.text_id)).status_code == 303
        holds = await promoting.in_force(desk)
        assert (holds.name, holds.version, holds.toml) == ("city", "2.1", known.toml)
        page = flat(await one.get("/tuning"))
        assert "proposed by astreinte (analyst), approved by astreinte (admin)" in page
        assert "The broker does not have this change yet" in page
        assert (await the_candidate(desk, address)).state == "promoted"
        clock.advance(timedelta(minutes=1))
        await take(desk.engine, [an_alert(profile="city/2.1", raised_at=clock.now())], clock.now())
        [said] = await saying.waiting(desk.engine)
        assert isinstance(said.record, ProfileChange)
        await saying.sent(desk.engine, [said.sequence])
        assert "Workers decide by it" in flat(await one.get("/tuning"))
        assert (await send(one, "/tuning/back", to="")).status_code == 303
        assert (await promoting.in_force(desk)).toml == CITY
        assert (await send(one, "/tuning/back", to=said.record.change_id)).status_code == 303
        assert (await promoting.in_force(desk)).version == "2.1"
    changes = [said.record for said in await saying.waiting(desk.engine)]
    assert [(one.is_back, one.reason) for one in changes if isinstance(one, ProfileChange)] == [
        (True, "rétabli par astreinte (analyst)"),
        (False, "rétabli par astreinte (analyst)"),
    ]
    assert [one.action for one in await audit.entries(desk.engine)][:4] == [
        "profile_back",
        "profile_back",
        "profile_promoted",
        "profile_proposed",
    ]
    assert await audit.broken_at(desk.engine) is None


async def test_what_the_settings_do_not_fit_any_more_does_not_return(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner, clock: ManualClock
) -> None:
    old = CITY.replace('version = "2"', 'version = "1"').replace(', "other"]', "]")
    fields: dict[str, Any] = {"proposed_by": "a", "approved_by": "b", "decided_at": minutes(-9)}
    was = ProfileChange(change_id="was", name="city", version="1", toml=old, **fields)
    now = ProfileChange(change_id="now", name="", version="", toml="", **{**fields, "decided_at": minutes(-8)})
    await take(desk.engine, [was, now], clock.now())
    async with client_as("analyst", language="en") as client:
        answer = await send(client, "/tuning/back", to="was")
    assert answer.status_code == 422
    assert "Its text cannot be put in force" in flat(answer)
    assert await saying.waiting(desk.engine) == []


async def test_what_is_worse_is_said_to_be_worse_and_wanted_knowingly(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner
) -> None:
    tuner.minutes = -10.0
    async with client_as("analyst", language="en") as one, client_as("admin", language="en") as other:
        address = await begun(one)
        await change(one, desk, address, {"set:budget.watch": "7"})
        path = await tried(one, desk, address)
        page = flat(await one.get(path))
        assert "Worse: the profile in force does better" in page
        assert "Lubrizol: watch 10 min later" in page
        assert "the profile in force takes 20 min at 0.5 times its budget, the candidate 30 min" in page
        assert "<strong>Worse:" in flat(await one.get(address))
        without = await send(one, f"{address}/propose", reason=" ")
        assert "say why it is wanted all the same" in flat(without)
        await send(one, f"{address}/propose", reason="fewer of them at night")
        known = await the_candidate(desk, address)
        unread = await send(other, f"{address}/approve", text_id=known.text_id)
        assert unread.status_code == 422
        assert "say that you have seen the figures" in flat(unread)
        assert (await promoting.in_force(desk)).version == "2"
        assert (await send(other, f"{address}/approve", text_id=known.text_id, knows="1")).status_code == 303
    [promoted] = await promoting.history(desk.engine)
    assert (promoted.verdict, promoted.change.reason) == ("worse", "fewer of them at night")


async def test_a_proposal_that_is_changed_is_none_any_more(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner
) -> None:
    async with client_as("analyst", language="en") as one, client_as("admin", language="en") as other:
        address = await begun(one)
        await change(one, desk, address, {"set:budget.watch": "28"})
        await tried(one, desk, address)
        await send(one, f"{address}/propose", reason="")
        seen = (await the_candidate(desk, address)).text_id
        await change(one, desk, address, {"set:budget.watch": "500"})
        answer = await send(other, f"{address}/approve", text_id=seen)
    assert answer.status_code == 422
    assert (await promoting.in_force(desk)).version == "2"


async def test_of_two_that_are_approved_at_once_one_was_tried_beside_what_holds_no_more(
    desk: Desk, tuner: AgreedTuner
) -> None:
    analyst, admin = Visitor(name="analyste", role="analyst"), Visitor(name="cadre", role="admin")
    known = []
    for version in ("2.1", "2.2"):
        toml = changed(CITY, {"version": version, "budget.watch": 28.0})
        await candidates.make(desk, analyst, candidate_id=version, toml=toml, based_on="city/2")
        one = await the_candidate(desk, version)
        asked = TrialAsked(in_force=CITY, candidate=toml, scenarios=("two_fires",))
        await trials.ask(desk, analyst, trial_id=version, candidate=one, asked=asked)
        assert await trials.begin(desk.engine, version)
        await trials.end(desk.engine, version, a_trial(asked, quicker=6.0), desk.clock.now())
        await promoting.propose(desk, analyst, one, "")
        known.append(await the_candidate(desk, version))
    approving = [promoting.approve(desk, admin, one, knows_worse=False) for one in known]
    done = await asyncio.gather(*approving, return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["ProfileChange", "Unfit"]
    assert len(await promoting.history(desk.engine)) == 1


async def test_a_change_that_came_on_the_topic_holds_and_is_known_once(desk: Desk, tuner: AgreedTuner) -> None:
    text = CITY.replace('version = "2"', 'version = "7"')
    fields: dict[str, Any] = {"name": "city", "version": "7", "toml": text, "proposed_by": "a", "approved_by": "b"}
    change = ProfileChange(change_id="elsewhere", decided_at=minutes(1), **fields)
    for _ in range(2):
        await take(desk.engine, [change], minutes(2))
    assert (await promoting.in_force(desk)).version == "7"
    assert len(await promoting.history(desk.engine)) == 1
    [line] = await audit.entries(desk.engine)
    assert (line.actor, line.action, line.detail["approved_by"]) == ("vigie", "profile_heard_of", "b")
    assert change in await saying.said_since(desk.engine, minutes(500), minutes(600))


async def test_a_shadow_decides_beside_and_tells_nobody(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner, clock: ManualClock
) -> None:
    clock.at = minutes(-120)
    async with client_as("analyst", language="en") as client:
        address = await begun(client)
        answer = await send(client, f"{address}/shadows", days="1", nonce="s1")
        path = answer.headers["location"]
        shadow_id = path.rpartition("/")[2]
        clock.at = minutes(-30)
        real = an_alert(incident_id="fire-true", raised_at=minutes(-30), onset=minutes(-60))
        await take(desk.engine, [real, an_alert(incident_id="fire-real", onset=minutes(-50))], clock.now())

        async def is_known() -> bool:
            return any(one.state == "done" for one in await trials.of_shadow(desk.engine, shadow_id))

        async with at_work(desk):
            await until(is_known)
        page = flat(await client.get(path))
        assert "In the shadow of the live profile" in page
        assert page.count('<th scope="row">') == 3, "the false one, the true one, and one that only the live one told"
        assert (await trials.of_candidate(desk.engine, address.rpartition("/")[2])) == []
        refused = await send(client, f"{address}/propose", reason="it was in the shadow")
        assert "Nobody has tried it as it stands" in flat(refused)
        clock.at = minutes(24 * 60)

        async def is_over() -> bool:
            found = await shadows.shadow(desk.engine, shadow_id)
            return found is not None and found.state == "over"

        async with at_work(desk):
            await until(is_over)
    assert [said.kind for said in await saying.waiting(desk.engine)] == []
    assert tuner.asked[0].since == minutes(-120) - shadows.WARM_UP


async def test_a_text_that_was_made_to_hurt_is_refused(
    client_as: Callable[..., Any], desk: Desk, tuner: AgreedTuner
) -> None:
    async with client_as("analyst", language="en") as client:
        address = await begun(client)
        for text in ("x" * 40_000, "a." * 15_000 + "a = 1", "a = " + "[" * 20_000, f"name = '{HOSTILE}'"):
            answer = await change(client, desk, address, {"toml": text})
            assert answer.status_code == 422
            assert HOSTILE not in answer.text
        text = CITY.replace('name = "city"', f"name = '{HOSTILE}'")
        assert (await change(client, desk, address, {"toml": text})).status_code == 303
        for page in (await client.get(address), await client.get("/tuning")):
            assert page.status_code == 200
            assert HOSTILE not in page.text


async def test_without_a_bench_the_page_shows_and_tries_nothing(client_as: Callable[..., Any], desk: Desk) -> None:
    async with client_as("analyst", language="en") as client:
        page = flat(await client.get("/tuning"))
    assert "This console shows profiles, and cannot try any." in page
    assert not re.search(r'action="/tuning/candidates"', page)
