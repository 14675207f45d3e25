"""Near-duplicates: what counts as the same post, and what does not."""

import pickle
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.near_duplicate import NEAR_BITS, ContentClusters, content_ids, fingerprint, is_relay, passages

SMOKE = "Gros panache noir au-dessus de la zone industrielle, on ferme les fenêtres à Sandouville"
COPY_BITS = 10
PINNED = 4829919812209210983
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
    ids = content_ids("ça brûle https://a.fr/1 https://a.fr/1 https://b.fr/2 https://c.fr", repost_of="mastodon:9")
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
    """It travels in every signal, and workers of two releases must agree on it."""
    assert fingerprint("one two three four five six") == fingerprint("One, two: three four FIVE six") == PINNED


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


def test_a_run_of_spaces_is_read_once() -> None:
    """A post may hold 100,000 of them; read anew from each, they would hold a worker up for half a minute."""
    assert not is_relay("RT" + " " * 100_000 + "x")
    assert is_relay("RT" + " " * 100_000 + ": @sdis76")


@given(st.text(max_size=500))
def test_any_text_has_a_signed_64_bit_print_and_ids(text: str) -> None:
    assert -(2**63) <= fingerprint(text) < 2**63
    assert all(i[:2] in ("u:", "t:") for i in content_ids(text))
    assert is_relay(text) in (True, False)


VITROLLES = "Incendie en cours à Vitrolles, les pompiers demandent d'éviter le secteur des Pinchinades"
TANK = "A tank is burning at the refinery, huge black smoke over the river, stay indoors and close windows"
FLOOD = "River over its banks by the old mill, water is up to the doors in Church Street already"
LONG = (
    "La préfecture demande aux habitants de rester chez eux, de fermer portes et fenêtres, de ne pas téléphoner pour "
    "laisser les lignes libres aux secours et d'écouter la radio locale jusqu'à la fin de l'alerte"
)
SHORT = "ça brûle rue Jules Guesde"


def cluster(clusters: ContentClusters, post_id: str, text: str, *, repost_of: str | None = None) -> str:
    ids = content_ids(text, repost_of=repost_of)
    return clusters.observe(post_id, ids, fingerprint(text), passages=passages(text))


