"""The page of the silences: what is held back, by whom, until when; nobody makes one without seeing what it mutes."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from console.archive import audit, looking, saying
from console.archive.taking import take
from console.deciding import silence_conditions as conditions
from console.desk import Desk
from records import ManualClock, Matcher
from tests.console.conftest import CSRF
from tests.console.entering import flat
from tests.console.made import LE_HAVRE, a_silence, an_alert, minutes

HOSTILE = '"><script>alert("x")</script>'
FIRE = {"name": "hazard", "sign": "=", "value": "fire"}
CHECKED = {**FIRE, "minutes": "60", "check": "1"}
MADE = {**FIRE, "minutes": "60", "reason": "exercice du SDIS", "csrf": CSRF, "nonce": "n1"}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        pytest.param("en", "None: everybody is told of everything", id="English"),
        pytest.param("fr", "Aucun : chacun est prévenu de tout", id="French"),
    ],
)
async def test_without_a_silence_the_page_says_so(client_as: Callable[..., Any], language: str, words: str) -> None:
    async with client_as("viewer", language=language) as client:
        page = flat(await client.get("/silences"))
    assert words in page
    assert '<form method="post" action="/silences"' not in page
    assert 'id="make"' not in page  # a viewer makes none


async def test_silences_stand_where_they_belong(client_as: Callable[..., Any], desk: Desk, clock: ManualClock) -> None:
    await take(
        desk.engine,
        [
            a_silence(silence_id="on", reason="is on"),
            a_silence(silence_id="soon", reason="is to come", starts_at=minutes(30)),
            a_silence(silence_id="gone", reason="was", starts_at=minutes(-90), ends_at=minutes(-30)),
            a_silence(silence_id="theirs", reason="of Alertmanager", origin="alertmanager"),
        ],
        clock.now(),
    )
    async with client_as("operator", language="en") as client:
        page = flat(await client.get("/silences"))
    in_force, rest = page.split('id="to-come-title"')
    to_come, rest = rest.split('id="make"')
    over = rest.split('id="over-title"')[1]
    assert all(words in in_force for words in ("is on", "of Alertmanager", "for 1 h 00 more", "Made in alertmanager"))
    assert "is to come" in to_come
    assert "begins in 30 min" in to_come
    assert "was" in over
    assert "/silences/on/end" in in_force
    assert "/silences/theirs/end" not in page
    assert "/silences/gone/end" not in page


async def test_what_it_would_hold_back_is_seen_before_it_is_made(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    flood = an_alert(incident_id="flood-1", hazard="flood", place=replace(LE_HAVRE, name="Sainte-Adresse"))
    await take(desk.engine, [an_alert(), flood], clock.now())
    async with client_as("operator", language="en") as client:
        page = flat(await client.get("/silences", params=CHECKED))
    checked = page.split('id="checked"')[1].split("</form>")[0]
    assert "1 of 2 open incidents, now" in checked
    assert "Le Havre" in checked
    assert "Sainte-Adresse" not in checked
    assert "Silence this for 1 hour" in checked
    assert await looking.silences(desk.engine, clock.now()) == []


async def test_a_silence_is_made_once_and_can_be_taken_back(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    async with client_as("operator") as client:
        answers = [await client.post("/silences", data=MADE) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [303, 303]
        clock.advance(timedelta(minutes=1))
        page = flat(await client.get(answers[0].headers["location"]))
        [made] = await looking.silences(desk.engine, clock.now())
        assert f'action="/silences/{made.silence_id}/end"' in page
        assert made.matchers == (Matcher(name="hazard", value="fire"),)
        assert (made.author, made.reason) == ("astreinte (operator)", "exercice du SDIS")
        assert made.ends_at - made.starts_at == timedelta(hours=1)
        ended = await client.post(f"/silences/{made.silence_id}/end", data={"csrf": CSRF})
        assert ended.status_code == 303
    [over] = await looking.silences(desk.engine, clock.now())
    assert over.ends_at == clock.now()
    actions = [entry.action for entry in await audit.entries(desk.engine)]
    assert actions == ["silence_ended", "silence_made"]
    assert [one.kind for one in await saying.waiting(desk.engine)] == ["silence", "silence"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"value": "flood"}, id="another condition"),
        pytest.param({"minutes": "30"}, id="for another time"),
        pytest.param({"starts": "2012-01-30T20:00"}, id="from another moment"),
        pytest.param({"reason": "essai de sirènes"}, id="for another reason"),
    ],
)
async def test_who_goes_back_and_changes_the_form_makes_another(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock, changes: dict[str, str]
) -> None:
    async with client_as("operator") as client:
        for typed in (MADE, {**MADE, **changes}, {**MADE, **changes}, MADE):
            assert (await client.post("/silences", data=typed)).status_code == 303
    assert len(await looking.silences(desk.engine, clock.now())) == 2


async def test_one_that_has_not_begun_never_does(client_as: Callable[..., Any], desk: Desk, clock: ManualClock) -> None:
    typed = {**MADE, "starts": "2012-01-30T20:00"}
    async with client_as("operator") as client:
        await client.post("/silences", data=typed)
        [made] = await looking.silences(desk.engine, clock.now())
        assert made.starts_at.hour == 19  # of UTC: it was typed on the wall clock
        clock.advance(timedelta(minutes=1))
        await client.post(f"/silences/{made.silence_id}/end", data={"csrf": CSRF})
    [over] = await looking.silences(desk.engine, clock.now())
    assert not over.holds({"hazard": "fire"}, minutes(12 * 60))


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        pytest.param({"name": "", "value": ""}, "name-1", "one condition at least", id="no condition"),
        pytest.param({"name": "author"}, "name-1", "There is no such label", id="a label that is none"),
        pytest.param({"sign": "<"}, "name-1", "no such sign", id="a sign that is none"),
        pytest.param({"value": "earthquake"}, "value-1", "never has this value", id="a value that never is"),
        pytest.param({"sign": "=~", "value": "(a"}, "value-1", "This is no pattern", id="a pattern that is none"),
        pytest.param({"sign": "=~", "value": "(a|b)*c"}, "value-1", "could take for ever", id="a repeated choice"),
        pytest.param({"sign": "=~", "value": "(?:.*)+!"}, "value-1", "could take for ever", id="a repeated repeat"),
        pytest.param({"sign": "=~", "value": ".?" * 30}, "value-1", "could take for ever", id="many that may be"),
        pytest.param({"sign": "=~", "value": "(.|.)" * 4}, "value-1", "could take for ever", id="many choices"),
        pytest.param(
            {"sign": "=~", "value": "(?x)(a+) +"}, "value-1", "special groups", id="blanks that count nothing"
        ),
        pytest.param({"sign": "=~", "value": "(?x:(a+) +)"}, "value-1", "special groups", id="the same in a group"),
        pytest.param({"sign": "=~", "value": "(?#[)(a+)+(?#])"}, "value-1", "special groups", id="comments"),
        pytest.param(
            {"sign": "=~", "value": r"[\][](a+)+]"}, "value-1", "could take for ever", id="brackets in brackets"
        ),
        pytest.param({"name": "place", "value": "x" * 201}, "value-1", "too long", id="a value that is too long"),
        pytest.param({"sign": "=~", "value": ".*"}, "name-1", "hold back everything", id="a pattern for everything"),
        pytest.param({"sign": "!=", "value": "flood"}, "name-1", "hold back everything", id="what also fits nothing"),
        pytest.param({"starts": "tomorrow"}, "starts", "This is no moment", id="a beginning that is none"),
        pytest.param({"starts": "2012-01-30T07:00"}, "starts", "This moment is past", id="a beginning in the past"),
        pytest.param({"starts": "2012-06-30T07:00"}, "starts", "30 days", id="a beginning far ahead"),
        pytest.param({"minutes": "20160"}, "minutes", "a week at most", id="for two weeks"),
        pytest.param({"minutes": "many"}, "minutes", "a week at most", id="for how long is no number"),
        pytest.param({"reason": " "}, "reason", "Say why", id="no reason"),
        pytest.param({"reason": "x" * 301}, "reason", "too long", id="a reason that is too long"),
    ],
)
async def test_what_cannot_be_is_refused_at_its_field(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock, changes: dict[str, str], field: str, words: str
) -> None:
    typed = {**MADE, **changes}
    async with client_as("operator", language="en") as client:
        answer = await client.post("/silences", data=typed)
    page = flat(answer)
    assert answer.status_code == 422
    assert f'<a href="#{field}">' in page
    assert f'aria-describedby="{field}-error"' in page
    assert words in page.split(f'id="{field}-error"')[1].split("</span>")[0]
    assert await looking.silences(desk.engine, clock.now()) == []
    assert await audit.entries(desk.engine) == []


async def test_a_check_of_what_cannot_be_is_refused_too(client_as: Callable[..., Any]) -> None:
    async with client_as("operator", language="en") as client:
        answer = await client.get("/silences", params={**CHECKED, "value": "earthquake"})
    assert answer.status_code == 422
    assert 'id="checked"' not in answer.text


@pytest.mark.parametrize("silence_id", ["theirs", "gone", "never"])
async def test_what_is_not_ours_or_not_in_force_cannot_be_ended(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock, silence_id: str
) -> None:
    over = a_silence(silence_id="gone", starts_at=minutes(-90), ends_at=minutes(-30))
    await take(desk.engine, [a_silence(silence_id="theirs", origin="alertmanager"), over], clock.now())
    async with client_as("operator") as client:
        answer = await client.post(f"/silences/{silence_id}/end", data={"csrf": CSRF})
    assert answer.status_code == 422
    assert await audit.entries(desk.engine) == []


@pytest.mark.parametrize("role", ["viewer", "volunteer", "analyst"])
async def test_who_may_not_decide_makes_and_ends_none(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock, role: str
) -> None:
    await take(desk.engine, [a_silence()], clock.now())
    async with client_as(role) as client:
        answers = [
            await client.post("/silences", data=MADE),
            await client.post("/silences/5f1e0a2b/end", data={"csrf": CSRF}),
        ]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert await looking.silences(desk.engine, clock.now()) == [a_silence()]


async def test_a_form_is_filled_in_again_as_a_silence_was(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    matchers = (
        Matcher(name="place", value="Le Havre|Harfleur", is_regex=True),
        Matcher(name="level", value="alert", is_equal=False),
    )
    over = a_silence(matchers=matchers, starts_at=minutes(-90), ends_at=minutes(-30))
    await take(desk.engine, [over], clock.now())
    async with client_as("operator", language="en") as client:
        page = flat(await client.get("/silences"))
        [address] = re.findall(r'href="(/silences\?[^"]*)#make"', page)
        again = flat(await client.get(address.replace("&amp;", "&")))
    assert 'value="Le Havre|Harfleur"' in again
    assert '<option value="=~" selected>' in again
    assert '<option value="!=" selected>' in again


async def test_what_people_and_posts_say_is_text(client_as: Callable[..., Any], desk: Desk, clock: ManualClock) -> None:
    hostile = a_silence(
        reason=HOSTILE, author=HOSTILE, origin=HOSTILE, matchers=(Matcher(name="place", value=HOSTILE),)
    )
    await take(desk.engine, [hostile, an_alert(place=replace(LE_HAVRE, name=HOSTILE))], clock.now())
    async with client_as("operator") as client:
        page = flat(
            await client.get("/silences", params={**CHECKED, "name": "place", "value": HOSTILE, "reason": HOSTILE})
        )
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    "value", ["76|27", "Le Havre.*", "(76|27).*", r"a\*b\*c\*d\*e", "[*+?{]{3}", "(?:76|27)?1", "(?i)le .*"]
)
def test_a_pattern_as_people_write_it_is_one(value: str) -> None:
    asked = conditions.Asked(rows=(conditions.Row("place", "=~", value),), starts="", minutes="30", reason="")
    [found] = conditions.matchers_from(asked)
    assert isinstance(found, Matcher)
