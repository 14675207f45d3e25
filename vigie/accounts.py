"""`vigie account`: makes an account of the console, or gives one another password: for who has lost the last one."""

import asyncio
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from console.access import accounts as of
from console.access.account_rows import Account, Refused, account_from, named, plain_name
from console.access.roles import Role
from records import Clock, SettingsError
from vigie.console_assembly import archive_of
from vigie.settings import Settings

ACTOR = "vigie account"  # as the audit names it: whoever can read the settings on this machine


@dataclass(frozen=True)
class OneTime:
    """A password that opens only the page where another is chosen."""

    name: str
    role: Role
    password: str


def password_for(settings: Settings, name: str, role: Role | None, clock: Clock) -> OneTime:
    """Make an account, or renew its password, enable it and give it a role; end its sessions.

    Errors  SettingsError when the archive cannot be opened, or it cannot be done
    """
    return asyncio.run(_password_for(settings, name, role, clock))


async def _password_for(settings: Settings, name: str, role: Role | None, clock: Clock) -> OneTime:
    engine = await archive_of(settings)
    try:
        found = await _named(engine, name)
        if found is None:
            return await _made(engine, name, role, clock)
        return await _renewed(engine, found, role or found.role, clock)
    except Refused as error:
        raise SettingsError(f"account {name!r}: {error}") from error
    finally:
        await engine.dispose()


async def _named(engine: AsyncEngine, name: str) -> Account | None:
    async with engine.connect() as connection:
        row = await named(connection, name)
    return account_from(row) if row is not None else None


async def _made(engine: AsyncEngine, name: str, role: Role | None, clock: Clock) -> OneTime:
    if role is None:
        raise SettingsError(f"account {name!r}: there is none of this name; say with --role what it may do")
    password = await of.create(engine, name=name, role=role, by=ACTOR, now=clock.now())
    return OneTime(plain_name(name), role, password)


async def _renewed(engine: AsyncEngine, found: Account, role: Role, clock: Clock) -> OneTime:
    known, by, now = found.account_id, ACTOR, clock.now()
    if role != found.role:
        await of.change_role(engine, account_id=known, role=role, by=by, now=now)
    _, password = await of.renew_password(engine, account_id=known, by=by, now=now)
    if found.is_disabled:
        await of.enable(engine, account_id=known, by=by, now=now)
    return OneTime(found.name, role, password)
