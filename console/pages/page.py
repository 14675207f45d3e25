"""Page: an address, the right that it needs, and what answers; a visit: one request for it.

Every page is declared as a `Page`, so that the table of who may do what is the program itself.
"""

import hmac
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from console.access.roles import Right
from console.access.visitor import Visitor
from console.catalogue import LANGUAGES, Language, language_from, words
from console.desk import Desk

SAFE = frozenset({"GET", "HEAD"})
MOST_FIELDS = 100
LARGEST_FIELD = 64 * 1024  # bytes; the longest text anybody types is a message
OURS = frozenset({"same-origin", "none"})  # as browsers say where a request comes from
MOST_DIGITS = 18  # of a number that is sent: any database holds it
TRUSTED_WAYS = frozenset({"token"})  # no browser sends these along by itself


@dataclass(frozen=True)
class Visit:
    """One request, with who asks and what pages work with."""

    request: Request
    desk: Desk
    visitor: Visitor

    @property
    def language(self) -> Language:
        """The language to answer in."""
        chosen = self.request.cookies.get("language", "") or self.visitor.language
        return language_from(chosen, self.request.headers.get("accept-language", ""), self.desk.setup.language)

    def text(self, message: str) -> str:
        """Return a text in the visitor's language."""
        return words(self.language).gettext(message)

    async def form(self) -> FormData:
        """Return what was sent with it.

        Errors  HTTPException where it is no form, or holds what no text holds
        """
        found = await self.request.form(max_files=0, max_fields=MOST_FIELDS, max_part_size=LARGEST_FIELD)
        if any("\0" in name or "\0" in str(value) for name, value in found.multi_items()):
            raise HTTPException(400, "The form holds a NUL.")
        return found

    def render(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page made of a template, with what all templates know."""
        known = {
            "visit": self,
            "visitor": self.visitor,
            "setup": self.desk.setup,
            "language": self.language,
            "languages": LANGUAGES,
            "now": self.desk.clock.now(),
            "is_filling": not self.desk.filling.is_over,
            "path": self.request.url.path,
        }
        found = self.desk.templates[self.language].get_template(template)
        return HTMLResponse(found.render(**known, **values), status_code=status)

    def go(self, path: str, **query: str) -> RedirectResponse:
        """Return the way to another page of ours, after something was done."""
        return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, status_code=303)


def whole_number(text: str) -> int | None:
    """Return the number that an address or a form bears; None where it is none, or longer than any of ours."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else None


Handler = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, kw_only=True)
class Page:
    """One address."""

    path: str
    name: str
    needs: Right
    handler: Handler
    methods: tuple[str, ...] = ("GET",)
    is_api: bool = False  # answers in JSON, refusals too


def routes(pages: Iterable[Page], desk: Desk) -> list[Route]:
    """Return the routes of pages."""
    return [Route(page.path, _endpoint(page, desk), methods=list(page.methods), name=page.name) for page in pages]


def _endpoint(page: Page, desk: Desk) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        visitor: Visitor = request.state.visitor
        visit = Visit(request, desk, visitor)
        if not visitor.may(page.needs):
            return _refused(page, visit)
        if request.method not in SAFE and visitor.way not in TRUSTED_WAYS and not await _came_from_us(visit):
            raise HTTPException(403, "The form is not one of ours, or too old: load the page again.")
        return await page.handler(visit)

    return answer


def _refused(page: Page, visit: Visit) -> Response:
    visitor, request = visit.visitor, visit.request
    is_known = visitor.role is not None
    if page.is_api:
        why = "this needs another role" if is_known else "who are you? Send a token, as in: Authorization: Bearer …"
        headers = None if is_known else {"www-authenticate": "Bearer"}
        return JSONResponse({"error": why}, 403 if is_known else 401, headers)
    if visitor.must_change:
        return visit.go("/password")
    if is_known:
        return visit.render("refused.html", status=403, needs=page.needs)
    query = f"?{request.url.query}" if request.url.query else ""
    back = request.url.path + query if request.method in SAFE else "/"
    return RedirectResponse(f"/login?next={quote(back)}", status_code=303)


async def _came_from_us(visit: Visit) -> bool:
    """Tell whether a request was sent by a page of ours: another site cannot know the visitor's token.

    Browsers that say where a request comes from are believed when they name another site. Our pages tell nobody where
    one comes from, so that `Origin` is "null" in their own forms.
    """
    headers = visit.request.headers
    if headers.get("sec-fetch-site", "same-origin") not in OURS:
        return False
    origin = headers.get("origin", "null")
    if origin != "null" and origin.partition("://")[2] != headers.get("host"):
        return False
    given = headers.get("x-csrf-token") or str((await visit.form()).get("csrf", ""))
    return bool(visit.visitor.csrf) and hmac.compare_digest(given.encode(), visit.visitor.csrf.encode())
