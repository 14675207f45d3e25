"""The corpus check: each fault is planted and must be found; the shipped corpus must have none that is refused."""

import re
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from models.corpus_check import report
from models.corpus_findings import CorpusReport, Finding, words_of
from models.corpus_leaks import PLACE_REFUSED, WORD_REFUSED, sure_log_odds
from models.posts_corpus import CORPUS, CorpusPost, read_part

PORT = "le port est plein de fumée noire et on ne voit plus les grues du terminal"
FARM = "ma grand-mère a vendu deux poules et un vieux coq au marché de samedi"


def _posts(source: str, *rows: tuple[str, str, str]) -> list[CorpusPost]:
    return [
        CorpusPost(
            hazards=() if hazard == "none" else tuple(hazard.split("+")),
            actuality=actuality,
            is_witness=hazard != "none",
            text=text,
            source=source,
            line=line,
        )
        for line, (hazard, actuality, text) in enumerate(rows, start=2)
    ]


def _others(source: str, *texts: str) -> list[CorpusPost]:
    return _posts(source, *(("none", "other", text) for text in texts))


def _no_places(_text: str, _language: str) -> tuple[str, ...]:
    return ()


def _found(kind: str, train: Sequence[CorpusPost], test: Sequence[CorpusPost] = ()) -> list[Finding]:
    return [one for one in report(train, test, places_of=_no_places).findings if one.kind == kind]


@pytest.fixture(scope="module")
def parts() -> tuple[list[CorpusPost], list[CorpusPost]]:
    return read_part(CORPUS / "train"), read_part(CORPUS / "test")


@pytest.fixture(scope="module")
def shipped(parts: tuple[list[CorpusPost], list[CorpusPost]]) -> CorpusReport:
    return report(*parts, read_part(CORPUS / "everyday"))


@pytest.mark.long
def test_the_shipped_corpus_passes(shipped: CorpusReport) -> None:
    assert not shipped.refused, "\n".join(shipped.lines(most=0))


def test_a_copy_of_a_test_post_is_refused_in_everyday_posts_too() -> None:
    test = _posts("fr-9", ("fire", "now", PORT))
    everyday = _posts("fr-8", ("none", "other", PORT))
    refused = report(_others("fr-7"), test, everyday, places_of=_no_places).refused
    assert [one.message for one in refused if one.kind == "copy" and "fr-8.tsv: line 2" in one.message]


@pytest.mark.long
def test_the_shipped_corpus_is_read_whole(
    shipped: CorpusReport, parts: tuple[list[CorpusPost], list[CorpusPost]]
) -> None:
    assert sum(shipped.posts.values()) == sum(map(len, parts))
    assert {one.kind for one in shipped.findings} >= {"copy", "balance", "place", "word"}, "a check that sees nothing"


@pytest.mark.long
def test_no_finding_quotes_the_test_part(
    shipped: CorpusReport, parts: tuple[list[CorpusPost], list[CorpusPost]]
) -> None:
    texts = {post.where: words_of(post.text) for post in parts[1]}
    for finding in shipped.findings:
        said = " ".join(words_of(finding.message))
        for where in finding.where:
            words = texts.get(where, [])
            assert '"' not in finding.message or not words
            runs = (" ".join(words[n : n + 3]) for n in range(len(words) - 2))
            assert not any(f" {run} " in f" {said} " for run in runs), where


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(PORT, f"{PORT.upper()} !!! https://t.co/1", id="louder, with a link"),
        pytest.param(PORT, PORT.replace("é", "e").replace("noire", "grise"), id="a word changed, accents lost"),
        pytest.param(
            PORT, "plus moyen de voir les grues du terminal, le port est plein de fumée noire", id="turned around"
        ),
        pytest.param("fumée à la gare", "FUMEE à la gare 😳", id="four words"),
        pytest.param("c koi ce boum", "c koi ce boum la", id="a short one with one more"),
        pytest.param(
            PORT,
            "ma voisine du dessous, qui ne plaisante jamais et qui travaille de nuit chez un transporteur, vient de me "
            f"réveiller pour me lire ceci, je vous le livre tel quel et sans rien savoir de plus : {PORT}",
            id="passed on in a longer one",
        ),
    ],
)
def test_refuses_a_copy_across_the_split(one: str, other: str) -> None:
    train, test = _others("fr-8", one, FARM), _others("fr-9", other)
    [finding] = _found("copy", train, test)
    assert finding.is_refused
    assert finding.where == ("fr-8.tsv: line 2", "fr-9.tsv: line 2")
    assert re.search(r"fr-9\.tsv: line 2: .* as fr-8\.tsv: line 2", finding.message)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(FARM, id="another subject"),
        pytest.param("au port ce matin la fumée des grillades cachait les bateaux de pêche", id="the same theme"),
        pytest.param("le port", id="two of its words"),
    ],
)
def test_lets_different_posts_pass(other: str) -> None:
    assert not _found("copy", _others("fr-8", PORT), _others("fr-9", other))


