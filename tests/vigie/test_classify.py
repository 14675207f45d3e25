"""`vigie classify`: a reading a line, in the same order; bad lines are named and never fatal."""

import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from records import ACTUALITIES, SettingsError
from vigie.lines import BATCH, Question, answer_lines

Runs = Callable[..., Result]
NamesLines = Callable[[str, Path | str, Sequence[int]], bool]

TEXTS = {
    "fire": "La centrale EDF du Havre est en feu, énorme fumée noire, je vois les flammes de mon balcon",
    "flood": "L'eau monte dans la rue, notre cave est inondée, la rivière déborde, on évacue",
    "none": "Bonne journée à tous, je pars au marché acheter des pommes",
    "en": "Huge fire at the warehouse on our street, flames everywhere, firefighters just arrived",
}
ODD = {
    "long": "fumée noire au port " * 5000,
    "one endless word": "a" * 100_000,
    "emojis": "🔥🔥🔥 🚒🏭",
    "right to left": "حريق كبير في المصنع \u202egibberish\u202c",
    "combining": "feu" + "\u0301" * 500,
    "zero": "feu\u0000 à l'usine",
    "not a character": "\uffff\U0010ffff feu",
    "unpaired digits": "①②③ 𝔣𝔢𝔲 ＦＥＵ",
    "empty": "",
    "blank": " \n\t\u2003",
}
BAD = [
    b"not json",
    b'{"id": "no text"}',
    b'{"text": "no id"}',
    b'{"id": null, "text": "x"}',
    b'{"id": "x", "text": 3}',
    b'{"id": "x", "text": "x", "lang": ["fr"]}',
    b"[]",
    b"3",
    b'{"id": "x", "text": "\\ud800"}',
    b'{"id": "x", "text": "\xff\xfe"}',
    b'{"id": "x", "text": "cut',
    b"[" * 100_000,
]


def line(id_: str | int, text: str, **more: object) -> bytes:
    return json.dumps({"id": id_, "text": text, **more}, ensure_ascii=False).encode()


@pytest.fixture(scope="module")
def answered(vigie: Runs, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes], Result]:
    """A file of good, odd and bad lines in turn, longer than a batch; and what came of it."""
    good = [line(name, text) for name, text in (TEXTS | ODD).items()]
    good += [line(number, TEXTS["fire"], lang="fr", author="@x", geo=None) for number in range(2 * BATCH)]
    lines = [one for pair in zip(BAD, good, strict=False) for one in pair] + good[len(BAD) :]
    path = tmp_path_factory.mktemp("classify") / "posts.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + b"\n".join([b"", *lines, b"  "]))
    return path, lines, vigie("classify", path)


def rows_of(result: Result) -> list[dict[str, Any]]:
    return [json.loads(row) for row in result.stdout_bytes.splitlines()]


def test_answers_every_good_line_in_the_same_order(answered: tuple[Path, list[bytes], Result]) -> None:
    _, lines, result = answered
    wanted = [json.loads(one)["id"] for one in lines if one not in BAD]
    assert [row["id"] for row in rows_of(result)] == wanted


def test_each_answer_has_the_fields_of_the_contract_and_no_other(answered: tuple[Path, list[bytes], Result]) -> None:
    for row in rows_of(answered[2]):
        assert list(row) == ["id", "language", "hazards", "hazard", "witness", "actuality"]
        assert list(row["hazards"]) == ["fire", "flood", "industrial"]
        assert all(0 <= probability <= 1 for probability in (*row["hazards"].values(), row["witness"]))
        assert row["hazard"] in ("fire", "flood", "industrial", "none")
        assert row["actuality"] in ACTUALITIES
        assert row["language"] is None or isinstance(row["language"], str)


def test_the_plain_cases_are_read_as_anyone_would(answered: tuple[Path, list[bytes], Result]) -> None:
    readings = {row["id"]: row for row in rows_of(answered[2])}
    found = {name: (readings[name]["hazard"], readings[name]["language"]) for name in TEXTS}
    assert found == {"fire": ("fire", "fr"), "flood": ("flood", "fr"), "none": ("none", "fr"), "en": ("fire", "en")}
    assert readings["fire"]["actuality"] == "now"


