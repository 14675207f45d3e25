"""Doubts are raised where a text itself speaks against what it tells, and not against honest posts; denials are heard.

The evaluation sets in `doubts/` are invented posts. The `held_out` ones were written before the rules, and nobody who
changed them looked at what they fail on; the `tuning` ones were written after them, by the same hand, and read.
"""

import gzip
import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.denial import beside_denial, is_denial, names_danger
from models.doubts import Doubts
from models.known_texts import KnownTexts, known_texts_in
from models.letterheads import DOUBTS, Letterheads
from models.near_duplicate import is_relay
from models.old_links import OLD, dates_in, has_old_link
from models.phrases import Phrases
from models.posts_corpus import CORPUS, read_part
from records import SettingsError
from records.doubt import Doubt

SETS = Path(__file__).parent / "doubts"
DATA = Path(os.environ.get("VIGIE_LABELLED_POSTS", "/nowhere"))
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOSTILE = 10_000  # characters
SECONDS = 1.0  # ten times what the worst took
MICROSECONDS = 500.0  # ten times what an everyday post takes here
CHAIN = (
    "Mon beau-frère travaille à la préfecture, ils n'ont pas le droit de le dire mais il faut partir maintenant. "
    "Faites tourner à tous vos proches."
)


@cache
def doubts() -> Doubts:
    return Doubts()


@cache
def letterheads() -> Letterheads:
    return Letterheads()


def read(text: str, **more: Any) -> tuple[Doubt, ...]:
    return doubts().read(text, at=NOON, **more)


# Old links


@pytest.mark.parametrize(
    "link",
    [
        pytest.param("https://journal.example/2019/09/26/incendie", id="folders"),
        pytest.param("https://journal.example/actu/2019/9/6/", id="folders of one digit"),
        pytest.param("https://journal.example/2019-09-26-incendie.html", id="hyphens in front"),
        pytest.param("https://journal.example/incendie-du-port-2019-09-26", id="hyphens behind"),
        pytest.param("https://journal.example/?day=2019-09-26", id="in the query"),
        pytest.param("https://journal.example/2019/09/incendie", id="a month"),
        pytest.param("https://journal.example/archives/2019/09/", id="a month at the end"),
        pytest.param("https://journal.example/20190926/incendie.html", id="eight digits as a folder"),
        pytest.param("www.journal.example/20190926-incendie", id="eight digits before words"),
        pytest.param("https://journal.example/2026/11/21/feu", id="eight days"),
    ],
)
def test_a_link_that_says_that_it_is_old(link: str) -> None:
    assert read(f"Gros incendie au port {link}") == ("old_link",)


@pytest.mark.parametrize(
    "link",
    [
        pytest.param("https://journal.example/2026/11/29/feu", id="today"),
        pytest.param("https://journal.example/2026/11/22/feu", id="a week"),
        pytest.param("https://journal.example/2026/11/feu", id="this month"),
        pytest.param("https://journal.example/2027/01/02/agenda", id="of the future"),
        pytest.param("https://journal.example/2019/13/01/feu", id="thirteenth month"),
        pytest.param("https://journal.example/2019/02/30/feu", id="30 February"),
        pytest.param("https://journal.example/2019-00-10-feu", id="no month"),
        pytest.param("https://journal.example/20190926123", id="article id of eleven digits"),
        pytest.param("https://journal.example/feu-20190926", id="eight digits at the end"),
        pytest.param("https://journal.example/20190926", id="eight digits and nothing else"),
        pytest.param("https://journal.example/20190926.html", id="eight digits as a page"),
        pytest.param("https://journal.example/video/120190926/feu", id="nine digits"),
        pytest.param("https://journal.example/status/1177139401200004096", id="id of a post"),
        pytest.param("https://journal.example/2019", id="a year"),
        pytest.param("https://journal.example/1850/01/01/feu", id="before there were links"),
        pytest.param("https://2019-09-26.example/feu", id="in the host's name"),
        pytest.param(
            "https://journal.example/2026/11/28/sept-ans-apres-2019-09-26", id="of today, about a day of then"
        ),
        pytest.param("https://www.somme.gouv.fr/2019/09/26/consignes", id="an authority's standing advice"),
    ],
)
def test_a_link_that_does_not(link: str) -> None:
    assert read(f"Gros incendie au port {link}") == ()


