"""Each rule of placing, by a pair of posts that differ in what the rule looks at."""

from functools import cache

import pytest

from models.geoparse import Geoparser
from models.places import Gazetteer
from records import Place


@cache
def parser(home: str = "") -> Geoparser:
    gazetteer = Gazetteer()
    return Geoparser(gazetteer, home=gazetteer.home_place(home) if home else None)


def first(text: str, lang: str = "fr") -> Place | None:
    return next(iter(parser().locate(text, lang=lang)), None)


def name_of(text: str, lang: str = "fr") -> str | None:
    place = first(text, lang)
    return place.name if place else None


PAIRS = [
    # ways and their ends
    ("fumée dans le TER Rouen-Dieppe", None, "fumée dans le TER arrêté à Clères", "Clères"),
    ("le tgv lille strasbourg est annulé", None, "lille sous l'orage, le tgv est annulé", "Lille"),
    ("A36 Mulhouse Besançon fermée", None, "A36 fermée à Mulhouse", "Mulhouse"),
    ("qui descend de Perpignan à Lille samedi ?", None, "covoit à Lille", "Lille"),
    ("itinéraire Caen - Le Mans via Alençon", None, "Feu de poubelles à Alençon", "Alençon"),
    # streets, squares, stations
    ("voiture brûlée rue de Rouen", None, "voiture brûlée à Rouen", "Rouen"),
    ("rassemblement place de Nancy", None, "rassemblement à Nancy", "Nancy"),
    ("voiture brûlée rue Sadi Carnot", None, "voiture brûlée rue Sadi Carnot à Brest", "Brest"),
    ("rassemblement sur la place de Nancy", None, "tout le monde sur la place de Clères", "Clères"),
    # products and common nouns
    ("un bordeaux avec le fromage", None, "inondation à Bordeaux", "Bordeaux"),
    ("couteau Laguiole perdu", None, "Le feu est à Laguiole", "Laguiole"),
    ("tarte au maroilles", None, "incendie à Maroilles", "Maroilles"),
    ("le maçon est venu hier", None, "le feu est à Mâcon", "Mâcon"),
    ("un bon camembert de Vimoutiers", None, "la mairie de Vimoutiers est fermée", "Vimoutiers"),
    ("qui a pris les cannes à pêche", None, "orage à Cannes", "Cannes"),
    ("elle a été nice avec moi", None, "elle est à Nice avec moi", "Nice"),
    # persons
    ("le plombier s'appelle Rémi Lisieux", None, "le plombier est à Lisieux", "Lisieux"),
    ("Hélène de Fougerolles joue ce soir", None, "la mairie de Fougerolles brûle", "Fougerolles"),
    ("Koh-Lanta recommence", None, "incendie à Lanta", "Lanta"),
    ("l'adjudant Chambéry a parlé", None, "un adjudant a parlé à Chambéry", "Chambéry"),
    ("J'écoute Ravel en boucle", None, "incendie à Ravel", "Ravel"),
    # teams and governments
    ("Lens a battu Lille 3-1", None, "incendie à Lens", "Lens"),
    ("Allez Sochaux", None, "orage sur Sochaux", "Sochaux"),
    ("Brest recrute un ailier", None, "Brest sous la neige", "Brest"),
    ("Lens 2 - Lille 1, quelle soirée", None, "deux maisons brûlent à Lille", "Lille"),
    ("Moscou dément toute implication", None, "explosion à Moscou", "Moscow"),
    ("le mercato de Nantes me désespère", None, "la cathédrale de Nantes brûle", "Nantes"),
    ("Londres refuse de payer", None, "Londres sous la pluie", "London"),
    # the scene and its observers
    ("depuis Marignane on voit la fumée, c'est à Martigues", "Martigues", "la fumée est à Marignane", "Marignane"),
    ("l'odeur arrive jusqu'à Miramas mais le feu est à Istres", "Istres", "le feu est à Miramas", "Miramas"),
    ("les pompiers de Sisteron sur un feu à Manosque", "Manosque", "les pompiers de Sisteron sur un feu", "Sisteron"),
    ("rien à Lorient, c'est Hennebont qui prend tout", "Hennebont", "l'eau monte à Lorient", "Lorient"),
    ("le feu n'est pas à Agde mais à Narbonne", "Narbonne", "le feu est à Agde", "Agde"),
    ("enfants évacués à Pontarlier après un feu à Morteau", "Morteau", "un feu à Pontarlier", "Pontarlier"),
    ("Landiras : les renforts d'Agen arrivent", "Landiras", "renforts d'Agen", "Agen"),
    # départements and rivers
    ("la Drôme déborde sur la route", None, "la Drôme passe en vigilance rouge", "Drôme"),
    ("l'eau de la Vienne est montée", None, "dans la Vienne, 400 foyers sans courant", "Vienne"),
    ("alerte orages en Mayenne, deux arbres tombés à Laval", "Laval", "alerte orages en Mayenne", "Mayenne"),
    ("vents violents, 76 km/h", None, "vents violents dans le 76", "Seine-Maritime"),
    ("33000 foyers sans courant", None, "toute la Gironde sans courant, alerte", "Gironde"),
    # hashtags
    ("#saintgillescroixdevie", "Saint-Gilles-Croix-de-Vie", "#SaintGillesCroixdeVie", "Saint-Gilles-Croix-de-Vie"),
    ("alerte #islesurlasorgue", "L'Isle-sur-la-Sorgue", "alerte #974", "La Réunion"),
    # short names
    ("feu à Chalon s/Saône", "Chalon-sur-Saône", "feu à chalon/saone", "Chalon-sur-Saône"),
    ("la mer monte à cagnes/mer", "Cagnes-sur-Mer", "feu à Clermont-Fd", "Clermont-Ferrand"),
    ("St. Dié : explosion", "Saint-Dié-des-Vosges", "explosion à st dié", "Saint-Dié-des-Vosges"),
    ("le feu est a grand quevilly", "Le Grand-Quevilly", "le feu est au grand quevilly", "Le Grand-Quevilly"),
]  # fmt: skip


