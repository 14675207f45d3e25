"""Geoparser: from a post's text, language and geotag to the places it speaks of, best first."""

from collections.abc import Iterable, Sequence
from math import exp

from models.geoparse.choice import ENGLISH_SPEAKING, SHARE_SURE, Chooser
from models.geoparse.evidence import ACCEPTED, weigh, word_zipf
from models.geoparse.group import Others
from models.geoparse.index import NameIndex, Toponym
from models.geoparse.links import weigh_links
from models.geoparse.mention import Choice, Mention
from models.geoparse.qualifiers import NUMBER, Areas, dep_numbers_in, read_qualifiers
from models.geoparse.reading import Reading
from models.geoparse.scene import holds, rank, rank_of_number
from models.geoparse.typos import Misspellings
from models.geoparse.words import HAPPENINGS
from models.places.gazetteer import Gazetteer
from models.places.geometry import distance_km
from models.places.local import LocalPlace
from records import Geo, Place

MOST_MENTIONS = 40
MOST_PLACES = 8
NEAR_HOME_KM = 30.0
FOREIGN_VILLAGE = 15_000
METROPOLIS = 200_000
FRENCH_VILLAGE = 2_000
GEOTAG_RADIUS_KM = 0.1
GEOTAG_PLACE_RADIUS_KM = 5.0
GEOTAG_AGREES_KM = 50.0
AROUND = 2.0  # "à Laval, en Mayenne": the area that holds another place named comes after it
NUMBER_CONFIDENCE = 0.75
TYPO_CONFIDENCE = 0.55
SHORT_NAME = 4
WORD_ABROAD = 3.5
FRENCH_ABBREVIATIONS = frozenset({"idf", "bfc", "hdf", "pdl", "aura", "cvl", "paca", "bdr", "pdc"})
SLOPE = 0.9
REASONS_KEPT = 6