@pytest.mark.parametrize(
    "text",
    [
        "Il y a 7 ans, le grand incendie",
        "Souvenir de l'incendie",
        "Retour sur l'incendie du port",
        "L'incendie de 2019",
        "7 years ago today: the fire",
        "Remember the plant fire",
        "The fire of 2019",
    ],
)
def test_an_old_link_in_a_text_that_says_so_is_no_doubt(text: str) -> None:
    assert read(f"{text} https://journal.example/2019/09/26/incendie") == ()


@given(
    st.dates(date(1995, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["/{:%Y/%m/%d}/a", "/{:%Y-%m-%d}-a", "/{:%Y%m%d}/a"]),
)
def test_a_day_is_read_as_it_was_written_and_old_by_the_calendar(day: date, form: str) -> None:
    link = f"https://journal.example{form.format(day)}"
    assert set(dates_in(link)) == {day}
    assert has_old_link([link], NOON) == (NOON.date() - day > OLD)


@given(st.text(alphabet="0123456789/-_.a", max_size=40))
def test_no_address_of_digits_raises_or_has_a_day_out_of_range(path: str) -> None:
    assert all(1995 <= day.year <= 2099 for day in dates_in(f"https://journal.example/{path}"))


# Recycled texts


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(CHAIN, id="as it is known"),
        pytest.param(CHAIN.upper().replace(".", " !!"), id="in capitals"),
        pytest.param(f"Reçu à l'instant : {CHAIN}", id="with words in front"),
        pytest.param(CHAIN.replace("maintenant", "ce soir"), id="another hour"),
        pytest.param(f"{CHAIN} https://video.example/x", id="with a link"),
    ],
)
def test_a_text_that_goes_round_again_is_known(text: str) -> None:
    assert "recycled_text" in read(text)
    assert "recycled_text" in read(text, is_relay=True)


@pytest.mark.parametrize(
    "text",
    [
        "Mon beau-frère travaille à la préfecture, il rentre tard ce soir",
        f"Attention, fausse information qui circule : {CHAIN}",
        "Le barrage est plein, on surveille",
        "",
    ],
)
def test_other_words_are_not(text: str) -> None:
    assert read(text) == ()


def test_texts_of_ones_own_are_known_beside_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text(
        "# les nôtres\nLe pont de Tancarville va sauter à minuit, prévenez vos amis de Quillebeuf\n"
    )
    own = Doubts(known_texts_in(tmp_path / "own.txt"))
    assert own.read("le pont de Tancarville va sauter à minuit prévenez vos amis de Quillebeuf !!", at=NOON) == (
        "recycled_text",
    )
    assert own.read(CHAIN, at=NOON) == ("recycled_text",)


def test_a_text_that_anybody_may_say_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("# les nôtres\nIl y a le feu\n")
    with pytest.raises(
        SettingsError, match=r'^own\.txt: line 2: "Il y a le feu" has fewer than 8 words: .*whole text$'
    ):
        known_texts_in(tmp_path / "own.txt")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^none\.txt: cannot be read as UTF-8 text"):
        known_texts_in(tmp_path / "none.txt")


def test_no_two_of_the_shipped_texts_are_alike() -> None:
    texts = known_texts_in(DOUBTS / "recycled.txt")
    for number, text in enumerate(texts):
        assert not KnownTexts(texts[:number]).has(text), text


# Letterheads

FORGED = "Communiqué de la préfecture : le barrage a cédé, montez aux étages"
HEADLINE = "La préfecture informe la population que le pont est fermé"


