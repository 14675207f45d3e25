"""The feeds over HTTP, for who may read them: two documents, GET only, asked again for nothing unless they changed.

Shape   `/incidents.geojson` and `/incidents.atom`, with an ETag; 304 to who has it. Plain HTTP and no password: it is
        for this machine, or for a server in front. Other sites' pages may read it only where an origin is given
"""

import hashlib

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.sinks.atom import ATOM_TYPE
from connectors.sinks.feeds import ATOM, GEOJSON, Feeds

TYPES = {GEOJSON: "application/geo+json", ATOM: f"{ATOM_TYPE};charset=utf-8"}


def application(feeds: Feeds, *, allow_origin: str = "") -> Starlette:
    """Return what serves a receiver's feeds; `allow_origin` is the origin of other sites' pages, or "*"."""

    async def answer(request: Request) -> Response:
        name = request.url.path.removeprefix("/")
        document = feeds.documents[name]
        headers = {"ETag": f'"{hashlib.sha256(document).hexdigest()[:32]}"', "Cache-Control": "no-cache"}
        headers["X-Content-Type-Options"] = "nosniff"
        if allow_origin:
            headers |= {"Access-Control-Allow-Origin": allow_origin, "Vary": "Origin"}
        if is_known(request.headers.get("if-none-match", ""), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(document, media_type=TYPES[name], headers=headers)

    return Starlette(routes=[Route(f"/{name}", answer, methods=["GET"]) for name in TYPES])


def is_known(asked: str, tag: str) -> bool:
    """Tell whether one of the tags of an If-None-Match is ours; a proxy may have made it a weak one."""
    tags = [one.strip().removeprefix("W/") for one in asked.split(",")]
    return tag in tags or "*" in tags