def are_one(one: str, other: str) -> bool:
    clusters = ContentClusters()
    return cluster(clusters, "one", one) == cluster(clusters, "other", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(SMOKE, SMOKE, id="the same"),
        pytest.param(SMOKE, f"{SMOKE} 😱🔥", id="emoji behind"),
        pytest.param(SMOKE, f"🔴 {SMOKE}", id="emoji in front"),
        pytest.param(SMOKE, f"{SMOKE} #LeHavre #incendie", id="hashtags behind"),
        pytest.param(SMOKE, f"#alerte {SMOKE}", id="hashtag in front"),
        pytest.param(SMOKE, f"@prefet76 @mairie {SMOKE}", id="mentions"),
        pytest.param(SMOKE, f"{SMOKE} https://x.fr/1?utm_source=tw", id="link behind"),
        pytest.param(f"{SMOKE} https://x.fr/1", f"{SMOKE} https://x.fr/1?fbclid=9", id="link tracker"),
        pytest.param(SMOKE, f"{SMOKE}…", id="ellipsis"),
        pytest.param(SMOKE, f"RT @estuaire: {SMOKE}", id="RT"),
        pytest.param(SMOKE, f"RT @a: RT @estuaire: {SMOKE}", id="RT of an RT"),
        pytest.param(SMOKE, f"{SMOKE} via @actu76", id="via @"),
        pytest.param(SMOKE, f"{SMOKE} via Estuaire Infos", id="via in words"),
        pytest.param(SMOKE, SMOKE[:60] + "…", id="truncated within a word"),
        pytest.param(LONG, f"RT @prefet: {LONG[:120]}…", id="RT, truncated at 120 letters"),
        pytest.param(LONG, f"RT @prefet: {LONG[:70]}…", id="RT, truncated at 70 letters"),
        pytest.param(SMOKE, f'"{SMOKE}" merci @estuaire', id="quoted, thanks behind"),
        pytest.param(SMOKE, f"👇 {SMOKE}", id="finger"),
        pytest.param(SMOKE, f"Ça va les cousins ? Appelez maman. « {SMOKE} »", id="comment in front"),
        pytest.param(
            SMOKE, f"{SMOKE} Et dire qu'on y était hier avec les enfants, quelle horreur", id="comment behind"
        ),
        pytest.param(f"Bon courage à tous ! {SMOKE}", f"{SMOKE} Quelqu'un sait ce que c'est ?", id="two comments"),
        pytest.param(SMOKE, SMOKE.upper(), id="capitals"),
        pytest.param(SMOKE, SMOKE.replace("é", "e\u0301"), id="letters composed otherwise"),
        pytest.param(SMOKE, SMOKE.replace(", ", " !!! "), id="punctuation"),
        pytest.param(TANK, f"omg RT @bob: {TANK}", id="RT after a comment"),
        pytest.param(TANK, f"{TANK} (from a friend who lives there)", id="from a friend"),
        pytest.param(TANK, f"Stay safe everyone: {TANK}", id="English comment in front"),
        pytest.param(TANK, TANK[:70] + "...", id="three points"),
        pytest.param(TANK, "huge black smoke over the river, stay indoors and close windows", id="beginning cut off"),
        pytest.param(FLOOD, f"“{FLOOD}” prayers for all of you", id="English quote"),
        pytest.param(FLOOD, f"{FLOOD} pic.twitter.example/a1", id="picture link in words"),
        pytest.param(
            "feu ici https://x.fr/a", "la vidéo du voisin https://www.x.fr/a?s=20", id="one link, other words"
        ),
        pytest.param(LONG, LONG.replace("radio locale", "radio"), id="a word left out of a long text"),
        pytest.param(LONG, LONG.replace("portes", "volets"), id="a word changed in a long text"),
        pytest.param(f"{LONG} à Rognac", f"{LONG} à Berre", id="a long text for another town: not a witness's words"),
        pytest.param(f"{LONG} niveau 2", f"{LONG} niveau 3", id="a long text with another number"),
        pytest.param(VITROLLES, VITROLLES.replace("à Vitrolles", "à Marignane"), id="nine words in a row are copied"),
        pytest.param(SHORT, f"RT @lea: {SHORT} !!", id="five words, RT"),
        pytest.param("la Durance déborde ici", "La Durance déborde ici 😳", id="four words, the same"),
    ],
)
def test_a_copy_is_of_its_original_s_cluster_in_either_order(one: str, other: str) -> None:
    assert are_one(one, other)
    assert are_one(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            "ça brûle à Vitrolles, fumée partout", "gros feu côté Vitrolles, on voit des flammes", id="own words"
        ),
        pytest.param("ça brûle à Martigues", "ça brûle à Martigues derrière le stade", id="a short text goes on"),
        pytest.param("ça brûle à Vitrolles", "ça brûle à Rognac", id="four words, another town"),
        pytest.param("il y a le feu à Rouen", "il y a le feu à Dieppe", id="seven words, another town"),
        pytest.param("feu de 3 hectares à Vitrolles", "feu de 30 hectares à Vitrolles", id="another number"),
        pytest.param(
            "Incendie à Vitrolles, évitez le secteur",
            "Incendie à Rognac, évitez le secteur",
            id="six words, another town",
        ),
        pytest.param("flood warning for the River Wharfe", "flood warning for the River Aire", id="another river"),
        pytest.param("M 3.0 quake 14km SSE of Ridgemark", "M 4.5 quake 9km NW of Ridgemark", id="template of quakes"),
        pytest.param("il y a un incendie", "il y a un incendie en cours ici", id="stock phrase"),
        pytest.param("au feu", "au feu", id="two words"),
        pytest.param("ça brûle ici", "ça brûle ici", id="three words are no content"),
        pytest.param("🔥🔥🔥", "🔥🔥🔥", id="no word at all"),
        pytest.param("", "", id="nothing"),
        pytest.param("feu ici https://x.fr/a", "feu ici https://x.fr/b", id="another link"),
        pytest.param(
            "énorme fumée noire vue depuis le pont de Tancarville, quelqu'un sait ce qui brûle ?",
            "depuis le pont de Normandie on voit une colonne de fumée noire, quelqu'un sait ?",
            id="two witnesses of one smoke",
        ),
        pytest.param(
            "la rivière est montée d'un mètre en une heure, le parking du Leclerc est sous l'eau",
            "parking du Leclerc sous l'eau, ma voiture aussi, la rivière n'a jamais été si haute",
            id="two witnesses of one flood",
        ),
        pytest.param(
            "just heard a massive bang from the chemical plant, windows shook",
            "massive bang just now, our windows shook, think it is the chemical plant",
            id="two witnesses of one bang",
        ),
        pytest.param(
            "il y a un incendie en cours dans mon immeuble rue de la Paix, tout le monde dehors",
            "il y a un incendie en cours dans le bois derrière chez nous, les Canadair arrivent",
            id="both begin with a stock phrase",
        ),
        pytest.param(
            "Ewww... what is that smell on Mill Road tonight, the whole bus is holding its nose",
            "ewww... my house is full of smoke, the depot behind us is burning",
            id="no link in Ewww...",
        ),
        pytest.param(
            "fire at the depot, flames over the roof https://t.co/…",
            "cellar under water, the brook is in our kitchen https://t.co/…",
            id="links that a platform cut short",
        ),
        pytest.param(
            "flames over the roof of the depot, more on http://t.c",
            "the brook is in our kitchen, see http://t.c",
            id="what is left of a link",
        ),
        pytest.param(SMOKE, TANK, id="two languages"),
        pytest.param(LONG, FLOOD, id="nothing in common"),
        pytest.param(SMOKE, SMOKE[:25], id="five words left"),
    ],
)
def test_witnesses_are_not_merged_in_either_order(one: str, other: str) -> None:
    assert not are_one(one, other)
    assert not are_one(other, one)


