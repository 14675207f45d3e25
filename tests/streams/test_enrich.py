"""Enrich: what becomes of a post, and that one that breaks the step costs only itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.reading import PostReading, Reader
from records import BrokenInvariant, Place, Post, words_of
from records.post import Media
from records.retraction import SHOWN
from streams.enrich import Enrich
from streams.shares import begin, placed
from streams.wiring import departed, last_versions

MakePost = Callable[..., Post]
MakeEnrich = Callable[..., Enrich]


@pytest.mark.parametrize(
    ("text", "outcome", "hazards"),
    [
        pytest.param("fire=0.9 @", "signal", ["fire"], id="one danger, one signal"),
        pytest.param("flood=0.4 fire=0.9 @", "signal", ["fire", "flood"], id="a second danger worth its own"),
        pytest.param("fire=0.9 flood=0.2 @", "signal", ["fire"], id="a second danger too faint"),
        pytest.param("fire=0.4 industrial=0.9 @", "signal", ["fire"], id="a burning plant is one happening: a fire"),
        pytest.param("fire=0.02 @", "signal", ["fire"], id="weak, for the control series"),
        pytest.param("fire=0.005 @", "no_hazard", [], id="too weak even for that"),
        pytest.param("joyeux anniversaire @", "no_hazard", [], id="nothing"),
        pytest.param("fire=0.9", "unplaced", [], id="nowhere"),
        pytest.param("", "no_hazard", [], id="empty"),
    ],
)
def test_each_post_ends_in_one_outcome(
    text: str, outcome: str, hazards: list[str], post: MakePost, enrich: MakeEnrich
) -> None:
    [result] = enrich()([post(text)])
    assert (result.outcome, [signal.hazard for signal in result.signals]) == (outcome, hazards)


@pytest.mark.parametrize("verb", ["delete", "purge"])
def test_a_deletion_is_not_read_and_keeps_its_place_among_the_others(
    verb: str, post: MakePost, enrich: MakeEnrich
) -> None:
    results = enrich()([post(number=1), post("boom", number=2, verb=verb), post(number=3)])
    assert [result.outcome for result in results] == ["signal", verb, "signal"]
    assert [signal.post_key for result in results for signal in result.signals] == ["stub:p1", "stub:p3"]


def test_a_hazard_that_nobody_watches_gives_no_signal(post: MakePost, enrich: MakeEnrich) -> None:
    [result] = enrich(hazards="flood")([post("fire=0.9 flood=0.1 @")])
    assert [signal.hazard for signal in result.signals] == ["flood"]


@pytest.mark.parametrize("known_by", ["stub", "*"])
def test_a_post_without_a_place_belongs_where_its_source_does(
    known_by: str, place: Place, post: MakePost, enrich: MakeEnrich
) -> None:
    [result] = enrich(source_places={known_by: place})([post("fire=0.9")])
    assert [signal.place for signal in result.signals] == [place]


@pytest.mark.parametrize(
    ("fields", "tier"),
    [({}, 0), ({"author_kind": "press"}, 1), ({"author_kind": "official"}, 1), ({"is_trusted": True}, 2)],
)
def test_the_author_s_tier_follows_from_kind_and_trust(
    fields: dict[str, object], tier: int, post: MakePost, enrich: MakeEnrich
) -> None:
    [result] = enrich()([post(**fields)])
    assert result.signals[0].author_tier == tier


def test_the_signal_says_who_read_it_and_what_was_attached(post: MakePost, enrich: MakeEnrich) -> None:
    [result] = enrich()([post(media=(Media(type="image"),), repost_of="stub:p9", platform="facebook")])
    signal = result.signals[0]
    assert (signal.versions, signal.has_image, signal.is_relay, signal.platform) == (
        {"hazard": "stub/1", "place": "stub-places/1"},
        True,
        True,
        "facebook",
    )


def test_event_time_of_a_signal_never_lies_in_our_future(post: MakePost, enrich: MakeEnrich) -> None:
    now = post().received_at
    [result] = enrich()([post(posted_at=now + timedelta(days=2))])
    assert result.signals[0].event_time == now


class Ahead:
    """A reader that reads ahead, and says what breaks it only when the readings are fetched."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.version = reader.version
        self.read = reader.read

    def check(self) -> None:
        pass

    def begin(self, texts: Sequence[str], langs: Sequence[str | None]) -> Callable[[], list[PostReading]]:
        asked = (list(texts), list(langs))
        return lambda: self.reader.read(*asked)


