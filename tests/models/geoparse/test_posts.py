"""Hand-written posts and the place each is about: place_id of the first answer, or nothing.

No post here was copied from a platform.
"""

from functools import cache

import pytest

from models.geoparse import Geoparser
from models.places import Gazetteer
from models.places.gazetteer import FILES
from models.places.local import LOCAL, load_local_places


@cache
def gazetteer() -> Gazetteer:
    return Gazetteer(FILES)


@cache
def parser(home: str = "") -> Geoparser:
    if not home:
        return Geoparser(gazetteer())
    local = load_local_places(LOCAL / "le_havre.csv", gazetteer()) if home == "76351" else []
    return Geoparser(gazetteer(), home=gazetteer().home_place(home), local=local)


def first_place(text: str, home: str = "") -> str | None:
    return next((place.place_id for place in parser(home).locate(text)), None)


FRENCH = [
    # articles and contractions
    ("Incendie au Havre, grosse fumée noire", "fr:76351"),
    ("les pompiers du Havre sur un feu d'entrepôt", "fr:76351"),
    ("INCENDIE AU HAVRE", "fr:76351"),
    ("le havre ça brûle fort là", "fr:76351"),
    ("#LeHavre #incendie colonne de fumée", "fr:76351"),
    ("#lehavre fumée noire", "fr:76351"),
    ("Feu de hangar aux Sables-d'Olonne", "fr:85194"),
    ("inondation à L'Isle-sur-la-Sorgue ce matin", "fr:84054"),
    ("l'eau monte à La Rochelle, le vieux port est noyé", "fr:17300"),
    ("Explosion au Mans, rue barrée", "fr:72181"),
    ("Feu à St Etienne du Rouvray, usine", "fr:76575"),
    ("gros incendie à Saint-Étienne cette nuit", "fr:42218"),
    ("fuite de gaz à Ste Geneviève des Bois", "fr:91549"),
    ("incendie à saint-malo intra-muros", "fr:35288"),
    ("de l'eau jusqu'aux genoux à Trèbes", "fr:11397"),
    # départements
    ("Feu de forêt à Sainte-Colombe (76)", "fr:76569"),
    ("incendie à Saint-Denis (974)", "fr:97411"),
    ("incendie à Saint-Denis (93)", "fr:93066"),
    ("crue à Villeneuve (04), routes coupées", "fr:04242"),
    ("Inondations dans le 14, restez chez vous", "fr:dep:14"),
    ("plusieurs routes coupées dans le Var", "fr:dep:83"),
    ("Incendie en Gironde, 400 hectares", "fr:dep:33"),
    ("fortes crues dans l'Aude", "fr:dep:11"),
    ("Vents violents en Seine-Maritime", "fr:dep:76"),
    ("la mer déborde partout en Bretagne", "fr:reg:53"),
    ("feux de forêt en Corse", "fr:reg:94"),
    ("Incendie 76600 Le Havre, quartier bouclé", "fr:76351"),
    # words
    ("Inondation à Gap, la route est coupée", "fr:05061"),
    ("feu de broussailles à Corps (38)", "fr:38128"),
    ("éboulement à Mens (38)", "fr:38226"),
    ("Incendie à Tours, un immeuble évacué", "fr:37261"),
    ("fumée au-dessus de Nice", "fr:06088"),
    ("Feu à Lens ce midi", "fr:62498"),
    ("Il y a du gap entre les deux équipes", None),
    ("le corps de ferme a brûlé", None),
    ("je fais deux tours de piste", None),
    ("contre vents et marées, on tient bon", None),
    ("bonjour à tous, belle journée", None),
    ("ça sent le brûlé dehors nan ?", None),
    ("vigilance orange pluie-inondation", None),
    ("on se retrouve place de la République", None),
    ("quelqu'un sait ce qui brûle derrière le Leclerc ?", None),
    # streets, trains, clubs, goods, people
    ("incendie en cours rue de Paris", None),
    ("Gros feu rue de Paris au Havre", "fr:76351"),
    ("accident avenue de Bordeaux", None),
    ("odeur de gaz boulevard de Strasbourg", None),
    ("camion en feu sur la route de Rouen", None),
    ("panne à la gare de Lyon", None),
    ("le camembert et le jambon de Bayonne c'est la vie", None),
    ("j'adore la moutarde de Dijon", None),
    ("Nicolas Laval est un bon acteur", None),
    ("ce soir match de ligue 1, supporters de Lens en feu", None),
    ("le stade de France était plein", None),
    ("je regarde le Tour de France", None),
    ("lu dans Ouest-France : rien de neuf", None),
    ("Miss France sur la une", None),
    # namesakes abroad
    ("incendie à Laval", "fr:53130"),
    ("Orléans : explosion dans une usine", "fr:45234"),
    ("grosse inondation à Bayonne", "fr:64102"),
    ("incendie à Saint-Louis (68)", "fr:68297"),
    ("Feu d'immeuble à Laval, Québec", "geonames:6050610"),
    ("Londres : incendie d'une tour", "geonames:2643743"),
    ("Genève, le Rhône déborde", "geonames:2660646"),
    ("explosion à Anvers dans le port", "geonames:2803138"),
    ("séisme en Italie cette nuit", "country:IT"),
    ("inondations à Bruxelles", "geonames:2800866"),
    # several places
    ("je pars pour Rouen, feu à Gonfreville-l'Orcher", "fr:76305"),
    ("incendie à Cagnes ce soir", "fr:06027"),
    ("Feu à Harfleur, près du Havre", "fr:76341"),
]

