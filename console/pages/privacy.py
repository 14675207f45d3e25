"""Privacy: what is kept and for how long, who took what out, and how somebody can object."""

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from console.archive import audit
from console.archive.database import writing
from console.archive.keeping import keep
from console.figures import privacy_figures as figures
from console.figures.privacy_figures import Kept
from console.pages.page import Page, Visit


async def privacy(visit: Visit) -> Response:
    """Show what is kept."""
    engine, now = visit.desk.engine, visit.desk.clock.now()
    lookers = await figures.lookers(engine, now)
    return visit.render(
        "privacy.html",
        kept=[*await figures.kept(engine, now, visit.desk.setup.incidents_kept), *await _recording(visit)],
        is_recorded=visit.desk.setup.recording_kept is not None,
        last_purge=await figures.last_purge(engine),
        exports=await figures.exports(engine, now),
        looked=sum(times for _, times in lookers),
        lookers=lookers if visit.visitor.may("audit") else (),
        done=visit.request.query_params.get("done", ""),
    )


async def _recording(visit: Visit) -> list[Kept]:
    """Return what the recording keeps beside the archive; empty where there is none."""
    span, tuner = visit.desk.setup.recording_kept, visit.desk.tuner
    if span is None:
        return []
    found = await run_in_threadpool(tuner.recorded) if tuner else None
    return [Kept("recording", span, found.since if found else None, is_late=False)]


async def purge(visit: Visit) -> Response:
    """Let go now of what is too old."""
    engine, now = visit.desk.engine, visit.desk.clock.now()
    gone = await keep(engine, now, visit.desk.setup.incidents_kept)
    async with writing(engine) as connection:
        await audit.note(
            connection, actor=visit.visitor.name, action="purge_asked", object_="archive", detail=gone, at=now
        )
    return visit.go("/privacy", done="purged")


PAGES = (
    Page(path="/privacy", name="privacy", needs="see", handler=privacy),
    Page(path="/privacy/purge", name="purge", needs="administer", handler=purge, methods=("POST",)),
)