def test_a_reading_does_not_depend_on_its_neighbours(answered: tuple[Path, list[bytes], Result]) -> None:
    same = [{**row, "id": 0} for row in rows_of(answered[2]) if row["id"] == "fire" or isinstance(row["id"], int)]
    assert all(row == same[0] for row in same)


def test_bad_lines_are_named_with_file_and_number_and_give_status_1(
    answered: tuple[Path, list[bytes], Result], named_lines: NamesLines
) -> None:
    path, lines, result = answered
    numbers = [number for number, one in enumerate(lines, 2) if one in BAD]
    assert named_lines(result.stderr, path, numbers)
    assert result.stderr.splitlines()[-1] == f"{path}: {len(BAD)} bad lines of {len(lines)}"
    assert result.exit_code == 1


def test_reads_standard_input_and_gives_status_0(vigie: Runs) -> None:
    result = vigie("classify", input=line("a", TEXTS["fire"]) + b"\n" + line("b", "bonjour"))
    assert [row["id"] for row in rows_of(result)] == ["a", "b"]
    assert (result.exit_code, result.stderr) == (0, "")


def test_says_why_where_asked(vigie: Runs) -> None:
    result = vigie("classify", "--why", input=line("a", TEXTS["fire"], lang="fr") + b"\n" + line("b", ""))
    said, nothing = rows_of(result)
    assert said["why"].startswith("feu ")
    assert all(reason["words"] in TEXTS["fire"] and reason["factor"] > 0 for reason in said["reasons"])
    assert said["likelihood_ratios"]["fire"] > 1 > said["class_shares"]["fire"] > 0
    assert nothing["reasons"] == []
    assert set(nothing["likelihood_ratios"].values()) == {1.0}


def echoed(questions: Sequence[Question]) -> Iterable[dict[str, Any]]:
    return ({"id": question.id, "text": question.text, "lang": question.lang} for question in questions)


def status_of(path: Path) -> tuple[int, bytes, str]:
    out, errors = io.BytesIO(), io.StringIO()
    return answer_lines(path, echoed, out=out, errors=errors), out.getvalue(), errors.getvalue()


def test_where_the_output_is_full_it_is_the_output_that_is_blamed(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(line("1", TEXTS["fire"]))
    with Path("/dev/full").open("wb") as full:  # Linux: never has room
        with pytest.raises(SettingsError, match="output: No space left on device"):
            answer_lines(path, echoed, out=full, errors=io.StringIO())
        with pytest.raises(OSError, match="No space left"):
            full.close()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"", "posts.jsonl: nothing to read\n", id="an empty file"),
        pytest.param(b"\n \r\n\n", "posts.jsonl: nothing to read\n", id="blank lines"),
        pytest.param(b"\xef\xbb\xbf", "posts.jsonl: nothing to read\n", id="a byte order mark alone"),
        pytest.param(b"x\n", "posts.jsonl: 1 bad lines of 1\n", id="bad lines alone"),
    ],
)
def test_where_nothing_could_be_read_the_status_is_2_and_it_is_said(
    content: bytes, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(content)
    status, out, errors = status_of(path)
    assert (status, out) == (2, b"")
    assert errors.endswith(expected)


@pytest.mark.parametrize(("name", "expected"), [("none.jsonl", "No such file or directory"), ("", "Is a directory")])
def test_a_file_that_cannot_be_opened_gives_status_2(name: str, expected: str, tmp_path: Path) -> None:
    assert status_of(tmp_path / name) == (2, b"", f"{tmp_path / name}: {expected}\n")


def test_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(b'{"id":1,"text":"a"}\r\n{"id":2,"text":"b"}\r\n')
    assert status_of(path)[:2] == (0, b'{"id":1,"text":"a","lang":null}\n{"id":2,"text":"b","lang":null}\n')


def test_a_missing_file_is_told_by_the_command_at_once(vigie: Runs, tmp_path: Path) -> None:
    result = vigie("classify", tmp_path / "none.jsonl")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"'{tmp_path}/none.jsonl' does not exist" in result.stderr
