"""Near-duplicates: what counts as the same post, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.near_duplicate import content_ids, fingerprint, is_relay

SMOKE = "Gros panache noir au-dessus de la zone industrielle, on ferme les fenêtres à Sandouville"
COPY_BITS = 10
STRANGER_BITS = 16


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(SMOKE, f"RT @estuaire: {SMOKE}", id="retweet prefix"),
        pytest.param(SMOKE, f"{SMOKE} https://t.co/abc", id="link added"),
        pytest.param(SMOKE, SMOKE.replace("Sandouville", "#Sandouville").upper(), id="hashtag and capitals"),
        pytest.param(SMOKE, f"@mairie {SMOKE} !!!", id="mention and punctuation"),
    ],
)
def test_copies_share_their_wording(one: str, other: str) -> None:
    assert content_ids(one)[-1] == content_ids(other)[-1]
    assert fingerprint(one) == fingerprint(other)


def test_numbers_are_part_of_the_wording() -> None:
    assert content_ids("feu de 3 hectares à Vitrolles") != content_ids("feu de 30 hectares à Vitrolles")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("https://www.Ouest-France.fr/a/b/", "http://m.ouest-france.fr/a/b", id="host"),
        pytest.param("https://x.fr/a?utm_source=t&id=3#top", "https://x.fr/a?id=3", id="tracking"),
        pytest.param("voir www.x.fr/a.", "https://x.fr/a", id="no scheme, full stop"),
    ],
)
def test_links_are_compared_plain(one: str, other: str) -> None:
    assert [i for i in content_ids(one) if i[0] == "u"] == [i for i in content_ids(other) if i[0] == "u"]


def test_different_pages_differ() -> None:
    assert content_ids("https://x.fr/a?id=3") != content_ids("https://x.fr/a?id=4")


def test_names_the_repost_and_every_link_once() -> None:
    ids = content_ids("ça brûle https://a.fr/1 https://a.fr/1 https://b.fr", repost_of="mastodon:9")
    assert [i[:2] for i in ids] == ["r:", "u:", "u:"]
    assert ids[0] == "r:mastodon:9"


@pytest.mark.parametrize("text", ["", "au feu", "au feu ici @x https://t.co/1", "!!! ???"])
def test_short_posts_share_nothing_by_wording(text: str) -> None:
    assert not [i for i in content_ids(text) if i[0] == "t"]
    assert fingerprint(text) == 0


def test_small_changes_move_few_bits() -> None:
    changed = SMOKE.replace("noir", "très noir")
    assert (fingerprint(SMOKE) ^ fingerprint(changed)).bit_count() <= COPY_BITS
    stranger = "La Canche passe sur la départementale, deux voitures coincées, demi-tour obligatoire pour tous"
    assert ((fingerprint(SMOKE) ^ fingerprint(stranger)) & (2**64 - 1)).bit_count() >= STRANGER_BITS


def test_the_fingerprint_stays_the_same_between_releases() -> None:
    assert fingerprint("one two three four five six") == fingerprint("One, two: three four FIVE six")
    assert -(2**63) <= fingerprint(SMOKE) < 2**63


@pytest.mark.parametrize(
    ("text", "relayed"),
    [
        pytest.param("RT @sdis76: feu en cours", True, id="RT"),
        pytest.param("mon dieu RT @sdis76 feu en cours", True, id="RT after a comment"),
        pytest.param("Feu à Rouen via @actu76", True, id="via"),
        pytest.param("“@sdis76: feu en cours” courage", True, id="quoted"),
        pytest.param("MT @bbc: flood", True, id="MT"),
        pytest.param("feu en cours rue Thiers", False, id="own words"),
        pytest.param("@sdis76 il y a le feu ici", False, id="addressed"),
        pytest.param("la route via Rouen est coupée", False, id="via a town"),
        pytest.param("article à lire", False, id="rt inside a word"),
    ],
)
def test_knows_a_relay_by_its_wording(text: str, relayed: bool) -> None:
    assert is_relay(text) is relayed


@given(st.text(max_size=500))
def test_any_text_has_a_signed_64_bit_print_and_ids(text: str) -> None:
    assert -(2**63) <= fingerprint(text) < 2**63
    assert all(i[:2] in ("u:", "t:") for i in content_ids(text))
    assert is_relay(text) in (True, False)