def test_a_cluster_bears_the_name_of_its_first_post_and_keeps_it() -> None:
    clusters = ContentClusters()
    texts = [SMOKE, FLOOD, f"RT @x: {SMOKE}", f"{FLOOD} 😱", SMOKE]
    assert [cluster(clusters, str(n), text) for n, text in enumerate(texts)] == ["0", "1", "0", "1", "0"]
    assert len(clusters) == len(texts)


@pytest.mark.parametrize("named", ["9", "mastodon:9"])
def test_a_repost_without_a_text_finds_its_original(named: str) -> None:
    clusters = ContentClusters()
    cluster(clusters, "mastodon:9", SMOKE)
    assert cluster(clusters, "mastodon:10", "", repost_of=named) == "mastodon:9"
    assert cluster(clusters, "mastodon:11", "", repost_of="10") == "mastodon:9"


def test_a_repost_may_come_before_its_original() -> None:
    clusters = ContentClusters()
    assert cluster(clusters, "b", "", repost_of="a") == "b"
    assert cluster(clusters, "a", SMOKE) == "b"


def test_equal_ids_of_two_platforms_are_two_posts() -> None:
    clusters = ContentClusters()
    assert cluster(clusters, "mastodon:9", SMOKE) == "mastodon:9"
    assert cluster(clusters, "webhook:9", FLOOD) == "webhook:9"


def test_a_post_that_comes_again_or_is_edited_stays_in_its_cluster() -> None:
    clusters = ContentClusters()
    cluster(clusters, "a", SMOKE)
    assert cluster(clusters, "b", f"RT @x: {SMOKE}") == "a"
    assert cluster(clusters, "b", f"RT @x: {SMOKE}") == "a"
    assert cluster(clusters, "b", FLOOD) == "a"


def test_a_post_between_two_clusters_joins_one_and_the_two_remain_two() -> None:
    clusters = ContentClusters()
    cluster(clusters, "link", "tout est là https://x.fr/a")
    cluster(clusters, "words", SMOKE)
    assert cluster(clusters, "both", f"{SMOKE} https://x.fr/a") == "words"  # wording binds more than a link
    assert cluster(clusters, "link again", "à lire https://x.fr/a") == "link"
    assert cluster(clusters, "words again", SMOKE) == "words"
    assert cluster(clusters, "repost", "", repost_of="both") == "words"


def test_the_print_alone_finds_a_near_copy() -> None:
    clusters = ContentClusters()
    clusters.observe("a", (), 0b1011)
    assert clusters.observe("b", (), 0b1000_1000_1011) == "a"
    assert clusters.observe("c", (), -1) == "c"


def test_of_two_near_prints_the_nearer_wins() -> None:
    clusters = ContentClusters()
    clusters.observe("far", (), 0b0000_0001)
    clusters.observe("near", (), 0b1111_1111)
    assert clusters.observe("post", (), 0b0111_1111) == "near"


PRINTS = st.integers(1, 2**64 - 1)
BITS = st.sets(st.integers(0, 63), max_size=12)


def turned(print_: int, bits: set[int]) -> int:
    return print_ ^ sum(1 << bit for bit in bits)


@given(print_=PRINTS, bits=BITS, others=st.lists(PRINTS, max_size=20))
def test_every_print_within_the_distance_is_found_and_none_beyond(
    print_: int, bits: set[int], others: list[int]
) -> None:
    assume(turned(print_, bits))
    clusters = ContentClusters()
    first = {print_: clusters.observe("first", (), print_)}
    for number, other in enumerate(others):
        first.setdefault(other, clusters.observe(str(number), (), other))
    wanted = turned(print_, bits)
    is_near = any((known ^ wanted).bit_count() <= NEAR_BITS for known in first)
    assert (clusters.observe("wanted", (), wanted) != "wanted") == is_near


@given(st.sets(st.integers(0, 63), min_size=1, max_size=NEAR_BITS))
def test_no_three_bits_hide_a_copy(bits: set[int]) -> None:
    clusters = ContentClusters()
    clusters.observe("a", (), fingerprint(SMOKE))
    signed = int.from_bytes(turned(fingerprint(SMOKE) & 2**64 - 1, bits).to_bytes(8, "big"), "big", signed=True)
    assert clusters.observe("b", (), signed) == "a"


