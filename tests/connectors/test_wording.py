"""An alert in words: on whose word it is told to belong to another one."""

from typing import Any

import pytest
from msgspec.structs import replace

from connectors.sinks.wording import WORDS, joined
from records import Alert, Correction


@pytest.mark.parametrize(
    ("what", "french", "english"),
    [
        ("place", "Même événement, semble-t-il, que fire-9", "The same happening, it seems, as fire-9"),
        (
            "merge",
            "Même événement, selon la permanence, que fire-9",
            "The same happening, according to la permanence, as fire-9",
        ),
    ],
)
def test_what_a_person_joined_is_told_on_that_persons_word(what: Any, french: str, english: str, alert: Alert) -> None:
    said = Correction(what=what, by="la \x1b[31mpermanence", at=alert.onset)
    belongs = replace(alert, joins="fire-9", corrections=(said,))
    assert joined(belongs, WORDS["fr"]).replace("[31m", "") == french
    assert joined(belongs, WORDS["en"]).replace("[31m", "") == english
    assert joined(alert, WORDS["fr"]) == ""
