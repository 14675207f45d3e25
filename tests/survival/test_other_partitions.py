"""Topics with another number of partitions than the settings say: nobody starts on them, and nothing there is lost."""

from typing import TYPE_CHECKING

import pytest

from records import Post
from streams.topics import POSTS
from tests.survival.stage import StageProcess, wait_until

if TYPE_CHECKING:
    from tests.survival.stage import Stage

pytestmark = pytest.mark.broker


def test_they_are_refused_in_words_and_what_lies_there_is_read_once_the_settings_fit(
    stage: "Stage", posts: tuple[Post, ...], undisturbed: dict[tuple[str, int], bytes]
) -> None:
    stage.publish(posts)
    settings = stage.folder / "vigie.toml"
    right = settings.read_text(encoding="utf-8")
    settings.write_text(right.replace("partitions = 1", "partitions = 3"), encoding="utf-8")
    (stage.folder / "nothing.jsonl").touch()
    for command in ("worker", "connect"):
        process = StageProcess(command, ["-m", "vigie", command], stage.folder)
        process.start()
        wait_until("it has ended by itself", lambda: not process.is_running)  # noqa: B023  within the turn
        assert process.poll() == 2
        assert f"kafka.partitions: 3 is set, but {POSTS.name} has 1; set 1, or start with new topics" in process.log

    settings.write_text(right, encoding="utf-8")
    stage.worker.start()
    stage.wait_until_ready()
    stage.wait_until_drained()
    stage.assert_as_undisturbed(undisturbed, kills=0)
    assert stage.stop_worker() == 0