@pytest.mark.parametrize(
    ("text", "more", "found"),
    [
        pytest.param(FORGED, {}, ("false_official",), id="an unknown account"),
        pytest.param(FORGED, {"is_official": True}, (), id="a known one"),
        pytest.param(FORGED, {"is_relay": True}, (), id="passed on"),
        pytest.param(f"{FORGED} https://www.somme.gouv.fr/communique", {}, (), id="with a page of the state"),
        pytest.param(f"{FORGED} (www.somme.gouv.fr)", {}, (), id="with a site of the state"),
        pytest.param(f"{FORGED} – somme.gouv.fr", {}, (), id="with a bare site of the state"),
        pytest.param(
            f"{FORGED} https://gouv.fr.evil.example/", {}, ("false_official",), id="with a site that looks so"
        ),
        pytest.param(f"{FORGED} https://prefecture-gouv.fr/", {}, ("false_official",), id="with another that does"),
        pytest.param(f"{FORGED} https://a.gouv.fr@evil.example/", {}, ("false_official",), id="with a name before @"),
        pytest.param(f"{FORGED} https://journal.example/barrage", {}, ("false_official",), id="with any page"),
        pytest.param(HEADLINE, {}, ("false_official",), id="an announcement"),
        pytest.param(f"{HEADLINE} https://journal.example/pont", {}, (), id="an announcement above a page: a headline"),
        pytest.param(f"« {FORGED} »", {}, (), id="in quotation marks"),
        pytest.param(f"{HEADLINE} ?", {}, (), id="somebody asks"),
        pytest.param(f"Ma sœur a vu ceci. {FORGED}", {}, (), id="somebody tells of it"),
        pytest.param(f"Attention faux message. {FORGED}", {}, (), id="somebody warns of it"),
    ],
)
def test_who_speaks_as_an_authority(text: str, more: dict[str, bool], found: tuple[Doubt, ...]) -> None:
    assert read(text, **more) == found


def test_a_site_of_the_towns_own_excuses_a_letterhead() -> None:
    text = f"{FORGED} https://www.ma-ville.example/alerte"
    assert read(text) == ("false_official",)
    assert Doubts(domains=["ma-ville.example"]).read(text, at=NOON) == ()


