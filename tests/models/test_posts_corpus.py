"""The corpus: read whole, refused with the line when a label is wrong."""

from pathlib import Path

import pytest

from models.posts_corpus import CORPUS, HEADER, balance, check, read_part
from records import SettingsError


def _part(folder: Path, *lines: str, header: str = HEADER) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fr-9.tsv").write_text("\n".join((header, *lines, "")), encoding="utf-8")
    return folder


def test_the_corpus_is_sound() -> None:
    train, test = read_part(CORPUS / "train"), read_part(CORPUS / "test")
    check(train, test)
    for source, counts in balance([*train, *test]).items():
        assert all(counts.get(label, 0) >= 20 for label in ("fire", "flood", "industrial", "none")), source


def test_reads_labels_and_line_breaks(tmp_path: Path) -> None:
    [post] = read_part(_part(tmp_path, "industrial+fire\tnow\t1\tça brûle ⏎ au dépôt"))
    assert post.hazards == ("industrial", "fire")
    assert post.is_witness
    assert post.text == "ça brûle\nau dépôt"
    assert (post.language, post.where) == ("fr", "fr-9.tsv: line 2")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        pytest.param("fire\tnow\t1", "found 3 columns", id="column missing"),
        pytest.param("feu\tnow\t1\tx", 'hazard "feu"', id="unknown hazard"),
        pytest.param("fire\ttoday\t1\tx", 'actuality "today"', id="unknown actuality"),
        pytest.param("fire\texercise\t0\tx", "an incident is now or past", id="exercise with a hazard"),
        pytest.param("none\tnow\t0\tx", "without a hazard", id="now without a hazard"),
        pytest.param("none\tother\t1\tx", 'witness "1"', id="witness of nothing"),
        pytest.param("fire\tnow\tyes\tx", 'witness "yes"', id="witness in words"),
        pytest.param("fire\tnow\t1\t ", "no text", id="empty"),
    ],
)
def test_refuses_a_line_and_says_which(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=rf"fr-9\.tsv: line 2: .*{complaint}"):
        read_part(_part(tmp_path, line))


def test_refuses_a_wrong_header_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="the header must be"):
        read_part(_part(tmp_path / "a", header="hazard\ttext"))
    with pytest.raises(SettingsError, match=r"no \*\.tsv file"):
        read_part(tmp_path / "b")


def test_refuses_the_same_post_twice(tmp_path: Path) -> None:
    posts = read_part(_part(tmp_path, "none\tother\t0\tBonjour", "none\tother\t0\tbonjour"))
    with pytest.raises(SettingsError, match=r"line 3: the same post stands at fr-9\.tsv: line 2"):
        check(posts, [])


def test_refuses_a_training_post_in_the_test_part(tmp_path: Path) -> None:
    text = "le port est plein de fumée noire et on ne voit plus les grues du terminal"
    train = read_part(_part(tmp_path / "train", f"fire\tnow\t1\t{text}"))
    test = read_part(_part(tmp_path / "test", f"fire\tnow\t1\t{text.upper()} !!! https://t.co/1"))
    with pytest.raises(SettingsError, match="nearly the same post as"):
        check(train, test)
