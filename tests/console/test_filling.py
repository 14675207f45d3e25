"""Filling: only what is confirmed; what is missing stays visible, and nobody can sign it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.messages.facts import Fact, clock_from, facts_from_alert, facts_from_bulletin, facts_of_the_clock, typed
from console.messages.filling import Filled, contracted, fill
from console.messages.map_files import shipped_map
from console.messages.message_map import Message, MessageMap, Texts
from console.messages.signed import NotSignable, sign
from records import Alert, Bulletin, Context

MakesAlert = Callable[..., Alert]

PARIS = ZoneInfo("Europe/Paris")
AT = datetime(2012, 1, 30, 8, 0, tzinfo=UTC)
PLACEHOLDERS = shipped_map().placeholders
MESSAGES = sorted(shipped_map().messages.values(), key=lambda message: message.id)
FACT_NAMES = sorted(name for name, one in PLACEHOLDERS.items() if one.is_fact)
VALUES = {"clock": "14:30", "number": "12", "phone": "01 99 00 00 00", "place": "Le Havre", "text": "ce que l'on sait"}


def all_typed(message: Message) -> list[Fact]:
    return [typed(name, VALUES[PLACEHOLDERS[name].kind]) for name in message.placeholders]


def message_with(text: str) -> Message:
    texts = Texts(sms=text, long=text)
    return Message(id="m", situation="fire", stage="confirmed", audience="staff", fr=texts, en=texts)


def text_of(filled: Filled, language: str = "fr", channel: str = "long") -> str:
    return next(one.text for one in filled.texts if (one.language, one.channel) == (language, channel))


def secret(name: str, origin: str, *, is_confirmed: bool) -> Fact:
    value = f"SECRET {name}"[: PLACEHOLDERS[name].most]
    assert origin in ("alert", "bulletin")
    return Fact(
        name, {"fr": value, "en": value}, "alert" if origin == "alert" else "bulletin", is_confirmed=is_confirmed
    )


@given(
    st.sampled_from(MESSAGES),
    st.lists(st.tuples(st.sampled_from(FACT_NAMES), st.sampled_from(["alert", "bulletin"])), max_size=12),
    st.booleans(),
)
def test_what_is_not_confirmed_is_in_no_text(
    message: Message, unconfirmed: list[tuple[str, str]], has_typed: bool
) -> None:
    facts = [secret(name, origin, is_confirmed=False) for name, origin in unconfirmed]
    filled = fill(message, [*facts, *(all_typed(message) if has_typed else ())], PLACEHOLDERS)
    assert not any("SECRET" in words.text for words in filled.texts)
    assert filled.is_ready == (has_typed or not message.placeholders)


@given(st.sampled_from(MESSAGES), st.data())
def test_filling_is_idempotent_and_takes_facts_in_any_order(message: Message, data: st.DataObject) -> None:
    given_facts = data.draw(st.lists(st.sampled_from(all_typed(message) or [typed("place", "x")]), max_size=8))
    once = fill(message, given_facts, PLACEHOLDERS)
    assert fill(message, [*reversed(given_facts), *given_facts], PLACEHOLDERS).texts == once.texts
    for words in once.texts:
        again = fill(message_with(words.text), given_facts, PLACEHOLDERS)
        assert text_of(again, words.language) == words.text.strip()
    assert {one.name for one in once.missing} == set(message.placeholders) - {fact.name for fact in given_facts}


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_is_typed_no_text_gets_too_long_or_leaves_the_alphabet_and_stays_ready(road: str, place: str) -> None:
    message = shipped_map().messages["fire-evacuation-population"]
    others = [fact for fact in all_typed(message) if fact.name not in ("road", "place")]
    facts = [*others, typed("road", road), typed("place", place)]
    filled = fill(message, facts, PLACEHOLDERS)
    assert filled.is_ready or filled.missing
    assert not any("{" in words.text for words in filled.texts)


def test_a_blank_is_seen_in_both_languages_and_named(shipped: MessageMap) -> None:
    filled = fill(message_with("Partez par {road}."), (), shipped.placeholders)
    assert text_of(filled) == "Partez par […à compléter : rue]."
    assert text_of(filled, "en") == "Partez par […to fill in: street]."
    assert not filled.is_ready
    assert [(one.name, one.called["fr"], one.why) for one in filled.missing] == [("road", "rue", "not_given")]


@pytest.mark.parametrize(
    ("name", "facts", "why"),
    [
        ("place", [], "not_given"),
        ("place", [typed("place", "   ")], "not_given"),
        ("place", [secret("place", "alert", is_confirmed=False)], "not_confirmed"),
        ("place", [typed("place", "x" * 31)], "too_long"),
        ("place", [typed("place", "œ" * 16)], "too_long"),
        ("place", [typed("place", "Пожар")], "bad_characters"),
        ("place", [typed("place", "{road}")], "bad_characters"),
        ("ended", [typed("ended", "ce soir")], "no_clock"),
        ("ended", [typed("ended", "25:00")], "no_clock"),
        ("duty_number", [typed("duty_number", "la cellule")], "no_number"),
        ("nobody_knows", [typed("nobody_knows", "x")], "unknown"),
    ],
)
def test_why_something_is_missing(name: str, facts: list[Fact], why: str) -> None:
    filled = fill(message_with(f"{{{name}}}"), facts, PLACEHOLDERS)
    assert [one.why for one in filled.missing] == [why]


def test_two_official_statements_that_differ_fill_nothing(shipped: MessageMap) -> None:
    facts = [
        Fact("site", {"fr": one, "en": one}, "bulletin", is_confirmed=True, stated_by=one) for one in ("Nord", "Sud")
    ]
    message = message_with("{site}")
    assert [one.why for one in fill(message, facts, shipped.placeholders).missing] == ["statements_differ"]
    assert text_of(fill(message, [*facts, typed("site", "Ouest")], shipped.placeholders)) == "Ouest"


def test_what_a_person_types_goes_before_what_the_alert_says(alert_with: MakesAlert) -> None:
    facts = facts_from_alert(alert_with(level="confirmed", certainty="Observed"), PLACEHOLDERS, PARIS)
    message = message_with("Feu à {place}, depuis {since}.")
    assert text_of(fill(message, facts, PLACEHOLDERS)) == "Feu au Havre, depuis 08h37."
    typed_over = fill(message, [*facts, typed("place", "Harfleur")], PLACEHOLDERS)
    assert text_of(typed_over) == "Feu à Harfleur, depuis 08h37."
    assert text_of(typed_over, "en") == "Feu à Harfleur, depuis 08:37."


@pytest.mark.parametrize("level", ["signal", "watch", "alert", "monitoring", "resolved", "rejected"])
def test_what_an_unconfirmed_alert_says_is_said_as_reported_only(level: str, alert_with: MakesAlert) -> None:
    facts = facts_from_alert(alert_with(level=level), PLACEHOLDERS, PARIS)
    filled = fill(message_with("{place} {hazard} {since} | {reported_place} {reports}"), facts, PLACEHOLDERS)
    assert text_of(filled).endswith("| Le Havre 1")
    assert {one.why for one in filled.missing} == {"not_confirmed"}


def test_an_uncertain_place_stays_a_blank_though_the_incident_is_confirmed(alert_with: MakesAlert) -> None:
    alert = alert_with(level="confirmed", certainty="Observed", unknowns=("place_uncertain",))
    filled = fill(
        message_with("{place} {commune} {hazard}"), facts_from_alert(alert, PLACEHOLDERS, PARIS), PLACEHOLDERS
    )
    assert [one.name for one in filled.missing] == ["place", "commune"]
    assert "incendie" in text_of(filled)


def test_what_was_confirmed_stays_so_when_it_falls_quiet(alert_with: MakesAlert) -> None:
    alert = alert_with(level="resolved", certainty="Observed")
    filled = fill(message_with("{place}"), facts_from_alert(alert, PLACEHOLDERS, PARIS), PLACEHOLDERS)
    assert filled.is_ready


def test_an_official_bulletin_speaks_for_itself_only() -> None:
    bulletin = Bulletin(
        bulletin_id="notices:1",
        source="notices",
        kind="operator_notice",
        area="76",
        issued_at=AT,
        received_at=AT,
        text="Torche",
        starts_at=AT,
        ends_at=AT + timedelta(days=1),
    )
    facts = facts_from_bulletin(bulletin, PLACEHOLDERS, PARIS)
    assert {(fact.name, fact.value["fr"]) for fact in facts} == {
        ("announced_start", "09h00"),
        ("announced_end", "le 31/01 à 09h00"),
    }
    assert all(fact.is_confirmed and fact.stated_by == "notices" for fact in facts)
    filled = fill(message_with("{place} {cause}"), facts, PLACEHOLDERS)
    assert len(filled.missing) == 2


def test_a_warning_beside_an_alert_names_its_service_and_a_source_without_a_name_fills_nothing(
    alert_with: MakesAlert, notice: Context
) -> None:
    warning = Context(bulletin_id="v:1", source="vigicrues", kind="vigilance", text="orange", issued_at=AT)
    other = Context(bulletin_id="v:2", source="my-feed", kind="vigilance", text="orange", issued_at=AT)
    alert = alert_with(hazard="flood", context=(warning, other, notice))
    facts = [fact for fact in facts_from_alert(alert, PLACEHOLDERS, PARIS) if fact.origin == "bulletin"]
    assert [(fact.name, fact.value["fr"]) for fact in facts] == [("warning_source", "Vigicrues")]


def test_the_hour_of_the_message_is_that_of_the_wall() -> None:
    filled = fill(message_with("{hour}"), facts_of_the_clock(AT, PLACEHOLDERS, PARIS), PLACEHOLDERS)
    assert (text_of(filled), text_of(filled, "en")) == ("09h00", "09:00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[("14:30", "14h30"), ("14h30", "14h30"), ("14 h 30", "14h30"), ("9h", "09h00")],
        *((text, None) for text in ("24:00", "x", "14", "1:2:3", ":30", "²:30")),
    ],
)
def test_an_hour_may_be_typed_in_several_ways(text: str, expected: str | None) -> None:
    found = clock_from(text)
    assert (found["fr"] if found else None) == expected


@pytest.mark.parametrize(
    ("before", "name", "expected"),
    [
        ("commune de ", "Le Havre", "commune du Havre"),
        ("feu à ", "Le Havre", "feu au Havre"),
        ("feu à ", "Les Neiges", "feu aux Neiges"),
        ("quartier de ", "Les Neiges", "quartier des Neiges"),
        ("commune de ", "Étretat", "commune d'Étretat"),
        ("commune de ", "La Cerlangue", "commune de La Cerlangue"),
        ("secteur ", "Le Havre", "secteur Le Havre"),
        ("monde ", "Le Havre", "monde Le Havre"),
        ("", "Le Havre", "Le Havre"),
    ],
)
def test_french_words_join_with_the_names_of_places(before: str, name: str, expected: str) -> None:
    assert contracted(before, name) == expected


def test_names_lose_the_accents_that_an_sms_lacks_and_no_other() -> None:
    filled = fill(message_with("{place}"), [typed("place", "Forêt d'Œuilly-lès-Arçais")], PLACEHOLDERS)
    assert text_of(filled, channel="sms") == "Foret d'OEuilly-lès-Arcais"
    assert text_of(filled) == "Forêt d'Œuilly-lès-Arçais"


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.id)
def test_what_is_complete_can_be_signed_and_says_who_and_when(message: Message, shipped: MessageMap) -> None:
    filled = fill(message, all_typed(message), PLACEHOLDERS)
    signed = sign(filled, signed_by=" astreinte ", signed_at=AT, map_version=shipped.version, incident_id="fire-1")
    assert (signed.message_id, signed.signed_by, signed.signed_at) == (message.id, "astreinte", AT)
    assert [one.text for one in signed.texts] == [one.text for one in filled.texts]
    assert {one.name for one in signed.facts} == set(message.placeholders)
    assert {one.origin for one in signed.facts} <= {"person"}


@pytest.mark.parametrize(
    ("text", "signed_by", "at", "expected"),
    [
        ("{place}", "astreinte", AT, "m: place to be filled in; give what is confirmed, or wait"),
        ("x", " ", AT, "m: nobody signs it; give the role or account that answers for it"),
        ("x", "astreinte", AT.replace(tzinfo=None), "m: signed_at has no zone; give the moment with one"),
        ("x" * 500, "astreinte", AT, "m: a text is too long for its channel; shorten it in the map"),
    ],
)
def test_what_cannot_be_signed(text: str, signed_by: str, at: datetime, expected: str) -> None:
    with pytest.raises(NotSignable) as refused:
        sign(fill(message_with(text), (), PLACEHOLDERS), signed_by=signed_by, signed_at=at, map_version="1")
    assert str(refused.value) == expected
