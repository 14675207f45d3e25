"""Password: everybody's own, changed by whoever knows the present one."""

from starlette.responses import Response

from console.access.account_rows import Refused
from console.access.entrance import entrance_of
from console.access.login import change_password
from console.access.recognition import address_of
from console.pages.page import Page, Visit


async def password(visit: Visit) -> Response:
    """Show the form, or change the password."""
    if visit.visitor.way != "session":
        return visit.go("/login", next="/password")
    return await _change(visit) if visit.request.method == "POST" else _page(visit, {})


async def _change(visit: Visit) -> Response:
    entrance, form, visitor, now = entrance_of(visit.request), await visit.form(), visit.visitor, visit.desk.clock.now()
    old, new, again = (str(form.get(name, "")) for name in ("old", "new", "again"))
    if new != again:
        return _page(visit, {"again": visit.text("The two are not the same.")}, status=422)
    address = address_of(visit.request)
    if wait := entrance.attempts.wait_before(visitor.name, address, now):  # who found an open session may guess, too
        answer = _page(visit, {"old": visit.text("Too many attempts: wait a while.")}, status=429)
        answer.headers["retry-after"] = str(int(wait) + 1)
        return answer
    try:
        token = await change_password(visit.desk.engine, account_id=visitor.account_id, old=old, new=new, now=now)
    except Refused as error:
        return _page(visit, {error.field: visit.text(str(error))}, status=422)
    entrance.attempts.succeeded(visitor.name, address, now)
    answer = visit.go("/" if visitor.must_change else "/accounts/me", done="password")
    entrance.begin(answer, token)
    return answer


def _page(visit: Visit, wrong: dict[str, str], *, status: int = 200) -> Response:
    return visit.render("password.html", status=status, wrong=wrong)


PAGES = (Page(path="/password", name="password", needs="anybody", handler=password, methods=("GET", "POST")),)
