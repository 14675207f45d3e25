"""Accessibility: the statement that the law asks for, as far as it can be made honestly."""

from starlette.responses import Response

from console.pages.page import Page, Visit


async def accessibility(visit: Visit) -> Response:
    """Show the statement."""
    return visit.render("accessibility.html")


PAGES = (Page(path="/accessibility", name="accessibility", needs="anybody", handler=accessibility),)