@pytest.mark.parametrize(("post", "expected", "other", "other_expected"), PAIRS, ids=[pair[0] for pair in PAIRS])
def test_a_rule_tells_two_posts_apart(post: str, expected: str | None, other: str, other_expected: str | None) -> None:
    assert (name_of(post), name_of(other)) == (expected, other_expected)


ENGLISH = [
    ("Smoke on Boston Avenue", None, "Smoke in Boston", "Boston"),
    ("Austin got his braces off", None, "Flood in Austin", "Austin"),
    ("Hurricane Harvey is here, pray", None, "Flooding in Houston from Harvey", "Houston"),
    ("Leeds beat Everton again", None, "House fire in Leeds", "Leeds"),
    ("that shirt was made in Lyon", None, "that fire was in Lyon", "Lyon"),
    ("fire near Redding, California", "Redding", "fire near Redding CA", "Redding"),
    ("Wildfire burning near Paradise, CA", "Paradise", "This is paradise", None),
    ("flooding in St. Louis tonight", "St. Louis", "flooding in St Louis tonight", "St. Louis"),
]


@pytest.mark.parametrize(("post", "expected", "other", "other_expected"), ENGLISH, ids=[pair[0] for pair in ENGLISH])
def test_a_rule_tells_two_english_posts_apart(
    post: str, expected: str | None, other: str, other_expected: str | None
) -> None:
    assert (name_of(post, "en"), name_of(other, "en")) == (expected, other_expected)


