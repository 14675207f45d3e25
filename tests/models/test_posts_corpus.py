"""The corpus: read whole, refused with the line when a label is wrong."""

from collections import Counter
from pathlib import Path

import pytest

from models.posts_corpus import CORPUS, HEADER, read_part
from records import SettingsError


def _part(folder: Path, *lines: str, header: str = HEADER) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fr-9.tsv").write_text("\n".join((header, *lines, "")), encoding="utf-8")
    return folder


def test_every_file_has_every_hazard() -> None:
    posts = [*read_part(CORPUS / "train"), *read_part(CORPUS / "test")]
    counts = Counter((post.source, post.main_hazard) for post in posts)
    for source in {post.source for post in posts}:
        assert all(counts[source, label] >= 20 for label in ("fire", "flood", "industrial", "none")), source


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
        pytest.param("fire+fire\tnow\t1\tx", "join two different ones at most", id="twice the same"),
        pytest.param("fire+flood+industrial\tnow\t1\tx", "join two different ones at most", id="three"),
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


def test_refuses_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "fr-9.tsv").write_bytes(f"{HEADER}\nfire\tnow\t1\tça brûle\n".encode("latin-1"))
    with pytest.raises(SettingsError, match=r"fr-9\.tsv: cannot be read as UTF-8"):
        read_part(tmp_path)


def test_the_guides_figures_are_true() -> None:
    guide = (CORPUS / "README.md").read_text(encoding="utf-8")
    for part in ("train", "test", "everyday"):
        posts = read_part(CORPUS / part)
        hazards = Counter(post.main_hazard for post in posts)
        languages = Counter(post.language for post in posts)
        counts = [len(posts), languages["fr"], languages["en"]]
        counts += [hazards[hazard] for hazard in ("none", "fire", "flood", "industrial")]
        counts.append(sum(post.is_witness for post in posts))
        [row] = [line for line in guide.splitlines() if line.startswith(f"| `{part}/` |")]
        assert row.split(" | ", 2)[2] == f"{' | '.join(f'{count:,}' for count in counts)} |"
        joined = sum(len(post.hazards) > 1 for post in posts)
        assert part == "everyday" or f"{joined} {'training' if part == 'train' else 'test'} posts" in guide


def test_nothing_happens_in_everyday_life() -> None:
    assert not any(post.hazards for post in read_part(CORPUS / "everyday"))


def test_the_guides_borderline_cases_keep_its_own_rules(tmp_path: Path) -> None:
    guide = (CORPUS / "README.md").read_text(encoding="utf-8").partition("## Borderline cases")[2]
    cells = [line.strip("| ").split(" | ") for line in guide.splitlines() if line.startswith('| "')]
    rows = ["\t".join((*labels.split(" "), text)) for text, labels, _ in cells]
    posts = read_part(_part(tmp_path, *rows))
    assert len(posts) >= 40
    assert len({post.text for post in posts}) == len(posts)
    assert {post.main_hazard for post in posts} == {"fire", "flood", "industrial", "none"}