# The word files


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        pytest.param("feu", "before any section", id="no section"),
        pytest.param("[past]\nhier\n[future]", "is no section: use one of [past] [not]", id="unknown section"),
        pytest.param("[past]\nhier", "nothing stands under [not]", id="an empty section"),
        pytest.param("[past]\nL'an dernier", "where a plain word belongs", id="capitals and accents"),
        pytest.param("[past]\nfeu*", "a * behind 5 letters", id="short beginning"),
        pytest.param("[past]\nhier |", "a word is missing", id="empty alternative"),
        pytest.param("[past]\n$jour dernier", "no list $jour above this line", id="unknown list"),
        pytest.param("[past]\nhier?", "may be left out", id="nothing that must stand"),
    ],
)
def test_a_line_that_is_no_phrase_is_refused_with_its_place(lines: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text(lines, encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        Phrases(tmp_path / "words.txt", ("past", "not"))
    assert str(refused.value).startswith("words.txt: ")
    assert complaint in str(refused.value)


# Figures


def rows(name: str) -> Iterator[tuple[str, bool, str]]:
    for line in (SETS / f"{name}.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            language, label, text = line.replace("\\n", "\n").split("\t")
            yield language, {"yes": True, "no": False}[label], text


@pytest.mark.parametrize(
    ("name", "found", "precision", "recall"),
    [
        ("false_official_held_out", lambda text: letterheads().speaks(text), 0.85, 0.9),
        ("false_official_tuning", lambda text: letterheads().speaks(text), 0.95, 0.95),
        ("denial_held_out", is_denial, 0.9, 0.9),
        ("denial_tuning", is_denial, 0.95, 0.95),
    ],
)
def test_precision_and_recall(name: str, found: Callable[[str], bool], precision: float, recall: float) -> None:
    counts = Counter((language, wanted, found(text)) for language, wanted, text in rows(name))
    for language in ("fr", "en"):
        right, wrong, missed = (counts[language, *one] for one in ((True, True), (False, True), (True, False)))
        print(f"\n{name} {language}: precision {right / (right + wrong):.3f}, recall {right / (right + missed):.3f}")  # noqa: T201
        assert right / (right + wrong) >= precision
        assert right / (right + missed) >= recall


def test_few_posts_of_the_corpus_are_doubted() -> None:
    posts = [post for part in ("train", "test", "everyday") for post in read_part(CORPUS / part)]
    counts: Counter[str] = Counter()
    for post in posts:
        counts.update(read(post.text, is_relay=is_relay(post.text)))
        counts["denial"] += is_denial(post.text)
    print(f"\n{len(posts)} posts of the corpus: {dict(counts)}")  # noqa: T201
    assert counts["false_official"] <= len(posts) / 1000  # they are communiqués, all but a few
    assert counts["denial"] <= len(posts) / 100
    assert counts["old_link"] + counts["recycled_text"] == 0


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="VIGIE_LABELLED_POSTS names no folder")
def test_few_labelled_posts_are_doubted() -> None:
    seen: set[str] = set()
    counts: Counter[str] = Counter()
    for path in sorted(DATA.glob("*/*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                text = row.get("text") or ""
                if row.get("lang") in ("fr", "en", None) and text and text not in seen:
                    seen.add(text)
                    at = datetime.fromisoformat(row["ts"]) if row.get("ts") else NOON
                    counts.update(doubts().read(text, at=at, is_relay=is_relay(text)))
                    counts["denial"] += is_denial(text)
    print(f"\n{len(seen)} labelled posts: {dict(counts)}")  # noqa: T201
    assert counts["false_official"] <= len(seen) / 5_000
    assert counts["denial"] <= len(seen) / 500


def test_an_everyday_post_is_read_quickly() -> None:
    posts = [post.text for post in read_part(CORPUS / "everyday")][:500]
    for found in (read, is_denial):
        found(posts[0])
        start = time.process_time()
        for text in posts:
            found(text)
        used = (time.process_time() - start) / len(posts) * 1e6
        print(f"\n{used:.0f} µs a post")  # noqa: T201
        assert used < MICROSECONDS


# Laws


@given(st.text(max_size=300), st.booleans(), st.booleans())
def test_no_text_raises(text: str, is_official: bool, passes_on: bool) -> None:
    assert isinstance(read(text, is_official=is_official, is_relay=passes_on), tuple)
    assert is_denial(text) in (True, False)


FRAGMENTS = st.sampled_from(
    [
        "préfecture",
        "communiqué de la ",
        "La mairie vous informe",
        " : ",
        "?",
        "\n",
        "« ",
        " »",
        "aucun incendie",
        "https://[",
        "https://a.example/2019/09/26/",
        "hoax",
        "fausse alerte",
        "message from the fire department:",
        "RT @x ",
        "2019",
        "\ud800",
    ]
)


@settings(max_examples=200)
@given(st.lists(FRAGMENTS, max_size=30).map("".join), st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)))
def test_no_heap_of_its_own_words_raises(text: str, at: datetime) -> None:
    doubts().read(text, at=at.replace(tzinfo=UTC))
    is_denial(text)


@pytest.mark.parametrize("is_official", [True, False])
@given(st.lists(FRAGMENTS, max_size=10).map(" ".join))
def test_who_is_known_is_never_a_false_official(is_official: bool, text: str) -> None:
    found = read(text, is_official=is_official, is_relay=not is_official)
    assert "false_official" not in found


@pytest.mark.parametrize(
    "piece",
    [
        "no ",
        "communiqué de la ",
        "la préfecture : ",
        "aucun aucune ",
        "https://a.fr/2019/09/ ",
        "/2019/09/26",
        "alerte officielle ",
        "il n'y a pas ",
        "a.b.",
        "«",
        "reports ",
        "statement from the police by ",
        "?:",
        "https://a/2019/",
    ],
)
def test_a_hostile_text_takes_no_longer_than_others(piece: str) -> None:
    text = (piece * HOSTILE)[:HOSTILE]
    start = time.process_time()
    read(text)
    is_denial(text)
    assert time.process_time() - start < SECONDS


def test_a_link_grows_old_and_never_young_again() -> None:
    chance = random.Random(7)  # noqa: S311  the same links each time
    for _ in range(50):
        day = date(2020, 1, 1) + timedelta(days=chance.randrange(2000))
        link = f"https://journal.example/{day:%Y/%m/%d}/a"
        later = [has_old_link([link], NOON.replace(year=2019) + timedelta(days=30 * step)) for step in range(90)]
        assert later == sorted(later)


@pytest.mark.parametrize(
    ("text", "beside"),
    [
        ("Aucune rupture de barrage, mais la rue est sous l'eau", "mais la rue est sous l'eau"),
        ("Pas d'explosion à la centrale. Un incendie est en cours.", "Un incendie est en cours."),
        ("There is no fire at the plant but smoke from the depot", "but smoke from the depot"),
        ("Incendie en cours à l'entrepôt, pas d'explosion.", "Incendie en cours à l'entrepôt,"),
        ("Fire at the depot, no explosion, roads closed", "Fire at the depot, roads closed"),
        ("Aucun incident en cours, aucune fuite : nos installations fonctionnent normalement.", ""),
        ("Fausse information : le message sur une fuite de gaz n'est pas de la préfecture.", ""),
        ("Un incendie est en cours", "Un incendie est en cours"),
        ("", ""),
    ],
)
def test_what_a_text_says_besides_denying(text: str, beside: str) -> None:
    assert beside_denial(text) == beside


@pytest.mark.parametrize(
    ("text", "denies"),
    [
        ("Le déclenchement des sirènes est dû à une erreur technique. Il n'y a aucun danger.", True),
        ("Les sirènes de la ville ont sonné par erreur ce soir", True),
        ("The sirens went off by mistake this evening", True),
        ("Les sirènes sonnent, quelqu'un sait pourquoi ?", False),
        ("L'accident est dû à une erreur humaine", False),
        ("Aucun danger pour la population, l'incendie est maîtrisé", False),
        # appeals, and orders beside which something is denied
        ("Attention aux fausses informations, suivez les consignes officielles.", False),
        ("Gros incendie quai Colbert, stop aux rumeurs, fiez-vous aux comptes officiels", False),
        ("Ne relayez pas de fausses informations, des équipes sont sur place", False),
        ("Accident industriel, aucun nuage toxique constaté pour l'instant, fermez les fenêtres", False),
        ("Évacuation du quartier en cours, les rumeurs sont fausses, suivez les consignes", False),
        ("Chemical leak at the plant, no explosion, stay indoors", False),
        ("Please do not share false information about the flood", False),
    ],
)
def test_what_is_denied_is_told_from_errors_appeals_and_orders(text: str, denies: bool) -> None:
    assert is_denial(text) is denies


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Fausse information : le marché de Noël n'est pas annulé", False),
        ("Le maire dément toute augmentation des impôts", False),
        ("Alerte arnaque : faux message au nom de la caisse d'allocations", False),
        ("Les sirènes ont sonné par erreur", True),
        ("Aucun incendie à la raffinerie", True),
        ("The sirens went off by mistake", True),
        ("", False),
    ],
)
def test_what_names_a_danger(text: str, names: bool) -> None:
    assert names_danger(text) is names


def test_an_official_tone_is_no_doubt_where_nobody_has_said_who_is_official() -> None:
    text = "COMMUNIQUÉ DE LA PRÉFECTURE : évacuation immédiate du quartier de l'Eure"
    assert Doubts(registered=[]).read(text, at=NOON, platform="bluesky") == ()
    assert Doubts(registered=["bluesky"]).read(text, at=NOON, platform="bluesky") == ("false_official",)
    assert Doubts(registered=["bluesky"]).read(text, at=NOON, platform="mastodon") == ()


def test_who_is_known_is_not_doubted() -> None:
    text = "Incendie en cours. Consignes : https://secours.example/2019/05/02/que-faire"
    assert doubts().read(text, at=NOON) == ("old_link",)
    assert doubts().read(text, at=NOON, is_official=True) == ()
