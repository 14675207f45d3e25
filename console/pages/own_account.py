"""Own account: everybody's own sessions, tokens and language."""

import re

from starlette.responses import Response

from console.access import sessions, tokens
from console.access.account_rows import Refused, note
from console.access.roles import Role, within
from console.archive.database import writing
from console.pages.accounts import role_from
from console.pages.page import Page, Visit

LONGEST_LABEL = 64
USUAL_DAYS = 90


async def own_account(visit: Visit) -> Response:
    """Show one's own account."""
    return await _page(visit) if visit.visitor.way == "session" else _elsewhere(visit)


async def make_token(visit: Visit) -> Response:
    """Make a token; it is shown this once."""
    if visit.visitor.way != "session":
        return _elsewhere(visit)
    form, visitor, now = await visit.form(), visit.visitor, visit.desk.clock.now()
    typed = {name: str(form.get(name, "")).strip() for name in ("label", "role", "days")}
    try:
        label, role, days = _label(typed["label"]), _role(visit, typed["role"]), _days(typed["days"])
    except Refused as error:
        return await _page(visit, wrong={error.field: visit.text(str(error))}, typed=typed, status=422)
    async with writing(visit.desk.engine) as connection:
        token = await tokens.make(connection, visitor.account_id, label=label, role=role, now=now, days=days)
        detail = {"label": label, "role": role, "days": days}
        await note(connection, visitor.name, "token_made", visitor.account_id, detail, at=now)
    return await _page(visit, made=token)


async def revoke_token(visit: Visit) -> Response:
    """End a token of one's own."""
    visitor, token_id = visit.visitor, visit.request.path_params["token_id"]
    if visitor.way != "session":
        return _elsewhere(visit)
    async with writing(visit.desk.engine) as connection:
        if await tokens.revoke(connection, visitor.account_id, token_id):
            detail = {"token": token_id}
            await note(connection, visitor.name, "token_revoked", visitor.account_id, detail, at=visit.desk.clock.now())
    return visit.go("/accounts/me", done="token_revoked")


async def end_session(visit: Visit) -> Response:
    """End a session of one's own."""
    visitor, session_id = visit.visitor, visit.request.path_params["session_id"]
    if visitor.way != "session":
        return _elsewhere(visit)
    async with writing(visit.desk.engine) as connection:
        await sessions.end(connection, visitor.account_id, session_id)
        detail = {"session": session_id}
        await note(connection, visitor.name, "session_ended", visitor.account_id, detail, at=visit.desk.clock.now())
    return visit.go("/accounts/me", done="session_ended")


def _elsewhere(visit: Visit) -> Response:
    """Say that only who logged in has an account to look at: not the demo's visitor, and no program with a token."""
    return visit.render("no_account.html", status=403)


def _label(text: str) -> str:
    if not 1 <= len(text) <= LONGEST_LABEL or not text.isprintable():
        raise Refused("Say in 1 to 64 characters what the token is for.", field="label")
    return text


def _role(visit: Visit, text: str) -> Role:
    role = role_from(text)
    if visit.visitor.role is None or role not in within(visit.visitor.role):
        raise Refused("A token may do no more than its account.", field="role")
    return role


def _days(text: str) -> int:
    days = int(text) if re.fullmatch("[0-9]{1,3}", text) else 0
    if not 1 <= days <= tokens.LONGEST.days:
        raise Refused("A token ends after 1 to 366 days.", field="days")
    return days


async def _page(
    visit: Visit,
    *,
    made: str = "",
    wrong: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    engine, visitor, now = visit.desk.engine, visit.visitor, visit.desk.clock.now()
    return visit.render(
        "own_account.html",
        status=status,
        sessions=await sessions.sessions_of(engine, visitor.account_id, now),
        tokens=await tokens.tokens_of(engine, visitor.account_id),
        roles=within(visitor.role) if visitor.role else (),
        made=made,
        wrong=wrong or {},
        typed=typed or {"label": "", "role": "viewer", "days": str(USUAL_DAYS)},
        done=visit.request.query_params.get("done", ""),
    )


PAGES = (
    Page(path="/accounts/me", name="own_account", needs="see", handler=own_account),
    Page(path="/accounts/me/tokens", name="make_token", needs="see", handler=make_token, methods=("POST",)),
    Page(
        path="/accounts/me/tokens/{token_id}", name="revoke_token", needs="see", handler=revoke_token, methods=("POST",)
    ),
    Page(
        path="/accounts/me/sessions/{session_id}",
        name="end_session",
        needs="see",
        handler=end_session,
        methods=("POST",),
    ),
)
