"""The gate: what passes, what is held back, and how it refuses a lexicon that it cannot use."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.gate import SECTIONS, THRESHOLD, Gate, entries_from, points_from
from models.gate_points import POINTS_FILE, Example, examples_from, file_from, learn_points, names_in, points_for
from models.posts_corpus import CORPUS, CorpusPost, read_part
from models.public_posts import read_set
from records import SettingsError

GATE = Gate.load()
LEAST_RECALL = 0.99
LEAST_RECALL_FILE = 0.965
LEAST_RECALL_LATER = 0.985  # the entries were written without them; the points have learned from them, too
MOST_HARD_HELD_BACK = 0.12
MOST_EVERYDAY = 0.06
LEAST_ENTRIES = 60
LEAST_BY_POINTS = 0.12
LEAST_RECALL_UNSEEN = {"en": 0.965, "fr": 0.99}  # new authors find new words
UNSEEN_AUTHORS = ("en-10", "en-11", "en-14", "en-16", "fr-12", "fr-13", "fr-15", "fr-16")
READ_AUTHORS = ("en-1", "en-3", "en-4", "en-5", "fr-1", "fr-2", "fr-4", "fr-5", "fr-6", "fr-7", "fr-8")

# Posts of our own, written after the lexicon: hard ones that must pass, everyday ones that must not.
HARD_FRENCH = (
    "y'a plus de route entre le moulin et chez nous, que du marron",
    "ça descend de la colline droit sur le lotissement, on met les chevaux dans le van",
    "les plaques d'égout dansent devant la pharmacie",
    "mon père est sur la table de la cuisine et il veut pas monter à l'étage",
    "le hangar du fond vient de s'effondrer, on sent la chaleur d'ici",
    "il y a des flocons gris sur mon linge, c'est normal ?",
    "qui d'autre a les yeux qui pleurent côté port ?",
    "on a tous entendu, les vitres de la cantine ont bougé",
    "la rivière est dans le gymnase",
    "Bonsoir, les gendarmes nous font quitter le camping avec les duvets",
    "plus de courant, l'eau arrive à la troisième marche",
    "le frigo du voisin passe devant ma fenêtre",
    "colonne noire derrière le centre commercial",
    "ils ont bouclé le quartier, les ouvriers courent vers le parking",
    "un goût de métal dans la bouche depuis que l'usine a lâché son truc blanc",
    "on marche dans la boue jusqu'aux genoux pour sortir mamie",
    "des poissons le ventre en l'air sous le pont",
    "ça siffle depuis la citerne du train, on recule",
    "la haie y est passée, maintenant la toiture",
    "le ciel est orange alors que le soleil est couché depuis une heure",
    "les pompes tiennent plus, la cave se remplit",
    "l'odeur d'oeuf pourri est revenue rue de la gare",
    "demi-tour obligatoire, il y a un lac sur la nationale",
    "on a ouvert le gymnase, soixante lits et de la soupe pour les sinistrés",
    "ça crame chez le garagiste",
    "les pneus de la casse partent en nuage noir",
)
HARD_ENGLISH = (
    "the road to the farm is a brown lake, sheep on the hay bales",
    "that's not sunset behind the ridge",
    "ash all over the cars this morning",
    "my neighbour is on her roof waving a towel",
    "eyes streaming, whole estate smells of bleach",
    "the warehouse roof just fell in, crews pulling back",
    "it's through the front door and up to the second stair",
    "cops going door to door telling us to go, orange sky behind them",
    "the drains are coming up in the kitchen",
    "whatever blew at the works took our windows with it",
    "hissing from the tank wagon, everyone told to stand upwind",
    "can't see the end of the street and my throat hurts",
    "fish belly up all along the canal below the plant",
    "the dog is swimming in the living room",
    "sirens at the plant, and this is not the monthly one",
    "the hill opposite is lit up from end to end, horses are out",
    "levee road closed, water over both lanes",
    "grandma lifted off the porch by boat",
    "black rain on the laundry again, thanks neighbours at the refinery",
    "we slept in the school gym, house is standing, barn is not",
    "fridge floating past the window like it owns the place",
    "rotten eggs stink from the storm drain on our street",
    "state of emergency declared, three counties told to leave",
    "blankets and bottled water needed at the shelter",
    "flames coming out of the third floor",
    "creek's in the bar, drinks are on the house",
)
HARD_NEIGHBOURS = (
    "el humo no deja ver la carretera",
    "agua por las calles hasta la cintura, los coches flotan",
    "faltan gasas y agua en el centro de acopio",
    "evacuados los vecinos por una fuga de gas",
    "explotó un tanque en la refinería",
    "as chamas já chegaram ao telhado",
    "ruas alagadas, carros parados, ninguém passa",
    "cheiro de gás muito forte no prédio",
    "vítimas levadas ao hospital, precisam de doadores de sangue",
    "il torrente è esondato, fango in cantina",
    "vigili del fuoco nel capannone in fiamme",
    "una nube tossica sopra la fabbrica",
    "Hochwasser im Keller, die Feuerwehr pumpt",
    "Rauchwolke über der Chemiefabrik, Fenster zu",
)
EVERYDAY = (
    "trop contente de mes nouvelles chaussures",
    "on regarde quoi ce week-end ? une série courte de préférence",
    "le prof de maths est absent, je rentre dormir",
    "bon anniversaire ma belle, profite bien",
    "quelqu'un a le numéro du coiffeur ?",
    "cette chanson me reste dans la tête",
    "j'ai raté mon permis pour la deuxième fois",
    "merci pour vos messages, vous êtes adorables",
    "le débat d'hier était d'un ennui total",
    "mon chat dort sur le clavier",
    "deux heures de réunion pour rien",
    "envie de crêpes",
    "la nouvelle saison commence jeudi",
    "je déteste les lundis",
    "elle m'a dit oui !",
    "match nul mérité, bravo le gardien",
    "les élections approchent et personne ne parle de culture",
    "il me faut des vacances",
    "photo de mon petit déjeuner, avocat et citron",
    "qui est dispo pour un foot demain ?",
    "j'apprends le piano depuis un mois",
    "promo sur les billets pour Lisbonne",
    "le dernier album est une merveille",
    "trois cafés et toujours fatigué",
    "on se retrouve devant le cinéma à vingt heures",
    "new haircut, who dis",
    "can't wait for the weekend with my girls",
    "just finished my essay at last",
    "happy birthday to the best mum",
    "this song never gets old",
    "need coffee before I can talk to anybody",
    "the new season is so good, no spoilers please",
    "he said yes!!",
    "my cat judged me all evening",
    "anyone selling tickets for Friday?",
    "two hours of meetings and nothing decided",
    "pasta for dinner, again",
    "great goal, terrible referee",
    "learning the guitar, neighbours be patient",
    "follow me back please",
    "I miss my friends from school",
    "bored at work, entertain me",
    "who is watching the debate?",
    "my phone battery never lasts",
    "best pizza of my life last night",
    "she got the job, so proud of her",
    "trying a new recipe today",
    "cheap flights to Lisbon, let's go",
    "good morning everyone, have a lovely day",
    "monday again, how",
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Gros incendie à la raffinerie", id="plain words"),
        pytest.param("INCENDIE!!!", id="capitals and punctuation"),
        pytest.param("ca sent le brule dehors", id="no accents"),
        pytest.param("c’est quoi ce ciel noir au-dessus du port", id="understated, curly apostrophe"),
        pytest.param("ça pique la gorge depuis ce matin", id="throat"),
        pytest.param("de l'eau dans le garage et ça monte", id="water at home"),
        pytest.param("la Loire est sur le quai", id="river verb"),
        pytest.param("#FeuDeForet en vue", id="hashtag"),
        pytest.param("🔥🔥🔥 immeuble d'en face", id="emoji"),
        pytest.param("there's water coming up through the floorboards", id="English, two words"),
        pytest.param("can anyone else smell gas on Mill Road?", id="English, smell"),
        pytest.param("séisme ressenti à Mulhouse", id="another disaster"),
        pytest.param("Bru\u0302le\u0301 !", id="accents as characters of their own"),
    ],
)
def test_lets_through(text: str) -> None:
    assert GATE(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("bonne nuit tout le monde, à demain", id="chatter"),
        pytest.param("just had the best coffee of my life", id="English chatter"),
        pytest.param("nouvelle coupe nouvelle vie", id="haircut"),
        pytest.param("\u4eca\u65e5\u306f\u3044\u3044\u5929\u6c17", id="no Latin letters"),
    ],
)
def test_holds_back(text: str) -> None:
    assert not GATE(text)


def recall_over(posts: list[CorpusPost]) -> float:
    return sum(GATE(post.text) for post in posts) / len(posts)


def test_passes_nearly_every_incident_of_the_authors_it_was_written_with() -> None:
    incidents = [post for post in read_part(CORPUS / "train") if post.hazards and post.source in READ_AUTHORS]
    assert recall_over(incidents) >= LEAST_RECALL
    for source in READ_AUTHORS:
        assert recall_over([post for post in incidents if post.source == source]) >= LEAST_RECALL_FILE, source


def test_passes_most_incidents_of_authors_that_came_later() -> None:
    later = [post for post in read_part(CORPUS / "train") if post.hazards and post.source not in READ_AUTHORS]
    assert {post.source for post in later} > set(UNSEEN_AUTHORS)
    assert recall_over(later) >= LEAST_RECALL_LATER


@pytest.mark.parametrize("texts", [HARD_FRENCH, HARD_ENGLISH, HARD_NEIGHBOURS], ids=["fr", "en", "neighbours"])
def test_lets_through_what_is_said_without_the_big_words(texts: tuple[str, ...]) -> None:
    held_back = [text for text in texts if not GATE(text)]
    assert len(held_back) <= MOST_HARD_HELD_BACK * len(texts), held_back


def test_holds_back_everyday_life() -> None:
    passed = [text for text in EVERYDAY if GATE(text)]
    assert len(passed) <= MOST_EVERYDAY * len(EVERYDAY), passed


@given(st.text(max_size=300))
def test_passes_exactly_what_it_can_explain(text: str) -> None:
    by_points = GATE.weighed(text).is_enough and not GATE.sensitive_in(text)
    assert GATE(text) == (bool(GATE.why_passed(text)) or by_points)


SENSITIVE = (
    "La manifestation bloque le quai, la foule monte vers la mairie",
    "en grève devant le portail, la route est bloquée, la foule monte",
    "mon cancer, la police est venue à la maison hier soir",
    "my chemo starts monday, the whole family across town came down to the bridge",
    "protesters walked across the bridge and down to the river",
)


@pytest.mark.parametrize("text", SENSITIVE)
def test_what_is_nobody_s_business_does_not_pass_by_its_points(text: str) -> None:
    assert GATE.weighed(text).is_enough, "else it shows nothing"
    assert not GATE.why_passed(text)
    assert GATE.sensitive_in(text)
    assert not GATE(text)


@pytest.mark.parametrize(
    "text",
    [
        "Manif : une voiture brûle rue de Paris",
        "La CGT appelle à bloquer la raffinerie demain, fumée noire ce soir",
        "Urgent rescue of a chemo patient on a roof",
        "l'église Saint-Vincent est en feu",
        "priez pour les sinistrés, l'eau monte encore",
    ],
)
def test_what_names_a_danger_passes_whatever_else_it_speaks_of(text: str) -> None:
    assert GATE(text)


def test_the_analyst_may_take_a_sensitive_topic_out_or_add_one(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("[sensitive]\n!manifestation*\nrond point\n", encoding="utf-8")
    gate = Gate.load(mine)
    assert gate(SENSITIVE[0])
    ours = "le rond point de la zone, la foule monte vers la mairie"
    assert (GATE(ours), gate(ours)) == (True, False)


@pytest.mark.data
def test_hardly_any_incident_is_held_back_for_what_else_it_speaks_of(public: Path) -> None:
    sets = ("t6/*", "t26/*", "idrisi/*", "french/*")
    texts = [post.text for name in sets for post in read_set(public, name) if post.hazards]
    texts += [post.text for part in ("train", "test") for post in read_part(CORPUS / part) if post.hazards]
    held = [text for text in texts if not GATE(text) and GATE.weighed(text).is_enough]
    assert len(held) <= 0.0005 * len(texts), held


def test_names_the_sections_of_what_it_explains() -> None:
    for post in read_part(CORPUS / "train")[::20]:
        assert GATE.sections_in(post.text) == {entry.section for entry in GATE.why_passed(post.text)}, post.text


@given(st.text(max_size=100))
def test_more_words_never_close_the_gate(text: str) -> None:
    assert GATE(f"{text} incendie")


def test_reads_a_lexicon_of_the_analysts_own(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("$here = zorglub | bidule  # two names\n[fire]\ntruc* + $here\n!*incendi*\n", encoding="utf-8")
    gate = Gate.load(mine)
    assert gate("un trucmuche au zorglub")
    assert not gate("un trucmuche ailleurs qu'ici")
    assert not gate.why_passed("incendiaire")
    assert [entry.written for entry in gate.why_passed("bidule truc")] == ["truc* + $here"]


def test_finds_entries_of_three_parts_in_any_order(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("[fire]\nzorglub + bidule | machin + truc\n", encoding="utf-8")
    gate = Gate(entries_from(mine)[0])
    assert gate("truc machin zorglub")
    assert not gate("truc machin bidule")


def test_every_section_keeps_enough_entries_for_the_models_features() -> None:
    sections = [entry.section for entry in GATE.entries]
    assert all(sections.count(section) >= LEAST_ENTRIES for section in SECTIONS)


def test_adds_up_the_points_of_the_words(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("[points]\nthreshold 2.0\nzorglub 1.2\nbidu* 0.8\nparty -0.5\n", encoding="utf-8")
    gate = Gate([], points_from(mine))
    assert gate("zorglub, des bidules")
    assert gate("zorglub et zorglub")
    assert not gate("zorglub")
    assert not gate("zorglub, des bidules, party")
    assert gate.weighed("Bidules au zorglub ici").words == (("bidu*", 0.8), ("zorglub", 1.2))
    assert gate.weighed("Bidules au zorglub ici").points == 2.0


def test_passes_by_points_what_no_entry_knows() -> None:
    posts = [post for post in read_part(CORPUS / "train") if post.hazards]
    by_points = [post for post in posts if GATE.weighed(post.text).is_enough and not GATE.why_passed(post.text)]
    assert len(by_points) >= LEAST_BY_POINTS * len(posts)


def test_a_file_of_the_analysts_own_changes_a_words_points(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("[points]\nclavier 50\n", encoding="utf-8")
    assert not GATE("mon chat dort sur le clavier")
    assert Gate.load(mine)("mon chat dort sur le clavier")
    mine.write_text("[points]\nthreshold 99\n", encoding="utf-8")
    assert not Gate.load(mine).weighed("la rivière est dans le gymnase").is_enough


SAMPLE = [
    *(
        Example(f"water in the cellar number {n} near Brisbane", "corpus", f"en-{n % 3}", is_incident=True)
        for n in range(9)
    ),
    *(Example(f"happy birthday to my sister {n}, says Anna", "t6", "", is_incident=False) for n in range(40)),
    *(Example(f"coffee with my sister in Brisbane {n}", "umsab near", "", is_incident=False) for n in range(40)),
]


def test_learns_the_same_points_each_time_and_none_for_names() -> None:
    points = points_for(SAMPLE, [])
    assert file_from(points) == file_from(points_for(SAMPLE, []))
    assert points["cellar"] > 0 > points["sister"]
    assert not {"brisbane", "brisb*", "anna"} & points.keys()
    gate = Gate([], points)
    assert gate("water in my cellar")
    assert not gate("happy birthday to my sister")


def test_writes_points_that_it_reads_back(tmp_path: Path) -> None:
    points = points_for(SAMPLE, [])
    (tmp_path / "points.txt").write_text(file_from(points), encoding="utf-8")
    assert points_from(tmp_path / "points.txt") == points


def test_learns_no_points_without_everyday_posts() -> None:
    with pytest.raises(SettingsError, match="no everyday post to learn from"):
        points_for([example for example in SAMPLE if example.is_incident], [])


def test_takes_for_a_name_what_is_written_with_a_capital() -> None:
    assert names_in(["In Rouen today", "near Rouen again", "the water is in Rouen", "a #rouen b", "a Big b big"]) == {
        "rouen"
    }


@pytest.fixture(scope="module")
def public() -> Path:
    folder = os.environ.get("VIGIE_LABELLED_POSTS")
    if folder is None:
        pytest.skip("needs the labelled posts: set VIGIE_LABELLED_POSTS")
    return Path(folder)


@pytest.mark.data
@pytest.mark.parametrize(
    ("pattern", "most"),
    [
        pytest.param("background/umsab_fr*", 0.055, id="French"),
        pytest.param("background/umsab_en*", 0.06, id="English"),
        pytest.param("t6/*", 0.08, id="off topic beside disasters"),
        pytest.param("[bt][a6]*/*", 0.06, id="all together"),  # background/ and t6/
    ],
)
def test_lets_few_everyday_posts_pass(public: Path, pattern: str, most: float) -> None:
    everyday = [post.text for post in read_set(public, pattern) if not post.hazards]
    assert sum(map(GATE, everyday)) / len(everyday) <= most


@pytest.mark.data
@pytest.mark.parametrize(
    ("pattern", "least"),
    [pytest.param("t26/*", 0.985, id="T26"), pytest.param("idrisi/*", 0.993, id="IDRISI")],
)
def test_passes_incidents_as_the_world_wrote_of_them(public: Path, pattern: str, least: float) -> None:
    ours = {"fire", "flood", "industrial"}
    posts = [post for post in read_set(public, pattern) if post.is_informative and ours & set(post.hazards)]
    assert sum(GATE(post.text) for post in posts) / len(posts) >= least


@pytest.mark.data
@pytest.mark.long
def test_the_shipped_points_are_what_is_learned(public: Path, tmp_path: Path) -> None:
    learned = learn_points(CORPUS, public, tmp_path / "points.txt")
    shipped = points_from(POINTS_FILE)
    assert learned[THRESHOLD] == pytest.approx(shipped[THRESHOLD], abs=0.11)
    differing = [
        word for word in learned.keys() | shipped.keys() if abs(learned.get(word, 0) - shipped.get(word, 0)) > 0.21
    ]
    assert not differing  # a last digit may differ with the machine


@pytest.mark.data
@pytest.mark.long
def test_points_find_incidents_of_authors_they_were_not_learned_from(public: Path) -> None:
    entries = list(GATE.entries)
    examples = list(examples_from(CORPUS, public, Gate(entries)))
    gate = Gate(entries, points_for([example for example in examples if example.group not in UNSEEN_AUTHORS], entries))
    later = [example for example in examples if example.group in UNSEEN_AUTHORS and example.is_incident]
    for language, least in LEAST_RECALL_UNSEEN.items():
        passed = [gate(example.text) for example in later if example.group.startswith(language)]
        assert sum(passed) / len(passed) >= least, language


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        pytest.param("[fuego]\nx", 'line 1: "[fuego]" is no section', id="unknown section"),
        pytest.param("brul*", 'line 1: "brul*" stands before any section', id="no section"),
        pytest.param("[fire]\nbru*ler", 'line 2: "bru*ler": found "bru*ler"', id="star inside"),
        pytest.param("[fire]\neau +", 'line 2: "eau +": found ""', id="empty part"),
        pytest.param("[fire]\na", 'line 2: "a": found "a"', id="too short"),
        pytest.param("[fire]\nbrule\nbrûlé", 'line 3: "brûlé" already stands on line 2', id="twice"),
        pytest.param("[fire]\n$lieu + eau", 'line 2: "$lieu + eau": no list $lieu', id="unknown list"),
        pytest.param("[points]\nwater", 'line 2: "water" gives no points', id="no number"),
        pytest.param("[points]\nriver bank 1.0", "gives no points", id="two words"),
        pytest.param("[points]\n*water 1.0", "gives no points", id="star in front"),
        pytest.param("[points]\nwater 1.25", "at most one decimal", id="too fine"),
        pytest.param("[points]\nété 1\nETE 2", 'line 3: "ETE 2": ete already has its points', id="points twice"),
        pytest.param("[fire]\n!zzzz", '"!zzzz" takes out an entry that is not there', id="nothing to take out"),
    ],
)
def test_refuses_a_lexicon_and_says_where(tmp_path: Path, lines: str, complaint: str) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text(lines, encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(complaint)) as refusal:
        Gate.load(mine)
    assert str(refusal.value).startswith("mine.txt: ")


def test_refuses_a_missing_lexicon(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.txt: cannot be read"):
        Gate.load(tmp_path / "none.txt")
