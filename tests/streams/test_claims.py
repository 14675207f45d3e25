"""Claims: what posts say is needed or offered goes on with its place, and leaves when the post does."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from models.solidarity import Solidarity
from records import Claim, Place, Post
from streams.claims import Claiming, answered_by, changes
from streams.enrich import Enrich, Enriched

MakePost = Callable[..., Post]
NEED = "Besoin d'un hébergement pour 4 personnes @"


class Counting:
    """A stub of the geoparser that counts: every text with an `@` speaks of its place."""

    version = "counting/1"

    def __init__(self, place: Place) -> None:
        self.place = place
        self.said: list[Any] = []

    def locate(self, text: str, *, lang: str | None = None, geo: object = None, said: Any = None) -> list[Place]:
        self.said.append(said)
        return [self.place] if "@" in text else []


@pytest.fixture
def locator(place: Place) -> Counting:
    return Counting(place)


@pytest.fixture
def step(enrich: Callable[..., Enrich], locator: Counting) -> Callable[..., list[Enriched]]:
    """Return the step, reading claims, over a few posts."""

    def run(*posts: Post, **fields: Any) -> list[Enriched]:
        made = enrich(**fields)
        return Enrich(
            reader=made.reader,
            locator=locator,
            hazards=made.hazards,
            source_places=made.source_places,
            claiming=Claiming(Solidarity()),
        )(posts)

    return run


def kinds(claims: tuple[Claim, ...]) -> list[str]:
    return [f"{claim.kind}/{claim.thing}{'!' * claim.is_closed}" for claim in claims]


def test_a_post_that_says_nothing_of_a_hazard_may_claim_and_is_still_no_signal(
    step: Any, post: MakePost, place: Place, locator: Counting
) -> None:
    [result] = step(post(NEED, url="https://example.org/p0", platform="facebook"))
    assert (result.outcome, result.signals) == ("no_hazard", ())
    (claim,) = result.claims
    assert (claim.key, claim.place, claim.area) == ("facebook:p0/need/shelter", place, "76")
    assert (claim.quantity, claim.measure, claim.url) == (4, "4 personnes", "https://example.org/p0")
    assert (claim.source, claim.platform, claim.version) == ("stub", "facebook", Solidarity.version)
    assert locator.said == [None], "it votes for no place of a hazard"


def test_a_post_that_is_a_signal_too_is_placed_once(step: Any, post: MakePost, locator: Counting) -> None:
    [result] = step(post(f"fire=0.9 {NEED}"))
    assert (len(result.signals), kinds(result.claims)) == (1, ["need/shelter"])
    assert len(locator.said) == 1


def test_a_post_that_claims_nothing_is_not_placed_for_it(step: Any, post: MakePost, locator: Counting) -> None:
    [result] = step(post("joyeux anniversaire @"))
    assert (result.claims, locator.said) == ((), [])


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        pytest.param(NEED, {"repost_of": "p9"}, id="repost"),
        pytest.param(NEED, {"quote_of": "p9"}, id="quote"),
        pytest.param(f"RT @mairie: {NEED}", {}, id="copied by hand"),
        pytest.param(NEED, {"verb": "delete"}, id="deletion"),
        pytest.param("J'ai entendu dire qu'il faudrait peut-être de l'aide", {}, id="not sure"),
    ],
)
def test_what_is_passed_on_or_taken_away_or_unsure_claims_nothing(
    text: str, fields: dict[str, Any], step: Any, post: MakePost
) -> None:
    [result] = step(post(text, **fields))
    assert result.claims == ()


def test_without_a_place_it_belongs_where_its_source_does_or_is_not_kept(
    step: Any, post: MakePost, place: Place
) -> None:
    nowhere = post("Besoin d'un hébergement pour 4 personnes")
    assert step(nowhere)[0].claims == ()
    [result] = step(nowhere, source_places={"stub": place})
    assert [claim.place for claim in result.claims] == [place]


def test_without_a_place_what_closes_something_that_it_answers_is_kept(step: Any, post: MakePost) -> None:
    found = "C'est bon, hébergement trouvé pour la famille, merci"
    assert step(post(found))[0].claims == ()
    [result] = step(post(found, reply_to="p1"))
    (claim,) = result.claims
    assert (claim.is_closed, claim.answers, claim.place, claim.area) == (True, ("stub:p1",), None, "")


def test_whom_it_names_and_how_to_reach_them_is_masked_and_the_author_is_not_there(step: Any, post: MakePost) -> None:
    [result] = step(post(f"{NEED} appelez Sylvie Bernard au 06 12 34 56 78", author_id="pseudonym"))
    (claim,) = result.claims
    assert "Bernard" not in claim.text
    assert "56 78" not in claim.text
    assert "pseudonym" not in repr(claim)


@pytest.mark.parametrize(
    ("fields", "answers"),
    [
        ({}, ()),
        ({"reply_to": "p1", "thread_id": "p1"}, ("stub:p1",)),
        ({"reply_to": "p1", "thread_id": "p0", "platform": "bluesky"}, ("bluesky:p1", "bluesky:p0")),
    ],
)
def test_what_it_answers_is_the_post_before_it_and_the_first(
    fields: dict[str, Any], answers: tuple[str, ...], post: MakePost
) -> None:
    assert answered_by(post(**fields)) == answers


# What a batch changes


def changed(*said: tuple[Post, tuple[Claim, ...]]) -> dict[str, list[str] | None]:
    return {key: kinds(one.claims) if one else None for key, one in changes(said).items()}


@pytest.fixture
def claim(step: Any, post: MakePost) -> Claim:
    found: Claim = step(post(NEED))[0].claims[0]
    return found


def test_a_post_that_never_claimed_anything_changes_nothing(post: MakePost) -> None:
    assert changed((post(), ())) == {}


def test_a_deletion_takes_away_all_that_a_post_may_have_claimed_without_anybody_knowing(post: MakePost) -> None:
    assert changed((post(verb="delete", text=""), ())) == {"stub:p0": None}


def test_an_edit_takes_the_place_of_all_that_was_claimed_before(post: MakePost, claim: Claim) -> None:
    edited = post(verb="update")
    assert changed((edited, ())) == {"stub:p0": None}
    assert changed((edited, (replace(claim, thing="food"),))) == {"stub:p0": ["need/food"]}


def test_the_last_word_of_a_batch_counts(post: MakePost, claim: Claim) -> None:
    said, gone = (post(), (claim,)), (post(verb="delete"), ())
    assert changed(said, gone) == {"stub:p0": None}
    assert changed(gone, said) == {"stub:p0": ["need/shelter"]}


def test_an_author_s_departure_is_followed_by_deletions_and_says_nothing_by_itself(post: MakePost) -> None:
    assert changed((post(verb="purge", text=""), ())) == {}