TEXTS = st.lists(st.sampled_from(["fire=0.9 @", "fire=0.9", "rien", "boom", "boom @"]), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts=TEXTS, reads_ahead=st.booleans())
def test_a_post_that_breaks_the_step_costs_only_itself(
    texts: list[str], reads_ahead: bool, post: MakePost, enrich: MakeEnrich
) -> None:
    def results_of(posts: list[Any]) -> list[Any]:
        step = enrich()
        if reads_ahead:
            step = replace(step, reader=Ahead(step.reader))
        return placed(step, posts, begin(step, posts)())

    posts = [post(text, number) for number, text in enumerate(texts)]
    results = results_of(posts)
    assert [isinstance(result, Exception) for result in results] == ["boom" in text for text in texts]
    alone = [results_of([one])[0] for one, text in zip(posts, texts, strict=True) if "boom" not in text]
    assert [result for result in results if not isinstance(result, Exception)] == alone


def test_a_broken_invariant_is_let_out(post: MakePost) -> None:
    class Broken:
        def begin(self, posts: object) -> object:
            raise BrokenInvariant("a stub says that our state is wrong")

        def place(self, post: object, reading: object) -> object:
            raise BrokenInvariant("a stub says that our state is wrong")

    with pytest.raises(BrokenInvariant):
        begin(Broken(), [post(), post()])  # type: ignore[arg-type]
    with pytest.raises(BrokenInvariant):
        placed(Broken(), [post()], [None])  # type: ignore[arg-type]


def test_a_post_that_cannot_be_placed_costs_only_itself(post: MakePost) -> None:
    class Fragile:
        def place(self, post: Any, reading: object) -> object:
            if post.text == "boom":
                raise ZeroDivisionError("a stub was told to break")
            return post.text

    posts = [post("a", 1), post("boom", 2), post("b", 3)]
    results: list[Any] = list(placed(Fragile(), posts, [None, None, None]))  # type: ignore[arg-type]
    assert (results[0], results[2]) == ("a", "b")
    assert isinstance(results[1], ZeroDivisionError)


def test_talk_of_a_hazard_elsewhere_is_told_with_each_signal(post: MakePost, enrich: MakeEnrich) -> None:
    step = enrich()
    began = post().posted_at
    for hour in range(48):  # the stub's only place: so it is told as that of another area
        step.chatter.note("fire/FR", "13", f"usual {hour}", (began + timedelta(hours=hour)).timestamp())
    for number in range(90):
        step.chatter.note("fire/FR", "13", f"talk {number}", (began + timedelta(hours=48, seconds=number)).timestamp())
    later = began + timedelta(hours=48, minutes=5)
    [loud] = step([post("fire=0.9 @", 1, posted_at=later, received_at=later)])
    assert loud.signals[0].chatter == pytest.approx((10 + 91) / (10 + 1), rel=0.05)


def test_what_is_deleted_edited_or_left_is_taken_back(post: MakePost, enrich: MakeEnrich) -> None:
    results = enrich()(
        [
            post(number=1),
            post(number=2, verb="update"),
            post(number=3, verb="delete"),
            post(number=4, verb="purge"),
            post(number=5, verb="purge", author_id=""),
        ]
    )
    taken_back = [one and (one.post_key, one.author_id) for one in (result.retraction for result in results)]
    assert taken_back == [None, ("stub:p2", ""), ("stub:p3", ""), ("", "a4"), None]
    assert [len(result.signals) for result in results] == [1, 1, 0, 0, 0]


def test_a_signal_names_no_private_person_and_keeps_its_places(post: MakePost, enrich: MakeEnrich) -> None:
    [result] = enrich()([post("fire=0.9 @ rue Jean Jaurès, dit Mme Lefebvre, 06 12 45 78 90, au Havre")])
    [signal] = result.signals
    assert signal.text == "fire=0.9 @ rue Jean Jaurès, dit Mme […], […], au Havre"


def test_a_name_that_the_cut_would_halve_is_gone(post: MakePost, enrich: MakeEnrich) -> None:
    text = f"fire=0.9 @ {'eau ' * 66}Marie Lambert est sur le toit"
    assert "Mar" in text[:SHOWN]
    assert "Marie Lambert" not in text[:SHOWN]
    [result] = enrich()([post(text)])
    assert "Mar" not in result.signals[0].text


