"""Situation: the map, the open incidents, what is said just now, and what we are blind to."""

from starlette.responses import Response

from console.pages.page import Page, Visit


async def situation(visit: Visit) -> Response:
    """Show the situation."""
    return visit.render("situation.html")


PAGES = (Page(path="/", name="situation", needs="see", handler=situation),)
