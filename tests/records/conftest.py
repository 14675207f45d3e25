"""One record of each kind, every field filled in; and any record, for laws."""

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st

from records import (
    Alert,
    Bulletin,
    Claim,
    Claimed,
    Context,
    Correction,
    CrisisClock,
    DeadLetter,
    Declaration,
    Evidence,
    Geo,
    Media,
    ModelChange,
    Notification,
    Place,
    Post,
    ProfileChange,
    Pulse,
    Signal,
    Statement,
    Tick,
    TrueIncident,
    Truth,
    Verdict,
    encode,
)

GOLDEN = Path(__file__).parents[1] / "golden"
RENEW = "VIGIE_RENEW_GOLDEN"  # set to 1, the golden files are written anew; look at the difference before committing it

SAID_AT = datetime(2012, 1, 30, 7, 37, 0, 250000, tzinfo=UTC)
READ_AT = SAID_AT + timedelta(seconds=2)
QUARTER = Place(
    place_id="local:les-neiges",
    name="Les Neiges",
    lat=49.4811,
    lon=0.1517,
    radius_km=0.8,
    level="quartier",
    confidence=0.75,
    source="text",
    reasons=("« aux Neiges » : quartier du Havre", "commune de la source"),
    country="FR",
    insee="76351",
    dep="76",
    epci="200084952",
    population=165_830,
)
TOWN = Place(
    place_id="fr:76351",
    name="Le Havre",
    lat=49.4944,
    lon=0.1079,
    radius_km=5.0,
    level="commune",
    confidence=0.2,
    source="home",
    reasons=("aucun lieu dans le texte",),
)
EVIDENCE = Evidence(
    post_key="facebook:e0001",
    event_time=SAID_AT,
    author_id="a1b2",
    likelihood_ratio=9.5,
    contribution=1.25,
    is_witness=True,
    platform="facebook",
    author_tier=1,
    has_image=True,
    url="https://example.org/e0001",
    text="de la fumée noire à la centrale",
    copies=3,
)
RECORDS: dict[str, msgspec.Struct] = {
    "post": Post(
        source="facebook",
        id="e0001",
        posted_at=SAID_AT,
        received_at=READ_AT,
        author_id="a1b2",
        text='fumée « noire »\u2028à la centrale 🔥 \\ "EDF"',
        platform="facebook",
        verb="update",
        kind="comment",
        author_kind="press",
        lang="fr",
        url="https://example.org/e0001",
        geo=Geo(lat=49.48, lon=0.15, provenance="place"),
        thread_id="t1",
        reply_to="r1",
        repost_of="e0000",
        quote_of="q1",
        media=(Media(type="image", alt="la centrale"),),
        rule_tags=("centrale",),
        is_trusted=True,
        cursor="17",
        raw_sha256="0" * 64,
    ),
    "post_least": Post(source="s", id="1", posted_at=SAID_AT, received_at=SAID_AT, author_id="", text=""),
    "pulse": Pulse(source="bluesky", minute=SAID_AT, language="fr", area="76", outcomes={"kept": 3, "gated": 97}),
    "signal": Signal(
        post_key="facebook:e0001",
        source="facebook",
        hazard="industrial",
        place=QUARTER,
        event_time=SAID_AT,
        received_at=READ_AT,
        probability=0.97,
        likelihood_ratio=125.5,
        witness_probability=0.9,
        chatter=1.5,
        actuality="now",
        author_id="a1b2",
        author_tier=2,
        author_kind="volunteer",
        is_relay=True,
        cluster_ids=("repost:e0000", "link:x"),
        fingerprint=-(1 << 63),
        has_image=True,
        platform="facebook",
        language="fr",
        url="https://example.org/e0001",
        text="de la fumée noire à la centrale",
        candidates=(TOWN,),
        versions={"hazard": "hazard/1"},
    ),
    "tick": Tick(hazard="flood", area="76", at=SAID_AT),
    "alert": Alert(
        incident_id="fire-0123456789abcdef",
        revision=3,
        level="alert",
        hazard="fire",
        place=QUARTER,
        onset=SAID_AT - timedelta(minutes=4),
        raised_at=SAID_AT,
        score=1.5,
        probability=0.999,
        severity="Severe",
        urgency="Immediate",
        certainty="Likely",
        evidence=(EVIDENCE,),
        posts=12,
        authors=11,
        witnesses=4,
        copies=3,
        explanation={"fr": "Douze personnes parlent d'un feu.", "en": "Twelve people speak of a fire."},
        unknowns=("no_official_word", "place_uncertain"),
        thresholds={"watch": 1000.0, "alert": 50000.0},
        profile="city/1",
        versions={"rule": "burst/1", "hazard": "hazard/1"},
        area="76",
        also=("Harfleur",),
        clock=CrisisClock(
            first_post=SAID_AT - timedelta(minutes=4),
            first_witness=SAID_AT - timedelta(minutes=4),
            first_picture=SAID_AT - timedelta(minutes=3),
            first_press=SAID_AT - timedelta(minutes=2),
            first_operator=SAID_AT - timedelta(minutes=1),
            first_authority=SAID_AT,
            minutes=5,
            silent_minutes=4,
        ),
        declaration=Declaration(
            outcome="does_not_fit",
            bulletin_id="allo:1",
            minutes=5,
            duty="Usine, poste de garde",
            number="00 00 00 00 00",
        ),
        joins="fire-fedcba9876543210",
        apart_from=("fire-00000000000000aa",),
        owned_as="other",
        corrections=(
            Correction(what="place", by="officier de permanence", at=SAID_AT, reason="vu à la caméra"),
            Correction(what="hazard", by="officier de permanence", at=SAID_AT),
        ),
        usual_per_hour=0.25,
        context=(
            Context(
                bulletin_id="allo:1",
                source="Allo Industrie",
                kind="operator_notice",
                text="Torche visible",
                issued_at=SAID_AT,
                fits=False,
                because={"fr": "à 79 km de là", "en": "79 km away"},
                url="https://example.org/allo",
            ),
        ),
    ),
    "bulletin": Bulletin(
        bulletin_id="vigicrues:1",
        source="vigicrues",
        kind="river_level",
        area="76",
        issued_at=SAID_AT,
        received_at=READ_AT,
        text="La Seine monte.",
        hazard="flood",
        place=TOWN,
        starts_at=SAID_AT,
        ends_at=READ_AT,
        url="https://example.org/b",
        colour="orange",
        phenomenon="incident",
    ),
    "verdict": Verdict(
        incident_id="fire-0123456789abcdef",
        hazard="fire",
        area="76",
        decision="confirm",
        decided_at=SAID_AT,
        decided_by="officier de permanence",
        reason="appel du CODIS",
    ),
    "verdict_relocate": Verdict(
        incident_id="fire-0123456789abcdef",
        hazard="fire",
        area="76",
        decision="relocate",
        decided_at=SAID_AT,
        decided_by="officier de permanence",
        decision_id="0d1e",
        place=QUARTER,
    ),
    "verdict_split": Verdict(
        incident_id="fire-0123456789abcdef",
        hazard="fire",
        area="76",
        decision="split",
        decided_at=SAID_AT,
        decided_by="officier de permanence",
        decision_id="0d1f",
        post_keys=("facebook:e0001", "facebook:e0002"),
    ),
    "verdict_withdraw": Verdict(
        incident_id="fire-0123456789abcdef",
        hazard="fire",
        area="76",
        decision="withdraw",
        decided_at=SAID_AT,
        decided_by="officier de permanence",
        decision_id="0d20",
        withdraws="0d1e",
    ),
    "statement": Statement(
        hazard="fire",
        area="76",
        said=Verdict(
            incident_id="fire-0123456789abcdef",
            hazard="fire",
            area="76",
            decision="confirm",
            decided_at=SAID_AT,
            decided_by="officier de permanence",
            reason="appel du CODIS",
        ),
    ),
    "profile_change": ProfileChange(
        change_id="7c1e",
        name="commune",
        version="3",
        toml='name = "commune"\nversion = "3"\n',
        proposed_by="analyste",
        approved_by="chef de salle",
        decided_at=SAID_AT,
        reason="moins de veilles la nuit",
        replaces="7c1d",
    ),
    "profile_back": ProfileChange(
        change_id="7c1f", name="", version="", toml="", proposed_by="analyste", approved_by="", decided_at=SAID_AT
    ),
    "claimed": Claimed(
        post_key="facebook:e0001",
        claims=(
            Claim(
                kind="need",
                thing="shelter",
                post_key="facebook:e0001",
                source="town",
                platform="facebook",
                event_time=SAID_AT,
                received_at=READ_AT,
                place=QUARTER,
                confidence=0.75,
                quantity=4,
                measure="4 personnes",
                is_closed=True,
                is_call=True,
                answers=("facebook:e0000",),
                text="plus besoin d'un logement pour 4 personnes, merci",
                url="https://example.org/e0001",
                version="solidarity/1",
            ),
        ),
    ),
    "notification": Notification(
        notification_id="00ff/fire-0123456789abcdef/3/cellule",
        receiver="cellule",
        state="failed",
        at=SAID_AT,
        incident_id="fire-0123456789abcdef",
        revision=3,
        level="alert",
        digest_id="digest/2012-01-30T07:00Z",
        route="alertes",
        why="cellule: answered 410",
        attempts=2,
    ),
    "model_change": ModelChange(
        change_id="5ab1",
        digest="0123456789abcdef" * 4,
        version="hazard/4+0123456789ab",
        proposed_by="analyste",
        approved_by="chef de salle",
        decided_at=SAID_AT,
        reason="la torchère n'est plus lue comme un incendie",
        although_worse="deux messages sur mille",
        replaces="5ab0",
    ),
    "dead_letter": DeadLetter(
        topic="posts.v1",
        reason="undecodable",
        detail="cannot read a Post from 3 bytes",
        value=b"\x00\xff{",
        died_at=SAID_AT,
        partition=2,
        offset=41,
    ),
    "truth": Truth(
        incidents=(
            TrueIncident(
                incident_id="fire",
                hazard="fire",
                began_at=SAID_AT - timedelta(minutes=17),
                ended_at=SAID_AT + timedelta(hours=4),
                place=QUARTER,
                first_post_at=SAID_AT,
                official_at=SAID_AT + timedelta(minutes=80),
                post_ids=frozenset({"e0002", "e0001"}),
                label={"fr": "L'incendie de la centrale", "en": "The power station fire"},
            ),
        ),
        false_ones=(TrueIncident(incident_id="hoax", hazard="flood", began_at=SAID_AT),),
        is_complete=True,
    ),
}

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2200, 1, 1), timezones=ZONES)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
KINDS = tuple(dict.fromkeys(type(record) for record in RECORDS.values()))


