"""Reports: what somebody trusted states is believed as stated, whatever words he found for it."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from console.catalogue import Language
from console.reports.intake import HAZARDS, WHATS, Told, What, post_from, taken_back
from console.reports.intake_form import told_from
from detectors.detector import Detector
from detectors.profile import load_profile
from detectors.shelf import Shelf
from models.geoparse import Geoparser
from models.hazard import HazardModel
from models.places import Gazetteer
from records import Alert, Geo, Place, Post, Report, Signal, decode, encode
from records.post import AuthorKind
from records.report import Credibility
from streams.enrich import STATED, Enrich

MakePost = Callable[..., Post]
MakeEnrich = Callable[..., Enrich]
MORNING = datetime(2026, 11, 30, 10, tzinfo=UTC)
GONFREVILLE = Geo(lat=49.505, lon=0.230)


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer()


@pytest.fixture(scope="module")
def real(gazetteer: Gazetteer) -> Enrich:
    """Return the step with the model and the geoparser that Vigie ships."""
    return Enrich(
        reader=HazardModel.load(),
        locator=Geoparser(gazetteer),
        hazards=frozenset({"fire", "flood", "industrial", "other"}),
        source_places={},
    )


@pytest.fixture
def report(post: MakePost) -> MakePost:
    def made(text: str, stated: Report, number: int = 0, **fields: object) -> Post:
        given = {"source": "intake", "platform": "vigie", "lang": "fr", "is_trusted": True, "rule_tags": stated.tags}
        return post(text, number, **{**given, **fields})

    return made


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("", id="no word"),
        pytest.param("...", id="nothing to read"),
        pytest.param("ça crame grave derrière chez nous", id="plain words"),
        pytest.param("rien à signaler de plus", id="words of something else"),
        pytest.param("ce n'est pas un exercice, pas d'explosion, pas de blessé", id="words of a denial"),
        pytest.param("message relayé par le standard, via @quelquun", id="words of a relay"),
        pytest.param("l'eau monte dans la rue, inondation", id="another hazard besides"),
        pytest.param("<script>alert(1)</script> 🔥" * 20, id="hostile"),
        pytest.param("Feuer hinter dem Haus, alles brennt", id="another language"),
    ],
)
def test_a_report_of_fire_in_any_words_is_a_signal_of_fire_at_its_place(
    words: str, real: Enrich, report: MakePost
) -> None:
    [result] = real([report(words, Report("fire", "high", is_first_hand=True), geo=GONFREVILLE)])
    [signal] = result.signals
    assert (signal.hazard, signal.place.name, signal.place.source) == ("fire", "Gonfreville-l'Orcher", "geotag")
    assert (signal.actuality, signal.is_denial, signal.is_relay) == ("now", False, False)
    assert signal.witness_probability > 0.9


def test_a_point_that_was_chosen_goes_before_a_name_in_the_words(real: Enrich, report: MakePost) -> None:
    [result] = real([report("Incendie, vu depuis Le Havre", Report("fire"), geo=GONFREVILLE)])
    assert [place.name for place in (result.signals[0].place, *result.signals[0].candidates)] == [
        "Gonfreville-l'Orcher",
        "Le Havre",
    ]


@pytest.mark.parametrize(
    ("credibility", "level"),
    [
        pytest.param("high", ["watch"], id="sure: a watch at once"),
        pytest.param("medium", ["watch"], id="likely: a watch at once"),
        pytest.param("low", [], id="doubtful: it counts, and opens nothing by itself"),
    ],
)
@pytest.mark.parametrize("kind", ["person", "volunteer"])
def test_one_report_raises_a_watch_unless_it_is_doubtful(
    credibility: Credibility, level: list[str], kind: AuthorKind, real: Enrich, report: MakePost, gazetteer: Gazetteer
) -> None:
    [result] = real([report("Incendie", Report("fire", credibility), author_kind=kind, geo=GONFREVILLE)])
    alerts = _observed(gazetteer, result.signals)
    assert [alert.level for alert in alerts] == level
    assert result.signals[0].likelihood_ratio == STATED[credibility][1]


def test_a_report_of_staff_is_no_official_word(real: Enrich, report: MakePost, gazetteer: Gazetteer) -> None:
    [result] = real([report("Incendie", Report("fire", "high"), author_kind="person", geo=GONFREVILLE)])
    [alert] = _observed(gazetteer, result.signals)
    assert "no_official_word" in alert.unknowns


def test_two_who_fill_in_the_same_are_two(real: Enrich, report: MakePost, gazetteer: Gazetteer) -> None:
    text = "Incendie au Havre. (Saisi à la main ; vu par : un appelant.)"
    results = real([report(text, Report("fire"), number, geo=GONFREVILLE) for number in (1, 2)])
    alerts = _observed(gazetteer, [result.signals[0] for result in results])
    assert (alerts[-1].authors, alerts[-1].copies, alerts[-1].level) == (2, 0, "alert")


def test_one_who_fills_in_twice_is_one(real: Enrich, report: MakePost, gazetteer: Gazetteer) -> None:
    results = real([report("Incendie", Report("fire"), number, geo=GONFREVILLE, author_id="a") for number in (1, 2)])
    alerts = _observed(gazetteer, [result.signals[0] for result in results])
    assert (alerts[-1].authors, alerts[-1].level) == (1, "watch")


@pytest.mark.parametrize(
    ("kind", "tier"),
    [pytest.param("volunteer", 1, id="a volunteer: established"), pytest.param("person", 2, id="staff: trusted")],
)
def test_a_trusted_volunteer_is_no_authority(kind: AuthorKind, tier: int, report: MakePost, enrich: MakeEnrich) -> None:
    [result] = enrich()([report("@", Report("fire"), author_kind=kind)])
    assert result.signals[0].author_tier == tier


def test_what_a_stranger_s_post_bears_as_tags_states_nothing(report: MakePost, enrich: MakeEnrich) -> None:
    [result] = enrich()([report("bonjour @", Report("fire"), is_trusted=False)])
    assert result.outcome == "no_hazard"


def test_a_stated_hazard_that_nobody_watches_gives_no_signal(report: MakePost, enrich: MakeEnrich) -> None:
    [result] = enrich(hazards="flood")([report("flood=0.9 @", Report("fire"))])
    assert result.outcome == "no_hazard"


def _observed(gazetteer: Gazetteer, signals: list[Signal] | tuple[Signal, ...]) -> list[Alert]:
    """Return what the detectors of a city make of signals."""
    detector = Detector(load_profile("city", gazetteer.home_place("76351")), gazetteer.wide_places())
    shelf = Shelf({})
    return [alert for signal in signals for alert in detector.observe(signal, shelf)]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("what", WHATS)
def test_whatever_the_form_takes_is_a_signal_of_its_hazard_at_its_place(
    what: What, language: Language, real: Enrich
) -> None:
    fields = {
        "report_id": "0123456789abcdef",
        "what": what,
        "words": "zzz" if what == "other" else "",
        "lat": "49.505",
        "lon": "0.230",
        "seen_by": "caller",
    }
    told = told_from(fields, now=MORNING, zone=ZoneInfo("Europe/Paris"), find_place=lambda _: ())
    assert isinstance(told, Told)
    post = post_from(told, post_id="r1", author_id="a1", role="operator", language=language, now=MORNING)
    [result] = real([decode(encode(post), Post)])
    [signal] = result.signals
    assert (signal.hazard, signal.place.name, signal.language) == (HAZARDS[what], "Gonfreville-l'Orcher", language)


def test_a_place_that_was_typed_is_found_again_in_the_post(real: Enrich, gazetteer: Gazetteer) -> None:
    def find_place(name: str) -> list[Place]:
        return real.locator.locate(name, lang="fr")

    fields = {"report_id": "0123456789abcdef", "what": "flood", "place": "Auch", "seen_by": "colleague"}
    told = told_from(fields, now=MORNING, zone=ZoneInfo("Europe/Paris"), find_place=find_place)
    assert isinstance(told, Told)
    post = post_from(told, post_id="r1", author_id="a1", role="operator", language="fr", now=MORNING)
    [result] = real([post])
    assert (result.signals[0].hazard, result.signals[0].place.insee) == ("flood", "32013")


def test_what_is_taken_back_is_retracted(real: Enrich) -> None:
    [result] = real([taken_back("r1", author_id="a1", now=MORNING)])
    assert result.retraction is not None
    assert (result.outcome, result.retraction.post_key) == ("delete", "vigie:r1")
