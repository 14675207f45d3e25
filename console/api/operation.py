"""Operation: one address of the API: what it is asked and what it answers; its page and its description come of it."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, get_origin

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

from console.access.roles import Right
from console.api.answers import Problem
from console.pages.page import Page, Visit
from records import VigieError

JSON = "application/json"
UNPROCESSABLE = 422
NUL = b"\\u0000"  # no text holds one, and not every database takes it


class NotDone(VigieError):
    """What a program asked for cannot be."""

    def __init__(self, error: str, *, status: int = UNPROCESSABLE, fields: dict[str, str] | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.problem = Problem(error=error, fields=fields or {})


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One address."""

    path: str
    name: str
    summary: str
    needs: Right
    handler: Callable[[Visit, Any], Awaitable[Any]]  # gets what was asked, as `query` or `body` says
    answer: type[Any] | None = None  # None: an object of no shape of ours
    method: Literal["GET", "POST"] = "GET"
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    status: int = 200
    media_type: str = JSON
    refusals: tuple[int, ...] = ()  # statuses of its own, beside those that every address has

    @property
    def page(self) -> Page:
        """Its page."""
        return Page(
            path=self.path, name=self.name, needs=self.needs, handler=self._answer, methods=(self.method,), is_api=True
        )

    async def _answer(self, visit: Visit) -> Response:
        try:
            found = await self.handler(visit, await self._asked(visit))
        except NotDone as error:
            return _response(error.problem, error.status, JSON)
        return _response(found, self.status, self.media_type)

    async def _asked(self, visit: Visit) -> Any:
        try:
            if self.body is not None:
                return msgspec.json.decode(await _body(visit), type=self.body)
            return msgspec.convert(_query(visit, self.query), self.query) if self.query else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            status = UNPROCESSABLE if isinstance(error, msgspec.ValidationError) else 400
            raise NotDone(str(error), status=status) from error


def _query(visit: Visit, shape: type[msgspec.Struct]) -> dict[str, str | int | list[str]]:
    """Return what stands in the query: text, but for numbers, and lists of what may be given several times."""
    kinds = {one.name: _plain(one.type) for one in msgspec.structs.fields(shape)}
    given = visit.request.query_params
    found: dict[str, str | int | list[str]] = {}
    for name in given:
        values, kind = given.getlist(name), kinds.get(name)
        if get_origin(kind) is tuple:
            found[name] = values
        elif len(values) > 1:
            raise NotDone(f"{name} is given {len(values)} times", fields={name: "repeated"})
        else:
            is_number = kind is int and _NUMBER.fullmatch(values[0])
            found[name] = int(values[0]) if is_number else values[0]
    return found


def _plain(kind: Any) -> Any:
    """Return a type without what is said about it."""
    return kind.__origin__ if hasattr(kind, "__metadata__") else kind


_NUMBER = re.compile("-?[0-9]{1,9}")


async def _body(visit: Visit) -> bytes:
    kind = visit.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise HTTPException(415, f"a body is {JSON}")
    found = await visit.request.body()
    if NUL in found:
        raise HTTPException(400, "the body holds a NUL")
    return found


def _response(found: Any, status: int, media_type: str) -> Response:
    return Response(msgspec.json.encode(found), status, media_type=media_type)
