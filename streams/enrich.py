"""Enrich: posts become signals: what danger, where, how sure; and claims. A plain function over a batch."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, Protocol, cast, runtime_checkable

from msgspec.structs import replace

from detectors.chatter import Chatter
from models.denial import beside_denial, is_denial, names_danger
from models.doubts import Doubts
from models.geoparse.group import Said
from models.masking import masked
from models.near_duplicate import content_ids, fingerprint, is_relay
from models.reading import PostReading, Reader
from records import Claim, Geo, Place, Post, Report, Retraction, Signal, report_in, words_of
from records.report import Credibility
from records.signal import Hazard
from streams.claims import Claiming

WEAK = 0.01  # below this a post says nothing about a hazard, not even to the control series
SECOND = 0.3  # a second hazard is worth a signal of its own from here

SIGNALS_SHARE = 0.14
"""How many ordinary posts become signals, as far as the reader's lessons go: the ratio of a signal is relative to the
signals of its key, not to all posts. Held-out posts say 1 in 7.1 (`python tests/benchmarks/detection`)."""

MOST_TEXT = 1000
"""How much of a post goes on with its signals; names of persons, their numbers and addresses are masked before."""

TELLS = 0.3
"""From here what a post says besides denying tells of a danger: "no, the dam holds, but the street is under water"."""

STATED: Mapping[Credibility, tuple[float, float]] = {"high": (0.95, 140.0), "medium": (0.7, 20.0), "low": (0.3, 1.2)}
"""How probable a hazard is, and how many times likelier it makes such a post, where a report states it: set, not
measured. The surest is as sure as the surest that is read; the least sure counts, and opens no watch by itself."""

FIRST_HAND = 0.95  # of a witness, where a report says that it was seen

REAL = frozenset({"now", "past"})
SPOKEN = ("create", "update")
SHOULD_KNOW = frozenset({"official", "operator"})
OFFICIAL_KINDS = frozenset({"press", "official", "operator"})


@runtime_checkable
class ReadsAhead(Protocol):
    """A reader that reads while whoever asked does something else."""

    def check(self) -> None:
        """Raise BrokenInvariant where it cannot read any more."""

    def begin(self, texts: Sequence[str], langs: Sequence[str | None]) -> Callable[[], list[PostReading]]:
        """Begin to read; what is returned waits for the readings."""


def begin_to_read(reader: Reader, texts: Sequence[str], langs: Sequence[str | None]) -> Callable[[], list[PostReading]]:
    """Begin to read, where the reader can; what is returned gives the readings."""
    return reader.begin(texts, langs) if isinstance(reader, ReadsAhead) else partial(reader.read, texts, langs)


class Locator(Protocol):
    """Places posts."""

    version: str

    def locate(
        self, text: str, *, lang: str | None = None, geo: Geo | None = None, said: Said | None = None
    ) -> list[Place]:
        """Return the places a text speaks of, best first."""


class Enriched(NamedTuple):
    """What became of one post: its one outcome, the signals it gives, what it takes back, and what it claims."""

    outcome: str
    signals: tuple[Signal, ...] = ()
    retraction: Retraction | None = None
    claims: tuple[Claim, ...] = ()


def retraction_of(post: Post, shown: str = "") -> Retraction | None:
    """Return what a post takes back: all that its author said, or what the post itself said before.

    `shown` is what an edited post says now, as its signals have it.
    """
    if post.verb == "create":
        return None
    at = post.received_at
    if post.verb == "purge":
        return Retraction(at=at, author_id=post.author_id) if post.author_id else None
    return Retraction(at=at, post_key=post.key, unless=words_of(shown) if post.verb == "update" else "")


@dataclass(frozen=True)
class Enrich:
    """The step from posts to signals.

    Shape   n posts in, n results out, in the same order
    Errors  none on any text
    """

    reader: Reader
    locator: Locator
    hazards: frozenset[str]
    source_places: Mapping[str, Place]  # where a source's unplaced posts belong: a town's own page or group
    chatter: Chatter = field(default_factory=Chatter)
    claiming: Claiming | None = None  # None: nobody wants to know of needs and offers
    doubts: Doubts = field(default_factory=Doubts)

    def __call__(self, posts: Sequence[Post]) -> list[Enriched]:
        """Return what becomes of each post."""
        return [self.place(post, reading) for post, reading in zip(posts, self.read(posts), strict=True)]

    def read(self, posts: Sequence[Post]) -> list[PostReading | None]:
        """Read posts, None for those that say nothing; no post's reading depends on another's."""
        return self.begin(posts)()

    def begin(self, posts: Sequence[Post]) -> Callable[[], list[PostReading | None]]:
        """Begin to read posts; what is returned gives the readings."""
        spoken = [post for post in posts if post.verb in SPOKEN]
        begun = begin_to_read(self.reader, [post.text for post in spoken], [post.lang for post in spoken])

        def readings() -> list[PostReading | None]:
            found = iter(begun())
            return [next(found) if post.verb in SPOKEN else None for post in posts]

        return readings

    def place(self, post: Post, reading: PostReading | None) -> Enriched:
        """Return what becomes of a post that was read: in their order, for what others said helps to place it."""
        if reading is None:
            return Enriched(post.verb, retraction=retraction_of(post))
        result = self._placed(post, reading)
        if post.verb == "create":
            return result
        shown = result.signals[0].text if result.signals else masked(post.text)
        return result._replace(retraction=retraction_of(post, shown))

    def _placed(self, post: Post, reading: PostReading) -> Enriched:
        report = report_in(post)
        hazards = self._stated(report) if report else self._hazards(reading) or self._denied(post)
        relays = passes_on(post)
        if not hazards:
            return Enriched("no_hazard", claims=() if relays else self._claims(post, reading.language, None))
        said = Said(hazards[0], post.author_id or f"source:{post.source}", post.event_time.timestamp())
        places = self.locator.locate(post.text, lang=reading.language, geo=post.geo, said=said)
        if report:  # a point that somebody chose goes before a name, which may be where he stood
            places = sorted(places, key=lambda place: place.source != "geotag")
        named = [place.name for place in places]
        claims = () if relays else self._claims(post, reading.language, places)
        if not places:
            fallback = self._usual_place(post)
            if fallback is None:
                return Enriched("unplaced", claims=claims)
            places = [fallback]
        shown = masked(post.text, named)[:MOST_TEXT]  # masked whole, so that no half of a name is left
        signals = (self._signal(post, reading, hazard, places, shown) for hazard in hazards)
        told = (
            (_as_stated(signal, report) for signal in signals)
            if report
            else self._with_doubts(post, signals, relays=relays)
        )
        return Enriched("signal", tuple(told), claims=claims)

    def _usual_place(self, post: Post) -> Place | None:
        return self.source_places.get(post.source) or self.source_places.get("*")

    def _claims(self, post: Post, language: str | None, places: Sequence[Place] | None) -> tuple[Claim, ...]:
        """Return what somebody's own post claims; without places nobody has looked for them, and few are worth it.

        Such a post says nothing of a hazard: it is placed by itself, and helps to place no other.
        """
        claiming = self.claiming
        if claiming is None:
            return ()
        if places is None:
            if not claiming.is_any_in(post, language):
                return ()
            places = self.locator.locate(post.text, lang=language, geo=post.geo)
        place = places[0] if places else self._usual_place(post)
        return claiming.claims_of(post, language, place, [place.name for place in places])

    def _with_doubts(self, post: Post, signals: Iterable[Signal], *, relays: bool) -> Iterator[Signal]:
        """Say in a post's signals what its own words say against it, or against what others tell."""
        doubts = self.doubts.read(
            post.text,
            at=post.event_time,
            platform=post.platform or post.source,
            is_official=_tier(post) > 0,
            is_relay=relays,
        )
        denies = is_denial(post.text)
        beside = self._read_beside(post) if denies else None
        for signal in signals:
            yield replace(
                signal, doubts=doubts, is_denial=denies and not _tells(beside, signal.hazard), is_relay=relays
            )

    def _read_beside(self, post: Post) -> PostReading | None:
        """Return what a post says besides denying; the reader, who does not hear a "no", is not asked of that part."""
        rest = beside_denial(post.text)
        return next(iter(self.reader.read([rest], [post.lang]))) if rest else None

    def _hazards(self, reading: PostReading) -> list[str]:
        """Return the hazards that a post is evidence of: the likeliest, and others that it names as surely.

        A burning plant is one happening: where a post speaks of both, it counts as fire.
        """
        if all(ratio == 1.0 for ratio in reading.likelihood_ratios.values()):
            return []  # nothing could be read: base rates are no evidence
        ranked = sorted(reading.hazards.items(), key=lambda item: -item[1])
        spoken = [
            hazard
            for rank, (hazard, p) in enumerate((h, p) for h, p in ranked if h in self.hazards and p >= WEAK)
            if rank == 0 or p >= SECOND
        ]
        if "fire" in spoken and "industrial" in spoken:
            spoken.remove("industrial")
        return spoken

    def _stated(self, report: Report) -> list[str]:
        """Return what a report states, where it is looked for: its words may name nothing, or something else."""
        return [report.hazard] if report.hazard in self.hazards else []

    def _denied(self, post: Post) -> list[str]:
        """Return what an authority or an operator may deny in words that name no hazard: all that we look for.

        "The sirens sounded by mistake" is of no danger, and of every rumour that they began; that a market is not
        cancelled is of none.
        """
        if post.author_kind in SHOULD_KNOW and is_denial(post.text) and names_danger(post.text):
            return sorted(self.hazards)
        return []

    def _signal(self, post: Post, reading: PostReading, hazard: str, places: list[Place], shown: str) -> Signal:
        place, ratio = places[0], reading.likelihood_ratios[hazard] * SIGNALS_SHARE
        at = post.event_time.timestamp()
        subject = f"{hazard}/{place.country}"
        excess = self.chatter.excess(subject, place.area, at)
        if ratio < 1.0:
            self.chatter.note(subject, place.area, post.author_id or post.key, at)
        return Signal(
            post_key=post.key,
            source=post.source,
            hazard=cast(Hazard, hazard),
            place=place,
            event_time=post.event_time,
            received_at=post.received_at,
            probability=round(reading.hazards[hazard], 6),
            likelihood_ratio=round(ratio, 6),
            chatter=round(excess, 3),
            witness_probability=round(reading.witness, 6),
            actuality=reading.actuality,
            author_id=post.author_id,
            author_tier=_tier(post),
            author_kind=post.author_kind,
            cluster_ids=content_ids(post.text, repost_of=post.repost_of),
            fingerprint=fingerprint(post.text),
            has_image=any(media.type in ("image", "video") for media in post.media),
            platform=post.platform or post.source,
            language=reading.language,
            url=post.url,
            text=shown,
            candidates=tuple(places[1:3]),
            versions={"hazard": reading.version or self.reader.version, "place": self.locator.version},
        )


def _as_stated(signal: Signal, report: Report) -> Signal:
    """Return the signal of a report: what was stated holds, whatever is read in its words.

    A form makes words alike: who fills in the same is no copy, and his author counts once anyway.
    """
    probability, ratio = STATED[report.credibility]
    return replace(
        signal,
        probability=probability,
        likelihood_ratio=ratio,
        witness_probability=FIRST_HAND if report.is_first_hand else signal.witness_probability,
        actuality="now",
        cluster_ids=(),
        fingerprint=0,
    )


def _tells(reading: PostReading | None, hazard: Hazard) -> bool:
    return reading is not None and reading.hazards.get(hazard, 0.0) >= TELLS and reading.actuality in REAL


def passes_on(post: Post) -> bool:
    """Tell whether a post passes on what somebody else said."""
    return bool(post.repost_of or post.quote_of) or is_relay(post.text)


def _tier(post: Post) -> int:
    if post.is_trusted:
        return 1 if post.author_kind == "volunteer" else 2  # known, and no authority
    return 1 if post.author_kind in OFFICIAL_KINDS else 0