TERMS = [
    ("vinça le lac, deux canadairs", "ouvre le message"),
    ("Rouen : la cathédrale est fermée", "en tête du message"),
    ("alerte #rouen", "mot-dièse"),
    ("Rouen brûle", "majuscule en début de phrase"),
    ("le feu est à Vernon", "est aussi un prénom"),
    ("le feu est à Pace", "est aussi un nom de famille"),
    ("le feu est à Tulle", "précédé de « a »"),
    ("feu à Sens", "est aussi un mot ("),
    ("du tulle à gap en feu", "est aussi un mot, sans majuscule"),
    ("Orlando Bloom au cinéma", "suivi d'un nom propre"),
    ("la Clio Orlando de papa", "suit un nom propre"),
    ("j'ai bu un vouvray", "suit « un » comme un nom commun"),
    ("son vieux Seville est mort", "suit « son vieux » comme un nom commun"),
    ("on sait que Vitré affronte Rennes", "agit comme une équipe"),
    ("on sait que Moscou dément", "siège d'un pouvoir"),
    ("je suis à Chittenden", "petite localité étrangère"),
    ("Karim habite à Rouen", "destination ou provenance"),
    ("feu à Rouen (76)", "suivi de son territoire"),
    ("feu à Béziérs", "s'écrit autrement"),
    ("Rémi-Lanta ce soir", "fait partie d'un autre nom"),
    ("Saint-Valentin approche", "locution courante"),
    ("un train stjeandeluz", "mots collés"),
    ("la gare de Rouen est fermée", "nom de gare"),
    ("Limoges CSP gagne", "nom de club"),
    ("Boulogne a explosé Dunkerque", "une équipe"),
]


@pytest.mark.parametrize(("text", "term"), TERMS, ids=[term for _, term in TERMS])
def test_each_term_is_counted_and_told(text: str, term: str) -> None:
    told = [reason for _, _, reasons in parser().weighed(text, lang="fr") for reason in reasons]
    assert [reason for reason in told if reason.startswith(term)], told


ENGLISH_TERMS = [
    ("Smoke on Boston Avenue", "autre chose qui en porte le nom"),
    ("my boy Austin is nine", "nom de personne"),
    ("Phoenix rises", "sujet sans préposition"),
    ("i am reading a book", "mot courant avant d'être une ville étrangère"),
    ("Hurricane Florence is near", "nom de tempête"),
    ("Harvey is a strong hurricane", "prénom, comme en portent les tempêtes"),
    ("Brooklyn got her braces off", "une personne"),
    ("a fire at Fry", "petite commune française dans un texte anglais"),
]


@pytest.mark.parametrize(("text", "term"), ENGLISH_TERMS, ids=[term for _, term in ENGLISH_TERMS])
def test_each_term_of_english_is_counted_and_told(text: str, term: str) -> None:
    told = [reason for _, _, reasons in parser().weighed(text, lang="en") for reason in reasons]
    assert [reason for reason in told if reason.startswith(term)], told


@pytest.mark.parametrize(
    ("text", "place_id", "level"),
    [
        pytest.param("Feu à Rouen (14)", "fr:dep:14", "dep", id="no Rouen is in the 14: the number is what is sure"),
        pytest.param("Feu à Laval ON évacue", "fr:53130", "commune", id="ON is a French word here, not Ontario"),
        pytest.param("feu à Rouen, Texas", "fr:76540", "commune", id="no Rouen is in Texas"),
        pytest.param("incendie à Saint-Martin", "country:FR", "country", id="an island is no evidence for itself"),
        pytest.param("Saint-Denis - 20/11/2026 : feu de cave", "fr:93066", "commune", id="a date is no département"),
        pytest.param("feu à Sainte-Colombe, près d'Yvetot", "fr:76569", "commune", id="the post's other place decides"),
        pytest.param("séisme en Géorgie", "country:GE", "country", id="French says Géorgie for the country"),
        pytest.param("un immeuble brûle à gap", "fr:05061", "commune", id="a word behind à, where something burns"),
        pytest.param("A Tours, un incendie", "fr:37261", "commune", id="A that opens the text"),
        pytest.param("il a gap, c'est dur", None, None, id="a without an accent before a word"),
        pytest.param("incendie dans le 14, je pars pour Rouen", "fr:dep:14", "dep", id="a number can lead"),
        pytest.param("feu dans le 76 et le 14", "fr:dep:76", "dep", id="two numbers"),
        pytest.param("Accident à Rouen (12 blessés)", "fr:76540", "commune", id="a count in brackets"),
        pytest.param("Incendie à Rouen (17 hectares)", "fr:76540", "commune", id="a measure in brackets"),
        pytest.param("Feu à Rouen (16/11)", "fr:76540", "commune", id="a date in brackets"),
        pytest.param("Feu à Bolbec (11500 habitants)", "fr:76114", "commune", id="five digits that are no postal code"),
        pytest.param("Feu à Sainte-Colombe (76460)", "fr:76569", "commune", id="a postal code in brackets"),
        pytest.param("Incendie 76460 Sainte-Colombe", "fr:76569", "commune", id="a postal code before the name"),
        pytest.param("dans le 13 ème à Paris", "fr:75056", "commune", id="an ordinal is no département"),
        pytest.param("la brasserie de Fécamp brûle", "fr:76259", "commune", id="a brewery is in its town"),
        pytest.param("Explosion à Lille™", "fr:59350", "commune", id="a sign behind the name"),
        pytest.param("brocante Aulnay 17470", "fr:17024", "commune", id="a postal code behind the name"),
        pytest.param("feu à Paris 12e arrondissement", "fr:arm:75112", "quartier", id="arrondissement"),
        pytest.param("Feu à Bolbec Communauté", "fr:76114", "commune", id="a town and a word behind it"),
    ],
)  # fmt: skip
def test_names_and_areas_agree(text: str, place_id: str | None, level: str | None) -> None:
    place = first(text)
    assert (place and place.place_id, place and place.level) == (place_id, level)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("feu dans le 76 et le 14", ["fr:dep:76", "fr:dep:14"]),
        ("Feu à Rouen #21 novembre", ["fr:76540"]),
        ("#14juillet feu à Rouen", ["fr:76540"]),
        ("un motard (22 ans) blessé à Rouen", ["fr:76540"]),
        ("feu (76, 27)", ["fr:dep:76", "fr:dep:27"]),
        ("tout le 93 sans courant", ["fr:dep:93"]),
        ("depuis 76 ans", []),
    ],
)
def test_numbers_are_departements_where_they_are_said_to_be(text: str, expected: list[str]) -> None:
    assert [place.place_id for place in parser().locate(text, lang="fr")] == expected


