"""Which place? Scores for all places of one name, and the common ancestor where they do not suffice.

Source  weights set by hand and adjusted on own posts (see README.md)
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import exp, log10
from types import MappingProxyType

from models.geoparse.index import NameIndex
from models.geoparse.mention import Choice, Mention
from models.geoparse.qualifiers import AREAS, Areas, lies_in
from models.places.geometry import distance_km
from records import Geo, Place

POPULATION_WEIGHT = 1.0
AREA_BONUS = {
    "country": 1.8,
    "admin1": 1.4,
    "region": 1.5,
    "dep": 0.6,
    "epci": 0.0,
    "comd": -0.8,
    "coma": -1.2,
    "arm": 0.0,
}
FRENCH_TERRITORIES = frozenset({"FR", "PM", "BL", "MF", "WF", "PF", "NC"})
SHARPNESS = 1.6  # the scores are log-odds that each count some evidence twice
FRENCH_TEXT = 1.6
AT_AN_AREA = -2.0
FRENCH_COUNTRY = 0.6  # "en Géorgie" is the country for the French, the state for Americans
SAME_DEP = 1.0
COUNTRY_NAMED = 2.0
SPELT_OTHERWISE = -0.8  # "Munster" is not Münster; but accents are often left out
SPELT = 1.5  # accents and all: "Réding" is not Reading
BESIDE, BESIDE_KM, BESIDE_COUNTRY = 3.0, 50.0, 0.5  # "Sainte-Colombe, près d'Yvetot"
VOTE_TOLD = 0.5
LEAST_COUNTRY = 300_000
SHORT_FORM = -1.2  # "Tournon" for Tournon-sur-Rhône, where a Tournon is
OVERSEAS = 0.8  # nine tenths of French posts come from the mainland; "(974)" outweighs it
SHARE_LEAST = 0.3  # below, and without a common ancestor: no answer
SHARE_SURE = 0.5  # below, the common ancestor instead of a guess
ANCESTOR_SURE = 0.8
GEOTAG_KM = 50.0
LOCAL_BASE = 11.0
LOCAL_SHARE = 0.9
NEAR_HOME_KM = 30.0
ENGLISH_TEXT = 0.6
ENGLISH_SPEAKING = frozenset({"US", "GB", "CA", "AU", "IN", "IE", "NZ"})
KINDRED = 1.0  # another area of the same country is named
DECISIVE = 8.0


class Chooser:
    """Chooses among the places of one name, given where Vigie watches from."""

    def __init__(self, index: NameIndex, home: Place | None) -> None:
        self.index = index
        self.gazetteer = index.gazetteer
        self.home = home
        self._home_bonus: dict[int, float] = {}
        self._home_km: dict[str, float] = {}

    def home_bonus(self, row: int) -> float:
        """Return what nearness to the watched commune adds: 3.6 at its door, 0.8 at 50 km, nothing at 1,000."""
        if self.home is None:
            return 0.0
        bonus = self._home_bonus.get(row)
        if bonus is None:
            g = self.gazetteer
            km = self._km_from_home(row)
            near = 3.0 * exp(-km / 40) + 0.6 * exp(-km / 300)
            bonus = near + (0.6 if g.countries[row] == self.home.country else 0.0)
            if self.home.dep and g.deps[row] == self.home.dep:
                bonus += SAME_DEP
            if g.kinds[row] in ("country", "region", "admin1"):
                bonus *= 0.3
            self._home_bonus[row] = bonus
        return bonus

    def home_km(self, mention: Mention) -> float:
        """Return how far the nearest town or area of that name lies from the watched commune."""
        if self.home is None:
            return float("inf")
        key = mention.toponym.key
        km = self._home_km.get(key)
        if km is None:
            km = min(map(self._km_from_home, mention.toponym.rows), default=float("inf"))
            self._home_km[key] = km
        return km

    def choose(
        self,
        mention: Mention,
        areas: Areas,
        lang: str,
        geo: Geo | None,
        *,
        beside: Sequence[int] = (),
        support: Mapping[int, float] = MappingProxyType({}),
    ) -> Choice | None:
        """Return what a mention means, or None when nothing it could mean fits.

        `beside` are the rows of the post's other places, where these are sure; `support` is what others' posts add.
        """
        areas = areas.besides(self.gazetteer, mention.start)
        if len(mention.toponym.rows) == 1 and not mention.toponym.locals_:
            rows = self._possible(mention)
            return (
                Choice(mention, rows[0], None, 1.0, reasons=self._reasons(rows[0], 1, mention, areas)) if rows else None
            )
        scores = self._scores(mention, areas, lang, geo)
        for row in scores:
            scores[row] += support.get(row, 0.0) + (self._nearness(row, beside) if beside else 0.0)
        if mention.toponym.locals_ and self._is_local(areas, scores):
            return _local_choice(mention)
        if not scores:
            return None
        best = max(scores, key=lambda row: (scores[row], -row))
        share = 1.0 / sum(exp(SHARPNESS * (score - scores[best])) for score in scores.values())
        if share < SHARE_SURE:
            return self._ancestor(mention, scores, best, share)
        reasons = self._reasons(best, len(scores), mention, areas)
        is_voted = support.get(best, 0.0) >= VOTE_TOLD
        if is_voted:
            reasons.append("d'autres messages récents parlent de ce lieu")
        return Choice(mention, best, None, share, is_voted=is_voted, reasons=reasons)

    def _possible(self, mention: Mention) -> list[int]:
        g = self.gazetteer
        rows = [row for row in mention.toponym.rows if row not in self.index.weak_deps or mention.has_area_cue]
        if mention.qualified_dep:
            return [row for row in rows if g.deps[row] == mention.qualified_dep]
        return rows

    def _is_local(self, areas: Areas, scores: dict[int, float]) -> bool:
        """Tell whether the local meaning stands: no other area is named, and no town of that name outweighs it."""
        if self.home is not None and areas.deps and self.home.dep not in areas.deps:
            return False
        return not scores or max(scores.values()) < LOCAL_BASE

    def _scores(self, mention: Mention, areas: Areas, lang: str, geo: Geo | None) -> dict[int, float]:
        """Return a log-odds for each place that the name may mean."""
        g = self.gazetteer
        scores = {}
        for row in self._possible(mention):
            score = self._prior(row, mention, lang)
            if areas or mention.qualified_by is not None:
                score += self._area_score(row, mention, areas)
            if self.home is not None:
                score += self.home_bonus(row)
            if geo is not None and distance_km(geo.lat, geo.lon, g.lats[row], g.lons[row]) <= GEOTAG_KM:
                score += DECISIVE
            scores[row] = score
        return scores

    def _prior(self, row: int, mention: Mention, lang: str) -> float:
        """Return what a place's size, kind, country and spelling say."""
        g = self.gazetteer
        country, kind = g.countries[row], g.kinds[row]
        score = POPULATION_WEIGHT * log10(g.populations[row] + 10)
        if kind != "country" or g.populations[row] > LEAST_COUNTRY:
            score += AREA_BONUS.get(kind, 0.0)  # Grenada is smaller than the Spanish Grenade
        if row in mention.toponym.short_of:
            score += SHORT_FORM
        if lang == "fr":
            score += FRENCH_TEXT if country in FRENCH_TERRITORIES else FRENCH_COUNTRY if kind == "country" else 0.0
        elif lang == "en" and country in ENGLISH_SPEAKING:
            score += ENGLISH_TEXT
        is_overseas = g.deps[row].startswith("97") or country in FRENCH_TERRITORIES - {"FR"}
        if is_overseas and (self.home is None or self.home.dep != g.deps[row]):
            score -= OVERSEAS
        if lang == "fr" and mention.cue == "a" and kind in AREAS:
            score += AT_AN_AREA  # "à Québec" is the town, "au Québec" the province
        return score + _spelling(g.names[row].lower(), mention.written)

    def _nearness(self, row: int, beside: Sequence[int]) -> float:
        """Return what the post's other places add: 3.0 next to one of them, nothing far from all."""
        g = self.gazetteer
        if g.kinds[row] in AREAS:
            return 0.0
        km = min(distance_km(g.lats[row], g.lons[row], g.lats[other], g.lons[other]) for other in beside)
        kindred = any(g.countries[row] == g.countries[other] for other in beside)
        return BESIDE * exp(-km / BESIDE_KM) + (BESIDE_COUNTRY if kindred else 0.0)

    def _area_score(self, row: int, mention: Mention, areas: Areas) -> float:
        g = self.gazetteer
        score = 0.0
        if areas.deps or areas.regions:
            agrees = g.deps[row] in areas.deps or g.region(row) in areas.regions
            score += 2.5 if agrees else -0.5
        if g.countries[row] in areas.countries:
            score += COUNTRY_NAMED if "FR" not in areas.countries else 1.2
        elif g.deps[row] not in areas.deps and any(dep.startswith(f"{g.countries[row]}-") for dep in areas.deps):
            score += KINDRED
        if mention.qualified_by is not None and lies_in(g, row, mention.qualified_by):
            score += 4.0
        if mention.qualified_dep and g.deps[row] == mention.qualified_dep:
            score += 4.0
        return score

    def _reasons(self, best: int, fitting: int, mention: Mention, areas: Areas) -> list[str]:
        """Return in words why this row, of so many that fit."""
        g, count = self.gazetteer, len(mention.toponym.rows)
        if count == 1:
            reasons = ["seul lieu de ce nom"]
        elif fitting == 1:
            reasons = [f"le seul qui convienne des {count} lieux de ce nom"]
        else:
            reasons = [f"le plus probable des {fitting} lieux de ce nom"]
        if g.deps[best] and (g.deps[best] in areas.deps or mention.qualified_dep == g.deps[best]):
            reasons.append(f"territoire cité ({g.deps[best]})")
        elif g.countries[best] in areas.countries:
            reasons.append(f"pays cité ({g.countries[best]})")
        if self.home is not None and self._km_from_home(best) <= NEAR_HOME_KM:
            reasons.append("près de la commune surveillée")
        return reasons

    def _km_from_home(self, row: int) -> float:
        if self.home is None:
            return float("inf")
        return distance_km(self.home.lat, self.home.lon, self.gazetteer.lats[row], self.gazetteer.lons[row])

    def _ancestor(self, mention: Mention, scores: dict[int, float], best: int, share: float) -> Choice | None:
        """Return the département, région or country that most of the likely places share."""
        g = self.gazetteer
        top = scores[best]
        shares: dict[tuple[str, str], float] = defaultdict(float)
        for row, score in scores.items():
            part = exp(SHARPNESS * (score - top)) * share
            for kind in ("dep", "admin1"):
                shares[kind, g.deps[row]] += part
            shares["region", g.region(row)] += part
            country = g.countries[row]
            shares["country", "FR" if country in FRENCH_TERRITORIES else country] += part
        for kind in ("dep", "admin1", "region", "country"):
            if kind == "country" and not mention.is_cued:
                return None  # a whole country only where the text says that something is there
            for (found_kind, code), part in sorted(shares.items()):
                if found_kind == kind and part >= ANCESTOR_SURE and (kind, code) in g.areas:
                    reasons = [f"{len(scores)} lieux de ce nom : leur territoire commun"]
                    return Choice(mention, g.areas[kind, code], None, part, is_ancestor=True, reasons=reasons)
        if share < SHARE_LEAST:
            return None
        return Choice(mention, best, None, share, reasons=[f"{len(scores)} lieux de ce nom, incertain"])


def _spelling(name: str, written: str) -> float:
    """Return what accents say: written as a place's are, or left out where a place has some."""
    if name.isascii():
        return 0.0
    if name == written:
        return SPELT
    return SPELT_OTHERWISE if written.isascii() and len(name) == len(written) else 0.0


def _local_choice(mention: Mention) -> Choice:
    local = mention.toponym.locals_[0]
    operator = f", {local.operator}" if local.operator else ""
    return Choice(mention, None, local, LOCAL_SHARE, reasons=[f"lieu local ({local.kind}{operator})"])