def strategy_for(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Return any record of a kind: its times, texts and numbers vary within what its fields allow."""
    full = next(record for record in RECORDS.values() if type(record) is kind)
    varied = {
        name: found
        for name in kind.__struct_fields__
        if (found := _varied(kind, name, getattr(full, name))) is not None
    }
    return st.fixed_dictionaries(varied).map(lambda fields: msgspec.structs.replace(full, **fields))


def _varied(kind: type[Any], name: str, value: Any) -> st.SearchStrategy[Any] | None:
    by_type = {datetime: INSTANTS, bytes: st.binary(max_size=40), Place: strategy_for_place()}
    if type(value) in by_type:
        return by_type[type(value)]
    if isinstance(value, str) and name in ("text", "detail", "reason", "author_id", "name", "area"):
        return NAMES
    if isinstance(value, float) and name in ("lat", "lon", "confidence", "probability", "witness_probability"):
        return st.floats(0, 1)
    if name == "fingerprint":
        return st.integers(-(1 << 63), (1 << 63) - 1)
    return None


def strategy_for_place() -> st.SearchStrategy[Place]:
    return st.builds(
        lambda lat, lon, radius, confidence, name: msgspec.structs.replace(
            QUARTER, lat=lat, lon=lon, radius_km=radius, confidence=confidence, name=name
        ),
        st.floats(-90, 90),
        st.floats(-180, 180),
        st.floats(0.001, 20_000),
        st.floats(0, 1),
        NAMES,
    )


@pytest.fixture
def records() -> dict[str, msgspec.Struct]:
    """Provide all of them, by the names of their golden files."""
    return RECORDS


@pytest.fixture(params=RECORDS)
def named(request: pytest.FixtureRequest) -> tuple[str, msgspec.Struct]:
    """Provide each record in turn, with the name of its golden file."""
    return request.param, RECORDS[request.param]


@pytest.fixture
def golden(named: tuple[str, msgspec.Struct]) -> bytes:
    """Provide the bytes of the record's golden file; write them first when asked to."""
    path = GOLDEN / f"{named[0]}.json"
    if os.environ.get(RENEW) == "1":
        GOLDEN.mkdir(exist_ok=True)
        path.write_bytes(encode(named[1]))
    return path.read_bytes()


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def any_record(request: pytest.FixtureRequest) -> tuple[type[Any], st.SearchStrategy[Any]]:
    """Provide each kind of record with a strategy that makes any of it."""
    return request.param, strategy_for(request.param)


@pytest.fixture
def post() -> Post:
    """Provide the least post there can be."""
    least = RECORDS["post_least"]
    assert isinstance(least, Post)
    return least