WORD = st.text("abcdeéfghijklmno", min_size=1, max_size=8)


@given(
    quoted=st.lists(WORD, min_size=8, max_size=30, unique=True),
    before=st.lists(WORD, max_size=20),
    behind=st.lists(WORD, max_size=20),
)
def test_a_text_of_eight_words_is_found_wherever_it_is_quoted(
    quoted: list[str], before: list[str], behind: list[str]
) -> None:
    text, quote = " ".join(quoted), " ".join([*before, "«", *quoted, "»", *behind])
    assert len(passages(text)) >= 2
    assert set(passages(text)) <= set(passages(quote))
    assert are_one(text, quote)
    assert are_one(quote, text)


@given(st.text(max_size=500))
def test_any_text_has_few_passages_and_none_below_eight_words(text: str) -> None:
    found = passages(text)
    assert len(found) == len(set(found)) <= 115
    assert all(0 <= mark < 2**64 for mark in found)


STREAM = st.lists(st.tuples(st.integers(0, 8), st.integers(-3, 30)), max_size=60)
TEXTS = [SMOKE, f"RT @x: {SMOKE}", f"{SMOKE[:60]}…", TANK, f"wow {TANK}", FLOOD, f"{SMOKE} {TANK}", SHORT, ""]
START = datetime(2012, 1, 30, 6, tzinfo=UTC)


@given(stream=STREAM, most_posts=st.integers(1, 10))
def test_never_remembers_more_than_it_may_and_answers_alike_each_time(
    stream: list[tuple[int, int]], most_posts: int
) -> None:
    def answers() -> list[str]:
        clusters = ContentClusters(most_posts=most_posts, memory=timedelta(minutes=20))
        found = []
        for number, (text, minutes) in enumerate(stream):
            ids, print_, marks = content_ids(TEXTS[text]), fingerprint(TEXTS[text]), passages(TEXTS[text])
            at = START + timedelta(minutes=number + minutes)
            found.append(clusters.observe(f"p:{number}", ids, print_, passages=marks, at=at))
            assert len(clusters) <= most_posts
        return found

    given_out = answers()
    assert given_out == answers()
    assert all(int(name[2:]) <= number for number, name in enumerate(given_out))


def test_forgets_what_is_older_than_its_memory() -> None:
    clusters = ContentClusters(memory=timedelta(hours=6))
    ids = content_ids(SMOKE)
    assert clusters.observe("a", ids, at=START) == "a"
    assert clusters.observe("b", ids, at=START + timedelta(hours=6)) == "a"
    assert clusters.observe("c", ids, at=START + timedelta(hours=12)) == "a"  # b still holds the cluster
    assert clusters.observe("d", ids, at=START + timedelta(hours=19)) == "d"
    assert len(clusters) == 1


def test_a_late_post_makes_nothing_forgotten() -> None:
    clusters = ContentClusters(memory=timedelta(hours=6))
    clusters.observe("a", content_ids(SMOKE), at=START)
    clusters.observe("late", content_ids(TANK), at=START - timedelta(days=2))
    assert clusters.observe("b", content_ids(SMOKE), at=START) == "a"


def test_the_first_come_are_forgotten_first_and_copies_keep_a_cluster_alive() -> None:
    clusters = ContentClusters(most_posts=2)
    answers = [cluster(clusters, str(n), text) for n, text in enumerate([SMOKE, TANK, SMOKE, FLOOD, SMOKE, TANK])]
    assert answers == ["0", "1", "0", "3", "0", "5"]


def test_refuses_to_remember_nothing() -> None:
    with pytest.raises(ValueError, match="most_posts=0"):
        ContentClusters(most_posts=0)


@pytest.mark.parametrize("number_of_posts", [60_000, pytest.param(200_000, marks=pytest.mark.long)])
def test_so_many_posts_stay_within_the_memory_bound(number_of_posts: int) -> None:
    clusters = ContentClusters(most_posts=2000)
    chance = random.Random(76)  # noqa: S311  a load, not a secret
    held = []
    for number in range(number_of_posts):
        marks = tuple(chance.getrandbits(64) for _ in range(8))  # as many as passages of some fourteen words
        ids = (f"u:{chance.getrandbits(17)}", f"t:{number:x}")
        clusters.observe(f"bench:{number}", ids, chance.getrandbits(64), passages=marks)
        if number in (20_000, number_of_posts - 1):
            held.append(len(pickle.dumps(clusters)))
    assert len(clusters) == 2000
    assert held[1] < 1.05 * held[0]