ENGLISH = [
    ("Fire in Houston, Texas", "geonames:4699066"),
    ("Flooding in Houston TX right now", "geonames:4699066"),
    ("Wildfire near Fort McMurray, Alberta", "geonames:5955895"),
    ("Huge explosion in Beirut", "geonames:276781"),
    ("Flooding in Calgary, the river is over the banks", "geonames:5913490"),
    ("earthquake in Nepal, buildings down", "country:NP"),
    ("Smoke over Le Havre power plant", "fr:76351"),
    ("Fire at a factory in Manchester", "geonames:2643123"),
    ("Kerala floods: thousands evacuated", "admin1:IN-13"),
    ("Wildfires in California tonight", "admin1:US-CA"),
    ("Explosion in West, Texas fertilizer plant", "admin1:US-TX"),
    ("Springfield, Illinois: chemical leak", "geonames:4250542"),
    ("Flooding in Paris, Texas", "geonames:4717560"),
    ("Fire in Paris tonight", "fr:75056"),
    ("Nice! what a great day", None),
    ("this is so nice of you", None),
    ("reading a book on a mobile phone", None),
    ("I was on fire last night lol", None),
    ("good morning all, happy new year", None),
    ("Manchester United won again", None),
    ("so proud of my son", None),
]

HOME = [
    ("grosse fumée au-dessus de la centrale EDF", "local:centrale-thermique-du-havre"),
    ("feu à la raffinerie Total, torchère énorme", "local:raffinerie-de-normandie"),
    ("ça crame à Caucriauville", "local:caucriauville"),
    ("odeur bizarre quartier des Neiges", "local:quartier-des-neiges"),
    ("cuve en feu chez Chevron Oronite", "local:chevron-oronite-gonfreville"),
    ("bouchon sur le pont de Normandie", "local:pont-de-normandie"),
    ("ça brûle à fecamps", "fr:76259"),
    ("incendie à Harfluer", "fr:76341"),
    ("feu à Saint-Martin-du-Manoir", "fr:76616"),
    ("Feu d'entrepôt à Sainte-Colombe (76)", "fr:76569"),
    ("fumée à Octeville", "fr:76481"),
    ("incendie quartier Saint-François à Lorient (56)", "fr:56121"),
    ("incendie à Marseille", "fr:13055"),
    ("incendie à Paris", "fr:75056"),
    ("les neiges éternelles fondent", None),
    ("bonne nuit tout le monde", None),
]


@pytest.mark.parametrize(("text", "expected"), FRENCH, ids=[text for text, _ in FRENCH])
def test_reads_french_posts_without_a_home(text: str, expected: str | None) -> None:
    assert first_place(text) == expected


@pytest.mark.parametrize(("text", "expected"), ENGLISH, ids=[text for text, _ in ENGLISH])
def test_reads_english_posts_without_a_home(text: str, expected: str | None) -> None:
    assert first_place(text) == expected


@pytest.mark.parametrize(("text", "expected"), HOME, ids=[text for text, _ in HOME])
def test_reads_posts_around_le_havre(text: str, expected: str | None) -> None:
    assert first_place(text, "76351") == expected


ELSEWHERE = [(text, expected) for text, expected in FRENCH if expected != "fr:76351"]


@pytest.mark.parametrize(("text", "expected"), ELSEWHERE, ids=[text for text, _ in ELSEWHERE])
def test_a_home_draws_no_clear_place_to_itself(text: str, expected: str | None) -> None:
    found = first_place(text, "76351")
    assert found is None if expected is None else found != "fr:76351"


def test_a_shared_name_alone_gives_the_common_ancestor() -> None:
    (place,) = parser().locate("Feu d'entrepôt à Sainte-Colombe")
    assert place.level == "country"
    assert place.confidence < 0.6


def test_home_decides_between_places_of_one_name() -> None:
    assert first_place("incendie à Sainte-Colombe", "76351") == "fr:76569"


def test_local_places_match_only_where_they_were_given() -> None:
    assert first_place("ça crame à Caucriauville") is None


def test_a_local_place_rolls_up_to_its_commune() -> None:
    place = parser("76351").locate("ça crame à Caucriauville")[0]
    assert (place.insee, place.dep, place.level) == ("76351", "76", "quartier")


def test_a_former_commune_rolls_up_to_the_commune_of_today() -> None:
    place = parser().locate("incendie à Notre-Dame-de-Gravenchon")[0]
    assert place.insee == "76476"


def test_near_doubles_the_radius() -> None:
    at, near = (parser().locate(text)[0] for text in ("feu à Yvetot", "feu près de Yvetot"))
    assert near.radius_km == pytest.approx(2 * at.radius_km)
