"""Found: what fuzzing has found and was mended since, byte for byte, by family and kind; each is tried in every run."""

from pathlib import Path

FOLDER = Path(__file__).with_name("found")


def found(family: str) -> list[tuple[str, Path]]:
    """Return what was found in a family, each with the kind that it is of."""
    return [(path.parent.name, path) for path in sorted((FOLDER / family).glob("*/*"))]


def name_of(value: object) -> str | None:
    """Return what a test is called by: a file's name says what is wrong in it."""
    return value.stem if isinstance(value, Path) else None
