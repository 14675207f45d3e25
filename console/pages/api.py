"""API: what programs ask of the console: incidents, sources, silences; and what the API is."""

from datetime import datetime
from typing import Any

from console.api.answers import (
    Incidents,
    IncidentWhole,
    Silences,
    Sources,
    incident_from,
    silence_from,
    source_from,
    unheard_from,
    whole_from,
)
from console.api.asked import MOST_AHEAD, IncidentsAsked
from console.api.description import description
from console.api.geojson import FeatureCollection, feature_from
from console.api.operation import NotDone, Operation
from console.archive import looking
from console.live.listening import listening
from console.live.telling import hearing
from console.pages import api_doing
from console.pages.page import Page, Visit
from records import MalformedRecord
from records.alert import OPEN
from records.time import in_utc


async def incidents(visit: Visit, asked: IncidentsAsked) -> Incidents:
    """Return incidents, and what Vigie is blind to."""
    most = asked.offset + asked.limit
    found = await looking.heads(
        visit.desk.engine,
        levels=asked.level or OPEN,
        hazard=asked.hazard or "",
        area=asked.area,
        text=asked.text,
        since=_moment(asked.since),
        most=most + 1,
    )
    heard = await hearing(visit.desk)
    return Incidents(
        incidents=tuple(incident_from(one) for one in found[asked.offset : most]),
        next_offset=most if len(found) > most and most <= MOST_AHEAD else None,
        listening=heard.hearing,
        blind=tuple(unheard_from(one) for one in heard.deaf),
        is_filling=heard.is_filling,
    )


async def features(visit: Visit, asked: IncidentsAsked) -> FeatureCollection:
    """Return incidents as features of a map."""
    found = await incidents(visit, asked)
    return FeatureCollection(
        features=tuple(feature_from(one) for one in found.incidents),
        next_offset=found.next_offset,
        listening=found.listening,
        blind=found.blind,
        is_filling=found.is_filling,
    )


async def incident(visit: Visit, _: None) -> IncidentWhole:
    """Return one incident with all that belongs to it."""
    found = await looking.incident(visit.desk.engine, visit.request.path_params["incident_id"])
    if found is None:
        raise NotDone("there is no such incident", status=404)
    return whole_from(found)


async def sources(visit: Visit, _: None) -> Sources:
    """Return all sources."""
    statuses = await looking.sources(visit.desk.engine)
    deaf = {one.source: one for one in listening(statuses, visit.desk.clock.now()).deaf}
    return Sources(sources=tuple(source_from(one, deaf.get(one.source)) for one in statuses))


async def silences(visit: Visit, _: None) -> Silences:
    """Return the silences."""
    now = visit.desk.clock.now()
    return Silences(silences=tuple(silence_from(one, now) for one in await looking.silences(visit.desk.engine, now)))


async def described(_visit: Visit, _: None) -> dict[str, Any]:
    """Return what this API is."""
    return description(OPERATIONS)


def _moment(given: datetime | None) -> datetime | None:
    try:
        return in_utc(given) if given else None
    except MalformedRecord as error:
        raise NotDone(str(error), fields={"since": "invalid"}) from error


OPERATIONS = (
    Operation(
        path="/api/incidents",
        name="api_incidents",
        summary="Incidents, the one that changed last first",
        needs="see",
        handler=incidents,
        query=IncidentsAsked,
        answer=Incidents,
    ),
    Operation(
        path="/api/incidents.geojson",
        name="api_features",
        summary="Incidents, as features of a map",
        needs="see",
        handler=features,
        query=IncidentsAsked,
        answer=FeatureCollection,
        media_type="application/geo+json",
    ),
    Operation(
        path="/api/incidents/{incident_id}",
        name="api_incident",
        summary="One incident with its evidence, revisions, decisions and notifications",
        needs="see",
        handler=incident,
        answer=IncidentWhole,
        refusals=(404,),
    ),
    Operation(
        path="/api/sources",
        name="api_sources",
        summary="Sources, and whether they are listened to",
        needs="see",
        handler=sources,
        answer=Sources,
    ),
    Operation(
        path="/api/silences",
        name="api_silences",
        summary="Silences in force, to come, and over since a day at most",
        needs="see",
        handler=silences,
        answer=Silences,
    ),
    Operation(
        path="/api/openapi.json",
        name="api_description",
        summary="This description",
        needs="anybody",
        handler=described,
    ),
    *api_doing.OPERATIONS,
)
PAGES: tuple[Page, ...] = tuple(one.page for one in OPERATIONS)
