"""The look of all pages: contrast in light and dark, and levels that nobody needs colours for."""

import re
from pathlib import Path
from typing import get_args

import pytest

from records.alert import Level

STATIC = Path(__file__).parents[2] / "console" / "static"
CSS = (STATIC / "base.css").read_text(encoding="utf-8")
PAIRS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", CSS)
}
THEMES = ("light", "dark")
LEVELS = get_args(Level)
GROUNDS = ("paper", "paper-raised", "paper-sunken", "accent-wash")
TEXTS = [
    *((text, ground) for text in ("ink", "ink-soft", "accent", "danger", "warn") for ground in GROUNDS),
    *(("ink", f"{name}-wash") for name in ("danger", "warn", "ok", "info")),
    *((name, f"{name}-wash") for name in ("danger", "warn", "ok", "info")),
    *((f"level-{level}", ground) for level in LEVELS for ground in ("paper", "paper-raised", "accent-wash")),
    ("level-watch", "warn-wash"),
    ("on-solid", "level-alert"),
    ("on-solid", "level-confirmed"),
    ("on-solid", "accent"),
    ("on-solid", "danger"),
    ("on-solid", "ink"),
]
EDGES = [
    *((edge, ground) for edge in ("focus", "line-strong") for ground in ("paper", "paper-raised", "paper-sunken")),
    *((name, "paper-raised") for name in ("danger", "warn", "ok", "info")),
]


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str, theme: str) -> float:
    """Return the ratio of contrast of two of our colours."""
    values = sorted(luminance(PAIRS[name][THEMES.index(theme)]) for name in (one, other))
    return (values[1] + 0.05) / (values[0] + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "ground"), TEXTS, ids=str)
def test_text_is_readable(text: str, ground: str, theme: str) -> None:
    assert contrast(text, ground, theme) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("edge", "ground"), EDGES, ids=str)
def test_what_is_drawn_is_seen(edge: str, ground: str, theme: str) -> None:
    assert contrast(edge, ground, theme) >= 3


def test_every_colour_has_a_light_and_a_dark_side() -> None:
    begun = set(re.findall(r"--([\w-]+): light-dark\(", CSS))
    assert begun == set(PAIRS)
    bare = re.findall(r"^\s*(?!--)[\w-]+:[^;{]*#[0-9a-f]{3,6}\b", re.sub(r'url\(".*?"\)', "", CSS), re.MULTILINE)
    assert not bare, "a colour that is no custom property"


def test_every_level_has_a_shape_of_its_own() -> None:
    shapes = dict(re.findall(r'--shape-([\w-]+): (url\(".*?"\))', CSS))
    assert set(shapes) == set(LEVELS)
    assert len(set(shapes.values())) == len(LEVELS)
    for level in LEVELS:
        assert f"var(--shape-{level})" in CSS


@pytest.mark.parametrize("theme", THEMES)
def test_what_people_must_see_first_stands_out_in_grey(theme: str) -> None:
    """An alert is filled, a watch framed, a signal neither: the ground of the first is far from that of the others."""
    filled = contrast("level-alert", "paper-raised", theme)
    framed = contrast("warn-wash", "paper-raised", theme)
    assert filled > 3 * framed


@pytest.mark.parametrize("name", ["words", "is-wrong"])
def test_what_pages_share_is_styled_for_all_of_them(name: str) -> None:
    found = {path.name for path in STATIC.glob("*.css") if re.search(rf"\.{name}\b", path.read_text(encoding="utf-8"))}
    assert found == {"base.css"}


def test_no_file_of_ours_asks_another_host() -> None:
    ours = [path for path in STATIC.glob("*") if path.suffix in {".css", ".js", ".svg"}]
    assert ours
    for path in ours:
        found = re.findall(r"https?://(?!www\.w3\.org/)[^\s'\")]+", path.read_text(encoding="utf-8"))
        assert not found, f"{path.name}: {found}"