def test_near_doubles_the_radius_and_between_reaches_half_the_way() -> None:
    at, near = first("feu à Yvetot"), first("feu près d'Yvetot")
    between = first("feu entre Yvetot et Bolbec")
    assert at is not None and near is not None and between is not None  # noqa: PT018
    assert near.radius_km == pytest.approx(2 * at.radius_km, abs=0.01)
    assert between.place_id == at.place_id
    assert 8 < between.radius_km - at.radius_km < 12  # 20 km lie between them


def test_an_authors_stated_place_is_never_finer_than_its_epci() -> None:
    (place,) = parser().locate("grosse fumée ici", lang="fr", profile="Harfleur, Normandie")
    assert (place.place_id, place.level, place.source) == ("fr:epci:200084952", "epci", "profile")
    assert "Harfleur" in place.reasons[0]
    assert parser().locate("feu à Rouen", lang="fr", profile="Harfleur")[0].source == "text"
    assert parser().locate("grosse fumée", lang="fr", profile="quelque part") == []
    (abroad,) = parser().locate("smoke here", lang="en", profile="Austin, Texas")
    assert (abroad.place_id, abroad.level) == ("admin1:US-TX", "region")


def test_every_reason_says_something_in_words_and_weighs_it() -> None:
    place = first("Incendie au Havre, grosse fumée noire")
    assert place is not None
    assert place.reasons[0] == "seul lieu de ce nom"
    assert any("précédé de « au »" in reason and "+" in reason for reason in place.reasons)
    sainte_colombe = first("incendie à Sainte-Colombe (76)")
    assert sainte_colombe is not None
    assert "des 12 lieux de ce nom" in sainte_colombe.reasons[0]
    assert "territoire cité (76)" in sainte_colombe.reasons


def test_a_place_counts_in_all_areas_that_hold_it() -> None:
    place = first("feu à Oudalle")
    assert place is not None
    assert place.areas == ("fr:76489", "fr:epci:200084952", "fr:dep:76", "fr:reg:28", "country:FR")
    assert place.h3 is not None
    assert place.h3.startswith("87")  # resolution 7: known to 2 km
    dep = first("feux dans le Var")
    assert dep is not None and dep.h3 is not None and dep.h3.startswith("83")  # noqa: PT018
    assert dep.areas == ("fr:dep:83", "fr:reg:93", "country:FR")
