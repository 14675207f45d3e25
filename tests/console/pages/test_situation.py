"""The situation, as a page."""

from collections.abc import Callable
from typing import Any


async def test_whoever_may_see_gets_the_page(client_as: Callable[..., Any]) -> None:
    async with client_as("viewer") as client:
        answer = await client.get("/")
    assert answer.status_code == 200
    assert "Vigie" in answer.text


async def test_nobody_known_is_asked_to_log_in(client_as: Callable[..., Any]) -> None:
    async with client_as(None) as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/")
