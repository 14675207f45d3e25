"""Live: the stream of what changes, as server-sent events, for every page that shows it.

Shape   `incident` (id, revision, level, row, feature), `feed`, `listening`; `alive` ends each batch and comes every
        fifteen seconds; `again` asks the browser to come back, so that its rights are looked at anew; `reload` says
        that the archive is not the one it knew
"""

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from console.catalogue import Language
from console.desk import Desk
from console.live.frames import frame
from console.live.telling import begin, caught_up
from console.pages.page import Page, Visit, whole_number

LONGEST = 900.0  # seconds; a session that ended in between sees no more than that


async def live(visit: Visit) -> Response:
    """Answer with what changes, from where the browser had got to."""
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    if visit.request.method == "HEAD":
        return Response(media_type="text/event-stream", headers=headers)
    said = visit.request.headers.get("last-event-id") or visit.request.query_params.get("after", "")
    changes = _changes(visit.desk, visit.language, whole_number(said))
    return StreamingResponse(changes, media_type="text/event-stream", headers=headers)


async def _changes(desk: Desk, language: Language, since: int | None) -> AsyncIterator[bytes]:
    await begin(desk)
    with desk.viewers.viewing(language) as viewer:
        until = desk.viewers.told
        if since is not None and since > until:
            yield frame("reload", {})
            return
        missed = caught_up(desk, language, until if since is None else since, until)
        yield await desk.viewers.undisturbed(missed)
        ends_at = asyncio.get_running_loop().time() + LONGEST
        while True:
            try:
                async with asyncio.timeout_at(ends_at):
                    told = await viewer.next()
            except TimeoutError:
                yield frame("again", {})
                return
            if told is None:
                return
            yield told


PAGES = (Page(path="/live", name="live", needs="see", handler=live),)
