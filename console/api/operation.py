"""Operation: one address of the API: what it is asked and what it answers; its page and its description come of it."""

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
            return msgspec.convert(_query(visit, self.query), self.query, strict=False) if self.query else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            status = UNPROCESSABLE if isinstance(error, msgspec.ValidationError) else 400
            raise NotDone(str(error), status=status) from error


def _query(visit: Visit, shape: type[msgspec.Struct]) -> dict[str, str | list[str]]:
    """Return what stands in the query; only what may be given several times is a list."""
    several = {one.name for one in msgspec.structs.fields(shape) if _is_several(one.type)}
    given = visit.request.query_params
    found: dict[str, str | list[str]] = {}
    for name in given:
        values = given.getlist(name)
        if name not in several and len(values) > 1:
            raise NotDone(f"{name} is given {len(values)} times", fields={name: "repeated"})
        found[name] = values if name in several else values[0]
    return found


def _is_several(kind: Any) -> bool:
    inner = kind.__origin__ if hasattr(kind, "__metadata__") else kind
    return get_origin(inner) is tuple


async def _body(visit: Visit) -> bytes:
    kind = visit.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise HTTPException(415, f"a body is {JSON}")
    return await visit.request.body()


def _response(found: Any, status: int, media_type: str) -> Response:
    return Response(msgspec.json.encode(found), status, media_type=media_type)
