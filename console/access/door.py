"""Door: all that stands between the network and a page, in order."""

from starlette.middleware import Middleware

from console.access.doors import Doors
from console.access.entrance import Entrance
from console.access.headers import Headers
from console.access.oidc import Provider
from console.access.recognition import Recognition
from console.access.requests import Requests
from console.desk import Desk


def middleware(desk: Desk, doors: Doors) -> list[Middleware]:
    """Return what guards the pages: the outermost first, so that refusals bear the headers too.

    Errors  SettingsError where the provider of OpenID Connect cannot be one
    """
    provider = Provider(doors.oidc) if doors.oidc else None
    return [
        Middleware(Headers, online_tiles=desk.setup.online_tiles, is_https=doors.is_https),
        Middleware(Requests, hosts=doors.hosts),
        Middleware(Recognition, desk=desk, entrance=Entrance(doors=doors, provider=provider)),
    ]
