"""Accounts: who may log in, as what; for whoever administers Vigie here."""

from collections.abc import Awaitable, Callable

from starlette.responses import Response

from console.access import accounts as of
from console.access.account_rows import Refused
from console.access.roles import RIGHTS, ROLES, Role
from console.pages.page import Page, Visit


async def accounts(visit: Visit) -> Response:
    """Show all accounts, or make one."""
    return await _make(visit) if visit.request.method == "POST" else await _page(visit)


async def _make(visit: Visit) -> Response:
    form = await visit.form()
    name, chosen = str(form.get("name", "")), str(form.get("role", ""))
    try:
        role = role_from(chosen)
        password = await of.create(
            visit.desk.engine, name=name, role=role, by=visit.visitor.name, now=visit.desk.clock.now()
        )
    except Refused as error:
        wrong = {error.field: visit.text(str(error))}
        return await _page(visit, wrong=wrong, typed={"name": name, "role": chosen}, status=422)
    return await _page(visit, made=(name, password))  # no redirect: a password stands in no address


async def change(visit: Visit) -> Response:
    """Do to an account what the form says."""
    form = await visit.form()
    account_id, done = visit.request.path_params["account_id"], str(form.get("do", ""))
    try:
        if done == "renew_password":
            made = await of.renew_password(
                visit.desk.engine, account_id=account_id, by=visit.visitor.name, now=visit.desk.clock.now()
            )
            return await _page(visit, made=made)
        await _do(visit, account_id, done, str(form.get("role", "")))
    except Refused as error:
        return await _page(visit, wrong={"": visit.text(str(error))}, status=422)
    return visit.go("/accounts", done=done)


async def _do(visit: Visit, account_id: str, done: str, role: str) -> None:
    engine, by, now = visit.desk.engine, visit.visitor.name, visit.desk.clock.now()
    if done == "change_role":
        await of.change_role(engine, account_id=account_id, role=role_from(role), by=by, now=now)
    elif done in ACTIONS:
        await ACTIONS[done](engine, account_id=account_id, by=by, now=now)
    else:
        raise Refused("This cannot be done to an account.")


ACTIONS: dict[str, Callable[..., Awaitable[None]]] = {
    "disable": of.disable,
    "enable": of.enable,
    "end_sessions": of.end_sessions,
}


def role_from(text: str) -> Role:
    """Return a role that a form names.

    Errors  Refused where there is none of this name
    """
    for role in ROLES:
        if role == text:
            return role
    raise Refused("There is no such role.", field="role")


async def _page(
    visit: Visit,
    *,
    made: tuple[str, str] | None = None,
    wrong: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    return visit.render(
        "accounts.html",
        status=status,
        accounts=await of.accounts(visit.desk.engine),
        roles=ROLES,
        rights=RIGHTS,
        made=made,
        wrong=wrong or {},
        typed=typed or {"name": "", "role": "viewer"},
        done=visit.request.query_params.get("done", ""),
    )


PAGES = (
    Page(path="/accounts", name="accounts", needs="administer", handler=accounts, methods=("GET", "POST")),
    Page(path="/accounts/{account_id}", name="account", needs="administer", handler=change, methods=("POST",)),
)
