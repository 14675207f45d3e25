"""Entering: what tests need to come in as a browser does, and to read what they are shown."""

import re

import httpx
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive.tables import audit

PASSWORD = "quatre mots sans aucun lien"
ADDRESS = "http://localhost:8080"


def csrf_of(page: httpx.Response) -> str:
    """Return what the forms of a page must bring back."""
    found = re.search(r'data-csrf="([^"]*)"', page.text)
    return found[1] if found else ""


def flat(page: httpx.Response) -> str:
    """Return a page's words and tags on one line."""
    return " ".join(page.text.split())


async def post(client: httpx.AsyncClient, path: str, page: str = "/accounts/me", **fields: str) -> httpx.Response:
    """Send a form, as the browser would that shows a page."""
    return await client.post(path, data={"csrf": csrf_of(await client.get(page)), **fields})


async def actions(engine: AsyncEngine) -> list[tuple[str, str]]:
    """Return who did what, as the audit has it."""
    async with engine.connect() as connection:
        found = await connection.execute(select(audit.c.actor, audit.c.action).order_by(audit.c.number))
        return [(row.actor, row.action) for row in found]
