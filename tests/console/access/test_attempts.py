"""How often a password may be tried."""

from collections.abc import Callable
from datetime import timedelta
from statistics import median
from time import perf_counter
from typing import Any

import pytest

from console.access.attempts import Attempts
from console.access.pace import MOST_KEYS, Buckets, Pace
from records import ManualClock
from tests.console.entering import PASSWORD

Made = Callable[..., Any]


async def test_who_guesses_has_to_wait_and_then_may_go_on(
    clock: ManualClock, entered: Made, account: Made, log_in: Made
) -> None:
    await account("viewer")
    async with entered() as client:
        for _ in range(5):
            assert (await log_in(client, "viewer", "un faux mot de passe")).status_code == 422
        answer = await log_in(client, "viewer")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
        assert "Trop d’essais" in answer.text
        clock.advance(timedelta(seconds=30))
        assert (await log_in(client, "viewer")).status_code == 303


async def test_whoever_guesses_elsewhere_keeps_nobody_out(
    clock: ManualClock, entered: Made, account: Made, log_in: Made
) -> None:
    await account("admin")
    async with entered(address="192.0.2.1") as admin:
        await log_in(admin, "admin")
    statuses: list[int] = []
    for number in range(12):
        async with entered(address=f"198.51.100.{number}") as stranger:
            answers = [await log_in(stranger, "admin", "un faux mot de passe") for _ in range(5)]
            statuses.append(answers[-1].status_code)
    assert (statuses[0], statuses[-1]) == (422, 429)  # all who were never let in wait by now
    async with entered(address="192.0.2.1") as admin:
        assert (await log_in(admin, "admin")).status_code == 303


async def test_a_name_that_is_none_waits_as_long(entered: Made, account: Made, log_in: Made) -> None:
    await account("viewer")
    seen = {}
    for name in ("viewer", "nobody"):
        async with entered(address=f"192.0.2.{len(name)}") as client:
            answers = [await log_in(client, name, "un faux mot de passe") for _ in range(6)]
        seen[name] = [(one.status_code, one.headers.get("retry-after")) for one in answers]
    assert seen["viewer"] == seen["nobody"]


async def test_a_name_that_is_none_takes_as_long(
    entered: Made, account: Made, log_in: Made, clock: ManualClock
) -> None:
    await account("viewer")
    took: dict[str, list[float]] = {"viewer": [], "nobody": []}
    async with entered() as client:
        page = await client.get("/login")
        csrf = page.text.split('data-csrf="')[1].split('"')[0]
        for _ in range(9):
            for name, times in took.items():
                clock.advance(timedelta(minutes=5))
                begun = perf_counter()
                await client.post("/login", data={"csrf": csrf, "name": name, "password": "un faux mot de passe"})
                times.append(perf_counter() - begun)
    ratio = median(took["viewer"]) / median(took["nobody"])
    assert 0.4 < ratio < 2.5  # without the hash of nobody it is 5 and more


def test_one_address_cannot_use_up_what_all_may_try(clock: ManualClock) -> None:
    attempts = Attempts()
    for _ in range(500):
        attempts.wait_before("admin", "198.51.100.1", clock.now())
    assert attempts.wait_before("admin", "198.51.100.2", clock.now()) == 0.0


def test_names_that_are_the_same_share_their_attempts(clock: ManualClock) -> None:
    attempts = Attempts()
    for name in ("admin", "ADMIN", " admin ", "ａｄｍｉｎ", "Admin"):
        assert attempts.wait_before(name, "192.0.2.1", clock.now()) == 0.0
    assert attempts.wait_before("admin", "192.0.2.1", clock.now()) > 0.0


def test_a_bucket_fills_again_and_never_over(clock: ManualClock) -> None:
    buckets = Buckets(Pace(burst=2, per_second=0.5))
    assert [buckets.take("a", clock.now()) for _ in range(3)] == [0.0, 0.0, 2.0]
    assert buckets.take("b", clock.now()) == 0.0
    clock.advance(timedelta(hours=1))
    assert [buckets.take("a", clock.now()) for _ in range(3)] == [0.0, 0.0, 2.0]


def test_a_clock_that_is_set_back_gives_nothing_away(clock: ManualClock) -> None:
    buckets = Buckets(Pace(burst=1, per_second=1.0))
    assert buckets.take("a", clock.now()) == 0.0
    clock.advance(timedelta(hours=-1))
    assert buckets.take("a", clock.now()) == pytest.approx(1.0)


def test_strangers_without_number_take_no_memory_without_end(clock: ManualClock) -> None:
    buckets = Buckets(Pace(burst=1, per_second=1.0))
    for number in range(MOST_KEYS + 10):
        buckets.take(str(number), clock.now())
    assert buckets.take(str(MOST_KEYS + 9), clock.now()) > 0.0
    assert buckets.take("0", clock.now()) == 0.0  # forgotten, so free again


async def test_the_right_password_costs_no_attempt(entered: Made, account: Made, log_in: Made) -> None:
    await account("viewer")
    for _ in range(8):
        async with entered() as client:
            assert (await log_in(client, "viewer", PASSWORD)).status_code == 303