@pytest.mark.parametrize(
    ("before", "after", "stays"),
    [
        pytest.param("fire=0.9 @ dit Mme Lefebvre", "fire=0.9 @ dit Mme Lefebvre", True, id="not a word changed"),
        pytest.param("fire=0.9 @ dit Mme Lefebvre", "fire=0.9 @ dit Mme Martin", True, id="nothing that is shown"),
        pytest.param("fire=0.9 @ dit Mme Lefebvre", "fire=0.9 @ dit la voisine", False, id="other words"),
        pytest.param("fire=0.9 @ dit Mme Lefebvre", "rien, dit Mme Lefebvre", False, id="no danger any more"),
    ],
)
def test_an_edit_takes_back_what_was_shown_and_no_longer_is(
    before: str, after: str, stays: bool, post: MakePost, enrich: MakeEnrich
) -> None:
    said, edited = enrich()([post(before), post(after, verb="update")])
    assert said.retraction is None
    assert edited.retraction is not None
    assert (edited.retraction.unless == words_of(said.signals[0].text[:SHOWN])) is stays


def test_of_a_post_that_a_batch_brings_and_changes_only_the_last_version_is_heard(post: MakePost) -> None:
    posts = [
        post(number=1),
        post(number=2),
        post(number=1, verb="update"),
        post(number=3),
        post(number=3, verb="delete"),
    ]
    is_last = last_versions(posts)
    assert [is_last(number) for number in range(len(posts))] == [False, True, True, False, True]


def test_of_an_author_who_leaves_in_the_batch_that_he_speaks_in_all_is_taken_back_after_it(
    post: MakePost, enrich: MakeEnrich
) -> None:
    posts = [post(number=3), post(number=9, author_id="a3", verb="purge"), post(number=8, author_id="a8", verb="purge")]
    results = enrich()(posts)
    signals = [signal for result in results for signal in result.signals]
    retractions = [result.retraction for result in results if result.retraction]
    assert [one.author_id for one in departed(signals, retractions)] == ["a3"]


CHAIN = (
    "fire=0.9 @ Mon beau-frère travaille à la préfecture, ils n'ont pas le droit de le dire mais il faut partir "
    "maintenant. Faites tourner à tous vos proches."
)
LETTER = "Communiqué de la préfecture : fire=0.9 @ incendie au port, évacuation immédiate"
OLD = "fire=0.9 @ https://journal.example/2009/01/30/explosion"


@pytest.mark.parametrize("kind", ["official", "operator", "press", "person"])
def test_who_should_know_denies_whatever_goes_round(kind: Any, post: MakePost, enrich: MakeEnrich) -> None:
    [result] = enrich()([post("fire=0.0 @ les sirènes ont sonné par erreur", author_kind=kind)])
    denied = {signal.hazard for signal in result.signals if signal.is_denial}
    assert denied == (set(enrich().hazards) if kind in ("official", "operator") else set())


@pytest.mark.parametrize(
    ("text", "more", "doubts", "denies"),
    [
        pytest.param("fire=0.9 @ gros incendie", {}, (), False, id="nothing against it"),
        pytest.param(LETTER, {}, ("false_official",), False, id="speaks as an authority"),
        pytest.param(LETTER, {"author_kind": "official"}, (), False, id="is one"),
        pytest.param(LETTER, {"author_kind": "operator"}, (), False, id="is an operator"),
        pytest.param(LETTER, {"is_trusted": True}, (), False, id="is trusted"),
        pytest.param(LETTER, {"repost_of": "p0"}, (), False, id="passes it on"),
        pytest.param(LETTER, {"quote_of": "p0"}, (), False, id="quotes it"),
        pytest.param(OLD, {}, ("old_link",), False, id="old link"),
        pytest.param(OLD, {"repost_of": "p0"}, ("old_link",), False, id="old link passed on"),
        pytest.param(CHAIN, {}, ("recycled_text",), False, id="known text"),
        pytest.param("fire=0.4 @ fausse alerte, il n'y a pas d'incendie", {}, (), True, id="denies"),
        pytest.param(
            "fire=0.9 @ pas d'explosion, mais fire=0.9 @ un gros incendie", {}, (), False, id="tells of a fire as well"
        ),
        pytest.param("fire=0.9 @ il n'y a pas d'incendie au port", {}, (), True, id="the reader hears no no"),
        pytest.param("fire=0.9 @ pas d'incendie. fire=0.1 @ Bonne nuit", {}, (), True, id="nothing of it besides"),
        pytest.param("RT @prefet fire=0.4 @ fausse alerte", {}, (), True, id="passes a denial on"),
    ],
)
def test_a_signal_says_what_speaks_against_its_post(
    text: str, more: dict[str, Any], doubts: tuple[str, ...], denies: bool, post: MakePost, enrich: MakeEnrich
) -> None:
    [result] = enrich()([post(text, **more)])
    assert [(signal.doubts, signal.is_denial) for signal in result.signals] == [(doubts, denies)]
