"""Problem: what is answered where no page answers: a page that is not there, a form that is none, a fault of ours."""

from collections.abc import Awaitable, Callable

from sqlalchemy import exc
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

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
NOT_FOUND = 404
WORDS = {
    400: "What was sent cannot be read.",
    403: "This was refused.",
    NOT_FOUND: "There is no such page.",
    405: "This address does not take that.",
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
        title, detail = visit.text(WORDS.get(status, WORDS[400])), visit.text(detail) if status != NOT_FOUND else ""
        answer = visit.render("problem.html", status=status, title=title, detail=detail)
        answer.headers.update(more or {})
        return answer

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

    return {HTTPException: refused, Exception: broken}
