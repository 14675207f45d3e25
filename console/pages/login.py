"""Login: coming in, by password or by somebody else's word, going out, and the language to do it in."""

from math import ceil

from starlette.responses import HTMLResponse, Response

from console.access import sessions
from console.access.account_rows import Refused, note
from console.access.accounts import choose_language
from console.access.entrance import SESSION, Entrance, entrance_of
from console.access.login import from_oidc, log_in
from console.access.oidc import NotVouched, Provider, begun_from
from console.access.recognition import address_of
from console.access.way_back import way_back
from console.archive.database import writing
from console.catalogue import language_from
from console.pages.page import Page, Visit

BEGUN = "vigie-oidc"
BEGUN_SECONDS = 600
YEAR_SECONDS = 365 * 24 * 3600


async def login(visit: Visit) -> Response:
    """Show the form, or let somebody in."""
    if visit.request.method == "POST":
        return await _let_in(visit)
    back = way_back(visit.request.query_params.get("next", "/"))
    if visit.visitor.role is not None:
        return visit.go(back)
    return _page(visit, back)


async def _let_in(visit: Visit) -> Response:
    entrance, form, now = entrance_of(visit.request), await visit.form(), visit.desk.clock.now()
    name, password = str(form.get("name", "")), str(form.get("password", ""))
    back, address = way_back(str(form.get("next", "/"))), address_of(visit.request)
    if wait := entrance.attempts.wait_before(name, address, now):
        why = visit.text("Too many attempts: wait %(seconds)s s.") % {"seconds": ceil(wait)}
        answer = _page(visit, back, name=name, why=why, status=429)
        answer.headers["retry-after"] = str(ceil(wait))
        return answer
    token = await log_in(visit.desk.engine, name=name, password=password, now=now)
    if token is None:
        return _page(visit, back, name=name, why=visit.text("The name or the password is wrong."), status=422)
    entrance.attempts.succeeded(name, address, now)
    return await _come_in(visit, entrance, token, back)


async def oidc(visit: Visit) -> Response:
    """Send somebody to who vouches for him."""
    entrance, provider = entrance_of(visit.request), _provider(visit)
    back = way_back(visit.request.query_params.get("next", "/"))
    if provider is None:
        return visit.go("/login")
    try:
        redirect_uri = f"{entrance.origin(visit.request)}/login/oidc/back"
        address, begun = await provider.begin(redirect_uri, back, visit.desk.clock.now())
    except NotVouched as error:
        return _page(visit, back, why=visit.text(str(error)), status=502)
    answer = Response(status_code=303, headers={"location": address})
    entrance.put(answer, BEGUN, begun.to_cookie(), seconds=BEGUN_SECONDS)
    return answer


async def oidc_back(visit: Visit) -> Response:
    """Let in whoever was vouched for."""
    entrance, provider, now = entrance_of(visit.request), _provider(visit), visit.desk.clock.now()
    if provider is None:
        return visit.go("/login")
    try:
        begun = begun_from(visit.request.cookies.get(entrance.cookie(BEGUN), ""))
        who = await provider.end(begun, visit.request.query_params, now)
    except NotVouched as error:
        failed = _page(visit, "/", why=visit.text(str(error)), status=403)
        entrance.take(failed, BEGUN)
        return failed
    try:
        token = await from_oidc(visit.desk.engine, subject=who.subject, name=who.name, role=who.role, now=now)
    except Refused as error:
        return _page(visit, "/", why=visit.text(str(error)), status=403)
    if token is None:
        return _page(visit, "/", why=visit.text("This account is disabled here."), status=403)
    answer = await _come_in(visit, entrance, token, way_back(begun.way_back))
    entrance.take(answer, BEGUN)
    return answer


async def logout(visit: Visit) -> Response:
    """End the session."""
    entrance, visitor = entrance_of(visit.request), visit.visitor
    if visitor.way == "session":
        async with writing(visit.desk.engine) as connection:
            await sessions.end(connection, visitor.account_id, visitor.session_id)
            await note(connection, visitor.name, "logout", visitor.account_id, {}, at=visit.desk.clock.now())
    answer = visit.go("/login")
    entrance.take(answer, SESSION)
    return answer


async def language(visit: Visit) -> Response:
    """Speak another language from now on."""
    form = await visit.form()
    chosen = language_from(str(form.get("language", "")), "", visit.language)
    if visit.visitor.way == "session":
        who, now = visit.visitor, visit.desk.clock.now()
        await choose_language(visit.desk.engine, account_id=who.account_id, language=chosen, by=who.name, now=now)
    answer = visit.go(way_back(str(form.get("next", "/"))))
    is_https = entrance_of(visit.request).doors.is_https
    answer.set_cookie("language", chosen, max_age=YEAR_SECONDS, secure=is_https, httponly=True, samesite="lax")
    return answer


async def _come_in(visit: Visit, entrance: Entrance, token: str, back: str) -> Response:
    """Begin the new session and end the one before, whoever began that."""
    if visit.visitor.way == "session":
        async with writing(visit.desk.engine) as connection:
            await sessions.end(connection, visit.visitor.account_id, visit.visitor.session_id)
    answer = visit.go(back)
    entrance.begin(answer, token)
    return answer


def _provider(visit: Visit) -> Provider | None:
    return entrance_of(visit.request).provider


def _page(visit: Visit, back: str, *, name: str = "", why: str = "", status: int = 200) -> HTMLResponse:
    return visit.render("login.html", status=status, back=back, name=name, why=why, provider=_provider(visit))


PAGES = (
    Page(path="/login", name="login", needs="anybody", handler=login, methods=("GET", "POST")),
    Page(path="/login/oidc", name="oidc", needs="anybody", handler=oidc),
    Page(path="/login/oidc/back", name="oidc_back", needs="anybody", handler=oidc_back),
    Page(path="/logout", name="logout", needs="anybody", handler=logout, methods=("POST",)),
    Page(path="/language", name="language", needs="anybody", handler=language, methods=("POST",)),
)
