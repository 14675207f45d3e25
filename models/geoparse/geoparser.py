"""Geoparser: from a post's text, language and geotag to the places it speaks of, best first."""

import re
from collections.abc import Sequence
from itertools import pairwise
from math import exp

from models.geoparse.choice import ENGLISH_SPEAKING, NEAR_HOME_KM, SHARE_SURE, Chooser
from models.geoparse.evidence import ACCEPTED, weigh, word_zipf
from models.geoparse.group import GroupVote, Said
from models.geoparse.index import NameIndex, Toponym
from models.geoparse.links import weigh_links
from models.geoparse.mention import Choice, Mention
from models.geoparse.qualifiers import Areas, dep_numbers_in, may_hold_numbers, read_qualifiers
from models.geoparse.reading import Reading
from models.geoparse.scene import holds, rank, rank_of_number
from models.geoparse.typos import Misspellings
from models.places.gazetteer import Gazetteer
from models.places.geometry import distance_km
from models.places.grid import cell_of
from models.places.local import LocalPlace
from records import Geo, Place
from records.place import PlaceSource

MOST_MENTIONS = 40
MOST_PLACES = 8
FOREIGN_VILLAGE = 15_000
METROPOLIS = 200_000
FRENCH_VILLAGE = 2_000
GEOTAG_RADIUS_KM = 0.1
GEOTAG_PLACE_RADIUS_KM = 5.0
GEOTAG_CONFIDENCE, GEOTAG_PLACE_CONFIDENCE = 0.9, 0.75
GEOTAG_AGREES_KM = 50.0
AROUND = 2.0  # "à Laval, en Mayenne": the area that holds another place named comes after it
NUMBER_CONFIDENCE = 0.75
TYPO_CONFIDENCE = 0.55
PROFILE_READ, PROFILE_CONFIDENCE = 0.5, 0.3
BETWEEN_CUES = frozenset({"entre", "between"})
AND = re.compile(r"^ (?:et|and) (?:le |la |les |l['’])?$")
NARROW_KM = 30.0
SETTLED = 0.9  # a share of the probability from which the others' posts need not be asked
SHORT_NAME = 4
WORD_ABROAD = 3.5
FRENCH_ABBREVIATIONS = frozenset({"idf", "bfc", "hdf", "pdl", "aura", "cvl", "paca", "bdr", "pdc"})
SLOPE = 0.9
REASONS_KEPT = 6