def test_refuses_the_same_words_twice_anywhere() -> None:
    [finding] = _found("copy", _others("fr-8", "Slt ça va ?", FARM, "slt ca va"))
    assert finding.is_refused
    assert "line 4: the same words as fr-8.tsv: line 2" in finding.message


def test_reports_near_copies_within_the_training_part() -> None:
    [finding] = _found("copy", _others("fr-8", PORT, PORT.replace("noire", "grise")))
    assert not finding.is_refused


def test_asks_about_near_copies_of_two_authors_with_different_labels() -> None:
    train = [*_others("fr-7", PORT), *_posts("fr-8", ("fire", "now", PORT.replace("noire", "grise")))]
    [finding] = _found("copy", train)
    assert "their labels differ" in finding.message


def test_takes_one_authors_near_copies_with_different_labels_as_contrasts() -> None:
    train = _posts("fr-8", ("fire", "now", PORT), ("none", "other", PORT.replace("noire", "de merguez")))
    [finding] = _found("copy", train)
    assert "1 pairs of nearly the same words and different labels" in finding.message


@pytest.mark.parametrize(
    ("count", "refused"),
    [
        pytest.param(3, [], id="three may be chance"),
        pytest.param(4, [False], id="four are reported"),
        pytest.param(7, [True], id="seven are a form"),
    ],
)
def test_counts_openings(count: int, refused: list[bool]) -> None:
    ends = ("chat", "pain dur", "vélo rouge", "train de nuit", "jardin mouillé", "prof absent", "lundi gris")
    posts = _others("fr-8", *(f"quelqu'un sait pourquoi {end}" for end in ends[:count]))
    found = [one for one in _found("template", posts) if "begin alike" in one.message]
    assert [one.is_refused for one in found] == refused


def test_finds_a_frame_filled_in() -> None:
    towns, things = ("Vire", "Ancenis", "Bourges", "Laon"), ("une grange", "un camion", "un bateau", "une haie")
    filled = _others("fr-8", *(f"à {a} il y a {b} qui est pour moi" for a, b in zip(towns, things, strict=True)))
    common = " ".join(("à il y a qui est pour moi", *(f"mot{n}" for n in range(150))))
    usual = _others("fr-7", *(f"{common} {n}" for n in range(9)))
    [finding] = [one for one in _found("template", [*filled, *usual]) if one.message.startswith("fr-8.tsv: 4 posts")]
    assert "have one frame" in finding.message


def _balanced(source: str, none: int, incidents: int = 100) -> list[CorpusPost]:
    actualities = ("other", "other", "other", "past", "exercise", "figurative", "figurative", "forecast", "other")
    hazards = ("fire", "flood", "industrial", "fire", "flood", "industrial", "fire", "industrial", "fire", "flood")
    others = [("none", actualities[n % 9], f"{source} rien {n}") for n in range(none)]
    lived = [(hazards[n % 10], "past" if n % 4 == 0 else "now", f"{source} {n}") for n in range(incidents)]
    posts = _posts(source, *others, *lived)
    return [replace(post, is_witness=bool(post.hazards) and post.line % 2 == 0) for post in posts]


def _complaints(posts: Sequence[CorpusPost]) -> list[tuple[bool, str]]:
    found = _found("balance", posts)
    return [
        (one.is_refused, one.message.split(": ")[1].split(" of ")[0]) for one in found if "middle" not in one.message
    ]


@pytest.mark.parametrize(
    ("none", "expected"),
    [
        pytest.param(130, [], id="57 %"),
        pytest.param(105, [(False, "none is 51.2%")], id="51 % is reported"),
        pytest.param(60, [(True, "none is 37.5%")], id="38 % is refused"),
        pytest.param(300, [(True, "none is 75.0%")], id="75 % is refused"),
    ],
)
def test_weighs_the_share_of_none(none: int, expected: list[tuple[bool, str]]) -> None:
    assert _complaints(_balanced("fr-8", none)) == expected


