"""What the pages know of needs and offers: read once for all, again when it is old, and never older than a minute."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from records import Claim, SourceUnavailable
from streams.settings import StreamSettings
from vigie.console_claims import FRESH_SECS, KNOWN_SECS, ConsoleClaims

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLAIM = Claim(
    kind="need", thing="shelter", post_key="p1", source="bluesky", event_time=AT, received_at=AT, confidence=0.9
)


class Broker:
    """Answers with as many claims as it was asked times, unless it is away."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_away = False
        self.secs = 0.0

    async def __call__(self, _: StreamSettings) -> list[Claim]:
        self.asked += 1
        number = self.asked
        await asyncio.sleep(0)
        if self.is_away:
            raise SourceUnavailable("kafka: away")
        return [CLAIM] * number


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def claims(broker: Broker, tmp_path: Path) -> ConsoleClaims:
    settings = StreamSettings(kafka_url="kafka://127.0.0.1:1", data_dir=tmp_path)
    return ConsoleClaims(settings, broker, lambda: broker.secs)


async def test_all_who_ask_at_once_have_one_reading(claims: ConsoleClaims, broker: Broker) -> None:
    assert list(await asyncio.gather(claims(), claims(), claims())) == [[CLAIM]] * 3
    broker.secs = FRESH_SECS - 1
    assert await claims() == [CLAIM]
    assert broker.asked == 1


async def test_what_is_old_is_told_while_it_is_read_again(claims: ConsoleClaims, broker: Broker) -> None:
    await claims()
    broker.secs = FRESH_SECS + 1
    assert await claims() == [CLAIM], "nobody waits for it"
    for _ in range(5):
        await asyncio.sleep(0)
    assert await claims() == [CLAIM] * 2
    assert broker.asked == 2


async def test_what_is_too_old_is_told_to_nobody(claims: ConsoleClaims, broker: Broker) -> None:
    await claims()
    broker.is_away = True
    broker.secs = KNOWN_SECS - 1
    assert await claims() == [CLAIM]
    broker.secs = KNOWN_SECS + 1
    with pytest.raises(SourceUnavailable, match="cannot be read now"):
        await claims()
    broker.is_away = False
    assert len(await claims()) == broker.asked


async def test_a_broker_that_was_never_there_is_no_empty_list(claims: ConsoleClaims, broker: Broker) -> None:
    broker.is_away = True
    with pytest.raises(SourceUnavailable):
        await claims()