class Geoparser:
    """Finds the places of posts.

    Shape   one text in, its places out, best first; nothing found, nothing out; never an exception on any text
    Units   confidence from 0 to 1; radii in kilometres
    Source  the rules stand in README.md; gazetteer in models/places
    """

    version = "geoparse/2"

    def __init__(
        self,
        gazetteer: Gazetteer,
        *,
        home: Place | None = None,
        local: Sequence[LocalPlace] = (),
        votes: GroupVote | None = None,
    ) -> None:
        self.gazetteer = gazetteer
        self.votes = votes
        self.home = home
        self.local = tuple(local)
        self.index = NameIndex(gazetteer, self.local)
        self.chooser = Chooser(self.index, home)
        self.misspellings = Misspellings(gazetteer, home, self.local) if home is not None else None

    def locate(
        self,
        text: str,
        *,
        lang: str | None = None,
        geo: Geo | None = None,
        said: Said | None = None,
        profile: str | None = None,
    ) -> list[Place]:
        """Return the places that a post speaks of, the event's first.

        `said` lets the other recent posts on the subject vote; `profile` is where the author says that he lives.
        """
        geo = geo if geo is not None and _is_on_earth(geo) else None
        reading = Reading(text, lang, self.index.run_together)
        mentions = self._mentions(reading)
        choices = self._read(reading, mentions, geo, said)
        places = self._ranked(reading, choices)
        places += self._misspelt(reading, mentions, places)
        if geo is not None:
            places = self._with_geotag(geo, places)
        if profile and not places:
            places = self._profile_place(profile)
        return _without_repeats(places)[:MOST_PLACES]

    def meanings(self, text: str, *, lang: str | None = None, said: Said | None = None) -> list[tuple[str, Place]]:
        """Return each name that was taken for a place, folded, with the place it stands for, in the text's order.

        With `said` the post votes, as in `locate`.
        """
        reading = Reading(text, lang, self.index.run_together)
        choices = self._read(reading, self._mentions(reading), None, said)
        return [(choice.mention.toponym.key, self._place(choice)) for choice in choices]

    def weighed(self, text: str, *, lang: str | None = None) -> list[tuple[str, float, tuple[str, ...]]]:
        """Return each name found in a text with its log-odds and all its reasons, taken for a place or not.

        Units   a name is taken for a place from `ACCEPTED` on
        """
        reading = Reading(text, lang, self.index.run_together)
        mentions = self._mentions(reading)
        self._read(reading, mentions, None, None)
        return [(mention.toponym.key, mention.score, mention.reasons(len(mention.evidence))) for mention in mentions]

    def _read(self, reading: Reading, mentions: list[Mention], geo: Geo | None, said: Said | None) -> list[Choice]:
        """Return what the names mean that are places."""
        if not mentions:
            return []
        reading.study()
        areas = read_qualifiers(reading, mentions, self.index)
        self._weigh_all(reading, mentions, areas)
        return self._choices(reading, mentions, areas, geo, said)

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
                mention.add(-6.0, f"aucun lieu de ce nom dans le {mention.contradicted_by}")
            self._weigh_size(reading, mention, areas)
            if self.chooser.home_km(mention) <= NEAR_HOME_KM:
                mention.add(0.8, "près de la commune surveillée")
        weigh_links(reading, mentions)

    def _weigh_size(self, reading: Reading, mention: Mention, areas: Areas) -> None:
        toponym = mention.toponym
        if toponym.locals_ or mention.qualified_by is not None or mention.qualified_dep:
            return
        if toponym.is_french:
            if reading.lang == "en" and toponym.population < FRENCH_VILLAGE and self.home is None:
                mention.add(-1.2, "petite commune française dans un texte anglais")
        elif toponym.is_foreign:
            self._weigh_foreign_town(reading, mention, areas)

    def _weigh_foreign_town(self, reading: Reading, mention: Mention, areas: Areas) -> None:
        g, toponym = self.gazetteer, mention.toponym
        largest = toponym.population
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
        if not is_named and largest < FOREIGN_VILLAGE:
            is_own = reading.lang == "en" and any(g.countries[row] in ENGLISH_SPEAKING for row in toponym.rows)
            is_plain = not (word_zipf(toponym.flags, "") or toponym.flags.is_first_name or toponym.flags.is_last_name)
            weight = -2.0 if reading.lang == "fr" else -0.5 if is_own and is_plain else -1.2
            mention.add(weight, "petite localité étrangère")

    def _choices(
        self, reading: Reading, mentions: list[Mention], areas: Areas, geo: Geo | None, said: Said | None
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
            settled = choices[index]
            is_settled = settled is not None and not settled.is_ancestor and settled.share >= SETTLED
            support = {} if is_settled else self._support(mention, said)
            if beside or support:
                choices[index] = self.chooser.choose(mention, areas, reading.lang, geo, beside=beside, support=support)
        _note_between(reading, accepted, choices, self.gazetteer)
        if said is not None:
            own = [c for c in choices if c is not None and c.row is not None and sure.get(c.mention.start) == c.row]
            self._note(said, own, areas)
        return [choice for choice in choices if choice is not None]

    def _support(self, mention: Mention, said: Said | None) -> dict[int, float]:
        if self.votes is None or said is None:
            return {}
        return self.votes.support(said, mention.toponym.key, mention.toponym.rows)

    def _note(self, said: Said, own: list[Choice], areas: Areas) -> None:
        """Leave this post's own findings for the others: never what they themselves decided."""
        if self.votes is None:
            return
        for choice in own:
            assert choice.row is not None  # noqa: S101  a finding of its own is a row
            mention, g = choice.mention, self.gazetteer
            named = areas.besides(g, mention.start)
            is_sure = (
                len(own) > 1
                or mention.qualified_by is not None
                or bool(mention.qualified_dep)
                or g.deps[choice.row] in named.deps
                or g.region(choice.row) in named.regions
                or g.countries[choice.row] in named.countries
            )
            self.votes.note(said, choice.mention.toponym.key, choice.row, is_sure=is_sure)

    def _is_town(self, row: int) -> bool:
        """Tell whether a place is small enough to say where others are: a town, or Washington DC."""
        return row < self.gazetteer.town_rows or self.gazetteer.radii[row] <= NARROW_KM

    def _ranked(self, reading: Reading, choices: list[Choice]) -> list[Place]:
        placed = [(self._rank(reading, choice, place), place) for choice in choices for place in (self._place(choice),)]
        if may_hold_numbers(reading):
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
        reasons = (*choice.reasons, *mention.reasons(REASONS_KEPT))
        widened = self._widened(choice)
        if choice.local is not None:
            return self._local_place(choice.local, confidence, mention.source, reasons, widened=widened)
        assert choice.row is not None  # noqa: S101  a choice is a local place or a row
        if choice.is_ancestor:
            confidence *= 0.5
        return self.gazetteer.place(
            choice.row,
            confidence=confidence,
            source="group" if choice.is_voted else mention.source,
            reasons=reasons,
            widened=widened,
        )

    def _local_place(
        self,
        local: LocalPlace,
        confidence: float,
        source: PlaceSource,
        reasons: tuple[str, ...],
        *,
        widened: float = 1.0,
    ) -> Place:
        radius_km = round(local.radius_km * widened, 2)
        place = Place(
            place_id=f"local:{local.slug}",
            name=local.name,
            lat=local.lat,
            lon=local.lon,
            radius_km=radius_km,
            level=local.level,
            confidence=round(min(1.0, confidence), 3),
            source=source,
            reasons=reasons,
            h3=cell_of(local.lat, local.lon, radius_km),
        )
        return self.gazetteer.inside(self.gazetteer.communes[local.insee], place)

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
        """Return the places of the watched area that a post about something happening almost names."""
        if self.misspellings is None or any(place.level in ("commune", "quartier", "site") for place in places):
            return []
        if not reading.words:
            reading.study()
        if not reading.happenings:
            return []
        taken = [(mention.start, mention.end) for mention in mentions if mention.score >= ACCEPTED]
        found = self.misspellings.found_in(reading, taken)
        return [self._guessed(reading.surface[start:end], meant) for start, end, meant in found]

    def _widened(self, choice: Choice) -> float:
        """Return what a radius is multiplied by: 2 for "près de X", up to half the way to Y for "entre X et Y"."""
        mention = choice.mention
        if mention.between_km and choice.row is not None:
            return 1.0 + mention.between_km / 2 / max(1.0, self.gazetteer.radii[choice.row])
        return 2.0 if mention.is_near else 1.0

    def _guessed(self, written: str, meant: int | LocalPlace) -> Place:
        name = meant.name if isinstance(meant, LocalPlace) else self.gazetteer.names[meant]
        reasons = (f"« {written} » ressemble à {name}",)
        if isinstance(meant, LocalPlace):
            return self._local_place(meant, TYPO_CONFIDENCE, "text", reasons)
        return self.gazetteer.place(meant, confidence=TYPO_CONFIDENCE, source="text", reasons=reasons)

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

    def _profile_place(self, profile: str) -> list[Place]:
        """Return the area of an author's stated place, never finer than EPCI: people write of elsewhere."""
        stated = next((p for p in self.locate(profile) if p.confidence >= PROFILE_READ), None)
        if stated is None:
            return []
        g = self.gazetteer
        keys = (("epci", stated.epci), ("dep", stated.dep), ("admin1", stated.dep), ("country", stated.country))
        row = next((g.areas[kind, code] for kind, code in keys if code and (kind, code) in g.areas), None)
        if row is None or stated.level in ("region", "country"):
            row = g.row_of(stated.place_id)
        reasons = (f"lieu indiqué par l'auteur : {stated.name}",)
        return (
            [g.place(row, confidence=PROFILE_CONFIDENCE, source="profile", reasons=reasons)] if row is not None else []
        )

    def _geotag_place(self, geo: Geo) -> Place:
        """Return the point, with the commune or town it lies in; the commune itself where that is all that was told."""
        g = self.gazetteer
        row = g.row_at(geo.lat, geo.lon)
        where = "loin de tout lieu connu" if row is None else f"dans la commune : {g.names[row]}"
        if row is not None and row >= g.french_rows:
            where = f"près de {g.names[row]}"
        reasons = (f"position donnée par la plateforme, {where}",)
        if row is not None and geo.provenance == "place":
            return g.place(row, confidence=GEOTAG_PLACE_CONFIDENCE, source="geotag", reasons=reasons)
        radius_km = GEOTAG_RADIUS_KM if geo.provenance == "point" else GEOTAG_PLACE_RADIUS_KM
        place = Place(
            place_id=f"point:{geo.lat:.3f},{geo.lon:.3f}" if row is None else g.place_id(row),
            name=f"{geo.lat:.3f}, {geo.lon:.3f}" if row is None else g.names[row],
            lat=geo.lat,
            lon=geo.lon,
            radius_km=radius_km,
            level="point",
            confidence=GEOTAG_CONFIDENCE if geo.provenance == "point" else GEOTAG_PLACE_CONFIDENCE,
            source="geotag",
            reasons=reasons,
            h3=cell_of(geo.lat, geo.lon, radius_km),
        )
        return place if row is None else g.inside(row, place)


def _note_between(
    reading: Reading, accepted: list[Mention], choices: list[Choice | None], gazetteer: Gazetteer
) -> None:
    """Note on X of "entre X et Y" how far Y is."""
    points = [
        None if choice is None or choice.row is None else (gazetteer.lats[choice.row], gazetteer.lons[choice.row])
        for choice in choices
    ]
    for (left, right), (here, there) in zip(pairwise(accepted), pairwise(points), strict=True):
        is_between = left.cue in BETWEEN_CUES and AND.match(reading.surface[left.end : right.start])
        if is_between and here is not None and there is not None:
            left.between_km = distance_km(*here, *there)


def _is_on_earth(geo: Geo) -> bool:
    """Tell whether a geotag is a point; records that were built and not decoded can hold anything."""
    return -90 <= geo.lat <= 90 and -180 <= geo.lon <= 180  # noqa: PLR2004  degrees


def _is_written_so(reading: Reading, start: int, end: int, toponym: Toponym) -> bool:
    """Tell whether an abbreviation stands in capitals."""
    if not toponym.is_caps or not toponym.rows:
        return True
    if reading.lang == "en" and toponym.key in FRENCH_ABBREVIATIONS:
        return False
    return reading.surface[start:end].replace(".", "").replace(" ", "").isupper()


def _without_repeats(places: list[Place]) -> list[Place]:
    seen: dict[tuple[str, str], Place] = {}
    for place in places:
        seen.setdefault((place.place_id, place.level), place)  # a commune, and a point in it
    return list(seen.values())
