"""What the operator's pages quote of Vigie is what Vigie says: a message that was reworded is found here."""

from pathlib import Path

import faust.tables.recovery
import pytest

from streams.watchdog import STILL_STATUS

ROOT = Path(__file__).parents[2]
FAUST = Path(faust.tables.recovery.__file__)


@pytest.mark.parametrize(
    ("page", "words", "said_in"),
    [
        ("docs/upgrade.md", "has the shape of a later version of Vigie", "console/archive/database.py"),
        ("docs/upgrade.md", "are not what we wrote", "detectors/shelf.py"),
        ("docs/upgrade.md", "the table is not ours or is damaged", "detectors/shelf.py"),
        ("docs/upgrade.md", "vigie_model_lacking", "streams/metrics.py"),
        ("docs/upgrade.md", "vigie_build", "streams/metrics.py"),
        ("docs/kafka.md", "is set, but", "streams/declaring.py"),
        ("docs/backup.md", "The persisted offset for changelog topic partition", FAUST),
        ("deploy/README.md", "first start", "vigie/console_process.py"),
        ("deploy/README.md", "vigie_model_lacking", "streams/metrics.py"),
    ],
)
def test_what_a_page_quotes_is_said(page: str, words: str, said_in: str | Path) -> None:
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    assert words in text
    assert words in (ROOT / said_in).read_text(encoding="utf-8")


def test_the_status_of_a_worker_that_stood_still_is_the_one_that_the_pages_name() -> None:
    for page in ("deploy/README.md", "docs/kafka.md", "docs/operator.md"):
        text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
        assert f"status {STILL_STATUS}" in text, page