def test_refuses_a_file_of_witnesses_only_and_one_without_floods() -> None:
    posts = _balanced("fr-8", 130)
    all_witness = [replace(post, is_witness=bool(post.hazards)) for post in posts]
    assert (True, "witness is 100.0%") in _complaints(all_witness)
    no_flood = [post for post in posts if post.main_hazard != "flood"]
    assert (True, "0 posts") in _complaints(no_flood)


def test_refuses_a_post_far_too_long_and_reports_one_without_words() -> None:
    posts = [*_balanced("fr-8", 130), *_others("fr-9", "mot " * 300, "😴")]
    found = {one.where: one.is_refused for one in _found("balance", posts) if one.where}
    assert found == {("fr-9.tsv: line 2",): True, ("fr-9.tsv: line 3",): False}


def test_a_name_that_stands_for_one_hazard_is_found() -> None:
    rows = [("flood", "now", f"je suis à Trifouilly et ça monte {n}") for n in range(30)]
    rows += [("none", "other", f"je mange à Perpète le jour {n}") for n in range(300)]
    found = _found("place", _posts("fr-8", *rows))
    assert [(one.is_refused, one.strength >= PLACE_REFUSED) for one in found] == [(True, True)]
    assert '"trifouilly" is flood in 30 of 30 training posts' in found[0].message


def test_a_name_with_every_label_is_no_leak() -> None:
    labels = (("flood", "now"), ("fire", "now"), ("none", "other"), ("none", "past"))
    rows = [(*labels[n % 4], f"je suis à Trifouilly le jour {n}") for n in range(40)]
    assert not _found("place", _posts("fr-8", *rows))


@pytest.mark.parametrize(
    ("known", "refused"),
    [
        pytest.param(2, [], id="two prove nothing"),
        pytest.param(3, [False], id="three are reported"),
        pytest.param(5, [True], id="five are refused"),
    ],
)
def test_finds_a_test_incident_at_a_place_known_for_that_hazard(known: int, refused: list[bool]) -> None:
    def places_of(text: str, _language: str) -> set[str]:
        return {"trifouilly"} & set(words_of(text))

    train = _posts("fr-8", *(("flood", "now", f"trifouilly {n}") for n in range(known)), ("none", "other", FARM))
    test = _posts("fr-9", ("flood", "now", "la rivière est sur la place de trifouilly"))
    found = [one for one in report(train, test, places_of=places_of).findings if "fr-9.tsv: line 2" in one.where]
    assert [one.is_refused for one in found] == refused
    assert not any("trifouilly" in one.message for one in found)
    mixed = [*train, *_others("fr-7", "trifouilly en fête")]
    assert not [one for one in report(mixed, test, places_of=places_of).findings if "fr-9.tsv: line 2" in one.where]


def test_a_word_that_decides_a_label_is_found() -> None:
    rows = [("none", "exercise", f"mercredi {n}") for n in range(80)]
    rows += [("fire", "now", f"jeudi {n}") if n % 2 else ("none", "other", f"jeudi {n}") for n in range(2000)]
    found = [one for one in _found("word", _posts("fr-8", *rows)) if '"mercredi"' in one.message]
    assert [one.is_refused for one in found] == [True]
    assert found[0].strength >= WORD_REFUSED


@pytest.mark.parametrize(
    ("with_label", "posts", "low", "high"),
    [
        pytest.param(10, 20, -1.1, -0.5, id="the usual share proves nothing"),
        pytest.param(4, 4, -0.8, 0.2, id="four of four prove little"),
        pytest.param(400, 400, 3.0, 6.0, id="four hundred of four hundred prove much"),
    ],
)
def test_few_posts_prove_little(with_label: int, posts: int, low: float, high: float) -> None:
    assert low < sure_log_odds(with_label, posts, 0.5) < high


def test_the_report_reads_well() -> None:
    found = report(_others("fr-8", PORT), _others("fr-9", PORT), places_of=_no_places)
    head, first, *_ = found.lines()
    assert head.startswith("2 posts in 2 files, ")
    assert first.startswith("REFUSED ")
    assert any(
        line.startswith("REFUSED copy: fr-9.tsv: line 2: the same words as fr-8.tsv: line 2") for line in found.lines()
    )
    many = CorpusReport(
        posts={"fr-8": 3},
        findings=tuple(Finding(kind="word", is_refused=False, strength=1.0, message=str(n)) for n in range(5)),
    )
    assert many.lines(most=2) == [
        "3 posts in 1 files, 0 findings refused",
        "word: 0",
        "word: 1",
        "word: 3 more, weaker",
    ]
