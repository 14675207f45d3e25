"""Problem: what is answered where no page answers: a page that is not there, a form that is none, a fault of ours."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from sqlalchemy import exc
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Match

from console.access.headers import headers
from console.access.visitor import Visitor
from console.archive.taking import DATABASE_IS_AWAY
from console.desk import Desk
from console.pages.page import SAFE, Visit

FAULT = """\
Vigie est en défaut et ne montre rien : ne pas voir d’alerte ici ne veut pas dire qu’il n’y en a pas.
A fault of Vigie's: to see no alert here does not mean that there is none. See its log.
"""
NOT_KEPT = """\
Ce que vous venez d’envoyer n’est peut-être pas gardé. Rechargez cette page pour l’envoyer à nouveau : envoyé deux fois,
cela ne compte qu’une fois.
What you sent may not be kept. Load this page again to send it once more: sent twice, it counts once.
"""
"""After a form: browsers send it again when the page is loaded again, and forms are known by what they hold."""
NOT_TAKEN = 405
LEFT = 499  # as servers log that a browser went away
WORDS = {
    400: "What was sent cannot be read.",
    403: "This was refused.",
    404: "There is no such page.",
    NOT_TAKEN: "This address does not take that.",
    413: "What was sent is too large.",
}


def handlers(desk: Desk) -> dict[int | type[Exception], Callable[[Request, Exception], Awaitable[Response]]]:
    """Return what answers in place of a page, by what happened."""

    async def refused(request: Request, error: Exception) -> Response:
        status, detail, more = 500, "", None
        if isinstance(error, HTTPException):
            status, detail, more = error.status_code, error.detail, error.headers
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": detail}, status, more)
        visitor: Visitor = request.state.visitor
        visit = Visit(request, desk, visitor)
        title, said = (
            visit.text(WORDS.get(status, WORDS[400])),
            "" if _says_no_more(status, detail) else visit.text(detail),
        )
        above = _page_above(request) if status == NOT_TAKEN else ""
        answer = visit.render("problem.html", status=status, title=title, detail=said, above=above)
        answer.headers.update(more or {})
        return answer

    async def gone(_: Request, __: Exception) -> Response:
        """Answer nobody: the browser went away while it sent, and nothing of it was done."""
        return Response(status_code=LEFT)

    async def broken(request: Request, error: Exception) -> Response:
        """Answer without the database and the templates, which may be what is broken."""
        found = headers(desk.setup.online_tiles, is_https=request.url.scheme == "https")
        found["cache-control"] = "no-store"
        is_away = isinstance(error, (*DATABASE_IS_AWAY, exc.TimeoutError))
        status = 503 if is_away else 500
        if request.url.path.startswith("/api/"):
            why = "the database does not answer: send it again" if is_away else "a fault of Vigie's: see its log"
            return JSONResponse({"error": why}, status, found)
        said = FAULT if request.method in SAFE else f"{FAULT}\n{NOT_KEPT}"
        return PlainTextResponse(said, status, found)

    return {HTTPException: refused, ClientDisconnect: gone, Exception: broken}


def _says_no_more(status: int, detail: str) -> bool:
    """Tell whether a detail is only the status in words, as Starlette puts it where no page said anything."""
    return detail == HTTPStatus(status).phrase


def _page_above(request: Request) -> str:
    """Return the page that a form's address belongs to: whoever loads that address anew wants to go on there."""
    path = request.url.path
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        scope = {**request.scope, "path": path, "method": "GET"}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
            return path
    return "/"
