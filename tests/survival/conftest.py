"""What the survival tests share: the posts of a story, what a plain loop makes of them, and a stage to be killed on."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from records import Post
from tests.survival import stage as staging
from vigie.broker import EmbeddedBroker


@pytest.fixture(scope="session")
def posts() -> tuple[Post, ...]:
    """Return the posts of the Le Havre morning that pass the gate."""
    return staging.story_posts()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], bytes]:
    """Return the revisions that a plain loop makes of them."""
    return staging.plain_loop(tmp_path_factory.getbasetemp().parent)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[staging.Stage]:
    """Provide a stage on an embedded broker."""
    with EmbeddedBroker() as broker:
        made = staging.Stage(tmp_path, kafka_url=broker.url, is_embedded=True)
        yield made
        made.close()


@pytest.fixture(scope="module")
def story() -> staging.Hurried:
    """Return the story told in twelve minutes that end now: by the clock, nothing is over before the test is."""
    return staging.Hurried.until(datetime.now(UTC), pace=35, held_back=280)


@pytest.fixture(scope="module")
def expected(story: staging.Hurried) -> dict[str, staging.Believed]:
    """Return the incidents that a plain loop finds in its recording."""
    return staging.plain_loop_of(story.recording)


@pytest.fixture(scope="module")
def machine(
    story: staging.Hurried, expected: dict[str, staging.Believed], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[staging.Machine]:
    """Provide a machine that has been told to run, once it is known what must come of it: that takes a while."""
    assert expected
    made = staging.Machine(tmp_path_factory.mktemp("machine"), story.recording, speed=10)
    made.start()
    yield made
    made.close()