class Geoparser:
    """Finds the places of posts.

    Shape   one text in, its places out, best first; nothing found, nothing out; never an exception on any text
    Units   confidence from 0 to 1; radii in kilometres
    Source  `shared/design/geolocation.md`; gazetteer in models/places
    """

    name = "geoparse/1"

    def __init__(self, gazetteer: Gazetteer, *, home: Place | None = None, local: Sequence[LocalPlace] = ()) -> None:
        self.gazetteer = gazetteer
        self.home = home
        self.local = tuple(local)
        self.index = NameIndex(gazetteer, self.local)
        self.chooser = Chooser(self.index, home)
        self.misspellings = Misspellings(gazetteer, home, self.local) if home is not None else None

    def locate(
        self, text: str, *, lang: str | None = None, geo: Geo | None = None, others: Others | None = None
    ) -> list[Place]:
        """Return the places that a post speaks of, the event's first."""
        reading = Reading(text, lang, self.index.run_together)
        mentions = self._mentions(reading)
        choices = self._read(reading, mentions, geo, others)
        places = self._ranked(reading, choices)
        places += self._misspelt(reading, mentions, places)
        if geo is not None:
            places = self._with_geotag(geo, places)
        return _without_repeats(places)[:MOST_PLACES]

    def meanings(self, text: str, *, lang: str | None = None, others: Others | None = None) -> list[tuple[str, Place]]:
        """Return each name that was taken for a place, folded, with the place it stands for, in the text's order."""
        reading = Reading(text, lang, self.index.run_together)
        choices = self._read(reading, self._mentions(reading), None, others)
        return [(choice.mention.toponym.key, self._place(choice)) for choice in choices]

    def _read(self, reading: Reading, mentions: list[Mention], geo: Geo | None, others: Others | None) -> list[Choice]:
        """Return what the names mean that are places."""
        if not mentions:
            return []
        reading.study()
        areas = read_qualifiers(reading, mentions, self.index)
        self._weigh_all(reading, mentions, areas)
        return self._choices(reading, mentions, areas, geo, others)

    def locate_many(self, posts: Iterable[tuple[str, str | None, Geo | None]]) -> list[list[Place]]:
        """Return the places of each (text, lang, geo), in the same order."""
        return [self.locate(text, lang=lang, geo=geo) for text, lang, geo in posts]

    def _mentions(self, reading: Reading) -> list[Mention]:
        found = self.index.toponyms_in(reading.folded, reading.surface)
        if not found:
            return []
        return [
            Mention(start, end, toponym, reading.surface[start:end].lower())
            for start, end, toponym in found[: 4 * MOST_MENTIONS]
            if not toponym.is_trap and _is_written_so(reading, start, end, toponym)
        ][:MOST_MENTIONS]

    def _weigh_all(self, reading: Reading, mentions: list[Mention], areas: Areas) -> None:
        for mention in mentions:
            weigh(reading, mention, self.gazetteer)
            if mention.toponym.locals_:
                mention.add(2.0, "nom connu sur place")
                if mention.toponym.words == 1 and not (mention.is_capital or mention.is_hashtag):
                    mention.add(-2.0, "un seul mot, sans majuscule")
            if mention.qualified_by is not None or mention.qualified_dep:
                mention.add(2.0, "suivi de son territoire")
            elif mention.contradicted_by:
                mention.add(-4.0, f"aucun lieu de ce nom dans le {mention.contradicted_by}")
            self._weigh_size(reading, mention, areas)
            if self.chooser.home_km(mention) <= NEAR_HOME_KM:
                mention.add(0.8, "près de la commune surveillée")
        weigh_links(reading, mentions)

    def _weigh_size(self, reading: Reading, mention: Mention, areas: Areas) -> None:
        toponym = mention.toponym
        if toponym.locals_ or mention.qualified_by is not None or mention.qualified_dep:
            return
        g = self.gazetteer
        if any(row < g.french_rows for row in toponym.rows):
            largest = max(g.populations[row] for row in toponym.rows)
            if reading.lang == "en" and largest < FRENCH_VILLAGE and self.home is None:
                mention.add(-1.2, "petite commune française dans un texte anglais")
        elif all(g.kinds[row] == "city" for row in toponym.rows):
            self._weigh_foreign_town(reading, mention, areas)

    def _weigh_foreign_town(self, reading: Reading, mention: Mention, areas: Areas) -> None:
        g, toponym = self.gazetteer, mention.toponym
        largest = max(g.populations[row] for row in toponym.rows)
        is_plain_name = mention.is_capital and (toponym.words > 1 or largest >= METROPOLIS)
        is_plain_name = is_plain_name or (mention.is_hashtag and largest >= METROPOLIS)
        if word_zipf(toponym.flags, "") > WORD_ABROAD and not is_plain_name:
            is_written = mention.is_cued and mention.is_capital and not mention.is_sentence_start
            mention.add(
                -0.3 if is_written else -0.8 if mention.is_cued else -1.5,
                "mot courant avant d'être une ville étrangère",
            )
        is_person = toponym.flags.is_given_name or toponym.flags.is_last_name
        if is_person and not mention.is_cued and mention.qualified_by is None:
            weight = -0.3 if largest >= METROPOLIS else -2.0 if toponym.flags.is_given_name else -1.0
            mention.add(weight, "nom de personne avant d'être une ville étrangère")
        if len(toponym.key) <= SHORT_NAME and not mention.is_capital:
            mention.add(-1.5, "nom étranger court, sans majuscule")
        is_named = any(g.countries[row] in areas.countries or g.deps[row] in areas.deps for row in toponym.rows)
        if not is_named and all(g.populations[row] < FOREIGN_VILLAGE for row in toponym.rows):
            is_own = reading.lang == "en" and any(g.countries[row] in ENGLISH_SPEAKING for row in toponym.rows)
            is_plain = not (word_zipf(toponym.flags, "") or toponym.flags.is_first_name or toponym.flags.is_last_name)
            weight = -2.0 if reading.lang == "fr" else -0.5 if is_own and is_plain else -1.2
            mention.add(weight, "petite localité étrangère")

    def _choices(
        self, reading: Reading, mentions: list[Mention], areas: Areas, geo: Geo | None, others: Others | None
    ) -> list[Choice]:
        """Choose for each name by itself, then again beside the post's other places, then with the others' votes."""
        accepted = [mention for mention in mentions if mention.score >= ACCEPTED]
        choices = [self.chooser.choose(mention, areas, reading.lang, geo) for mention in accepted]
        sure = {
            choice.mention.start: choice.row
            for choice in choices
            if choice is not None
            and choice.row is not None
            and choice.share >= SHARE_SURE
            and self._is_town(choice.row)
        }
        for index, mention in enumerate(accepted):
            if len(mention.toponym.rows) < 2:  # noqa: PLR2004
                continue
            beside = [row for start, row in sure.items() if start != mention.start]
            support = self._support(mention, others)
            if beside or support:
                choices[index] = self.chooser.choose(mention, areas, reading.lang, geo, beside=beside, support=support)
        if others is not None:
            self._note(others, sure, accepted, choices, areas)
        return [choice for choice in choices if choice is not None]

    def _support(self, mention: Mention, others: Others | None) -> dict[int, float]:
        if others is None:
            return {}
        key, rows = mention.toponym.key, mention.toponym.rows
        return others.votes.support(others.subject, key, rows, others.author, others.at)

    def _note(
        self,
        others: Others,
        sure: dict[int, int],
        accepted: list[Mention],
        choices: list[Choice | None],
        areas: Areas,
    ) -> None:
        """Leave this post's own findings for the others: never what they themselves decided."""
        for mention, choice in zip(accepted, choices, strict=True):
            row = sure.get(mention.start)
            if row is None or choice is None or choice.row != row:
                continue
            has_context = mention.qualified_by is not None or mention.qualified_dep or len(sure) > 1 or bool(areas)
            others.votes.note(
                others.subject, mention.toponym.key, row, others.author, others.at, is_sure=bool(has_context)
            )

    def _is_town(self, row: int) -> bool:
        return row < self.gazetteer.town_rows

    def _ranked(self, reading: Reading, choices: list[Choice]) -> list[Place]:
        placed = [(self._rank(reading, choice, place), place) for choice in choices for place in (self._place(choice),)]
        if NUMBER.search(reading.surface):
            placed += self._numbered_deps(reading, {place.dep for _, place in placed})
        if len(placed) > 1:
            placed = [
                (score - AROUND if any(holds(self.gazetteer, place, other) for _, other in placed) else score, place)
                for score, place in placed
            ]
            placed.sort(key=lambda pair: -pair[0])
        return [place for _, place in placed]

    def _rank(self, reading: Reading, choice: Choice, place: Place) -> float:
        score = rank(reading, choice.mention, place)
        if choice.is_ancestor:
            score -= 0.3
        is_home = self.home is not None and place.level == "commune" and place.insee == self.home.insee
        return score - 0.02 if is_home else score  # people name the town they all live in along with the quarter

    def _place(self, choice: Choice) -> Place:
        mention = choice.mention
        confidence = choice.share / (1.0 + exp(-SLOPE * (mention.score - ACCEPTED + 0.7)))
        reasons = (*choice.reasons, *mention.reasons()[:REASONS_KEPT])
        widened = 2.0 if mention.is_near else 1.0
        if choice.local is not None:
            return self._local_place(choice.local, confidence, mention, reasons)
        assert choice.row is not None  # noqa: S101  a choice is a local place or a row
        if choice.is_ancestor:
            confidence *= 0.5
        return self.gazetteer.place(
            choice.row, confidence=confidence, source=mention.source, reasons=reasons, widened=widened
        )

    def _local_place(self, local: LocalPlace, confidence: float, mention: Mention, reasons: tuple[str, ...]) -> Place:
        g = self.gazetteer
        row = g.communes.get(local.insee)
        return Place(
            place_id=f"local:{local.slug}",
            name=local.name,
            lat=local.lat,
            lon=local.lon,
            radius_km=local.radius_km,
            level=local.level,
            confidence=round(min(1.0, confidence), 3),
            source=mention.source,
            reasons=reasons,
            country="FR",
            insee=local.insee,
            dep=g.deps[row] if row is not None else None,
            epci=(g.epcis[row] or None) if row is not None else None,
        )

    def _numbered_deps(self, reading: Reading, covered: set[str | None]) -> list[tuple[float, Place]]:
        """Return the départements named by number, "dans le 76", with their ranks."""
        g = self.gazetteer
        return [
            (
                rank_of_number(reading, start, NUMBER_CONFIDENCE),
                g.place(g.areas["dep", dep], confidence=NUMBER_CONFIDENCE, source="text", reasons=(f"numéro ({dep})",)),
            )
            for dep, start in dep_numbers_in(reading.surface).items()
            if dep not in covered and ("dep", dep) in g.areas
        ]

    def _misspelt(self, reading: Reading, mentions: list[Mention], places: list[Place]) -> list[Place]:
        if self.misspellings is None or any(place.level in ("commune", "quartier", "site") for place in places):
            return []
        if HAPPENINGS.isdisjoint(reading.folded.split()):
            return []  # guessing is for posts that speak of something happening
        taken = [(mention.start, mention.end) for mention in mentions if mention.score >= ACCEPTED]
        return [
            self.gazetteer.place(
                row,
                confidence=TYPO_CONFIDENCE,
                source="text",
                reasons=(f"« {reading.surface[start:end]} » ressemble à {self.gazetteer.names[row]}",),
            )
            for start, end, row, _ in self.misspellings.found_in(reading, taken)
        ]

    def _with_geotag(self, geo: Geo, places: list[Place]) -> list[Place]:
        """Put the geotag's place among those of the text: it leads unless the text names a place within its reach."""
        near = [
            place
            for place in places
            if place.level not in ("country", "region", "dep")
            and distance_km(geo.lat, geo.lon, place.lat, place.lon) <= GEOTAG_AGREES_KM
        ]
        tagged = self._geotag_place(geo)
        others = [place for place in places if place not in near]
        return [*near, tagged, *others] if near else [tagged, *others]

    def _geotag_place(self, geo: Geo) -> Place:
        g = self.gazetteer
        row = g.row_at(geo.lat, geo.lon)
        is_point = geo.provenance == "point"
        around = f"près de {g.names[row]}" if row is not None else "loin de tout lieu connu"
        return Place(
            place_id=g.place_id(row) if row is not None else f"point:{geo.lat:.3f},{geo.lon:.3f}",
            name=g.names[row] if row is not None else f"{geo.lat:.3f}, {geo.lon:.3f}",
            lat=geo.lat,
            lon=geo.lon,
            radius_km=GEOTAG_RADIUS_KM if is_point else GEOTAG_PLACE_RADIUS_KM,
            level="point" if is_point else "commune",
            confidence=0.9 if is_point else 0.75,
            source="geotag",
            reasons=(f"position donnée par la plateforme, {around}",),
            country=g.countries[row] if row is not None else "",
            insee=g.insee(row) if row is not None else None,
            dep=(g.deps[row] or None) if row is not None else None,
            epci=(g.epcis[row] or None) if row is not None else None,
            population=g.populations[row] if row is not None else 0,
        )


def _is_written_so(reading: Reading, start: int, end: int, toponym: Toponym) -> bool:
    """Tell whether an abbreviation stands in capitals."""
    if not toponym.is_caps or not toponym.rows:
        return True
    if reading.lang == "en" and toponym.key in FRENCH_ABBREVIATIONS:
        return False
    return reading.surface[start:end].replace(".", "").replace(" ", "").isupper()


def _without_repeats(places: list[Place]) -> list[Place]:
    seen: dict[str, Place] = {}
    for place in places:
        seen.setdefault(place.place_id, place)
    return list(seen.values())
