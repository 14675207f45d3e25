"""Public posts: mapped to our hazards, held-back streams never read, storms left open about floods."""

import gzip
import json
from pathlib import Path

from models.lessons import lessons_from_public
from models.public_posts import read_set, without_copies


def _row(text: str, hazard: str, event: str, **extra: object) -> dict[str, object]:
    row: dict[str, object] = {"text": text, "hazard": hazard, "event": event, "lang": "en", "informative": True}
    return row | {"source_dataset": "CrisisLexT26"} | extra


def _write(folder: Path, name: str, rows: list[dict[str, object]]) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(f"{json.dumps(row)}\n" for row in rows)


def test_held_back_streams_are_never_read(tmp_path: Path) -> None:
    _write(tmp_path, "t26/boston_bombings_2013.jsonl.gz", [_row("bomb", "attack", "boston_bombings_2013")])
    _write(tmp_path, "t26/alberta_floods_2013.jsonl.gz", [_row("river over its banks", "flood", "alberta_floods_2013")])
    assert [post.incident for post in read_set(tmp_path, "t26/*")] == ["alberta_floods_2013"]


def test_retweets_count_once(tmp_path: Path) -> None:
    text = "the river is over its banks in High River tonight"
    rows = [_row(text, "flood", "a"), _row(f"RT @x: {text} http://t.co/1", "flood", "a")]
    _write(tmp_path, "t26/a.jsonl.gz", rows)
    assert len(list(without_copies(read_set(tmp_path, "t26/*")))) == 1


def test_what_a_post_teaches(tmp_path: Path) -> None:
    eyewitness = {"informativeness": "Related and informative", "source": "Eyewitness", "type": "Caution and advice"}
    rows = [
        _row("the storm took our roof", "storm", "s", labels=eyewitness),
        _row("the storm brought flooding to town", "storm", "s", labels=eyewitness),
        _row("so sorry for everyone over there", "storm", "s", labels={"type": "Sympathy and support"}),
        _row("what a lovely morning it is", "none", "s", informative=False),
    ]
    _write(tmp_path, "t26/s.jsonl.gz", rows)
    lessons = {lesson.text: lesson for lesson in lessons_from_public(tmp_path)}
    assert len(lessons) == 4
    assert lessons["the storm took our roof"].hazards == {
        "fire": False, "flood": False, "industrial": False, "other": True,
    }  # fmt: skip
    assert lessons["the storm took our roof"].is_witness
    assert lessons["the storm brought flooding to town"].hazards["flood"] is None
    assert not any(lessons["what a lovely morning it is"].hazards.values())
    assert not lessons["what a lovely morning it is"].is_related
    sympathy = lessons["so sorry for everyone over there"]
    assert sympathy.is_related  # to the storm, but reports nothing of it
    assert set(sympathy.hazards.values()) == {None}
    assert all(lesson.weight < 1 for lesson in lessons.values())
