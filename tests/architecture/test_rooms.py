"""The rooms: ours and no others, importing to the left only, each with a README that names its modules."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("records", "connectors", "models", "detectors", "streams", "console", "vigie")
MODULE_IN_TEXT = re.compile(r"\b[a-z_]+(?:/[a-z_]+)*\.py\b")

BRACES = re.compile(r"([a-z_/]*)\{([a-z_,]+)\}\.py")


def modules_of(room: str) -> list[str]:
    """Return a room's modules as its README may name them: `settings.py`, `sources/webhook.py`."""
    files = (path.relative_to(ROOT / room) for path in (ROOT / room).rglob("*.py"))
    return sorted(str(file) for file in files if file.name not in ("__init__.py", "__main__.py"))


def readme_of(room: str) -> str:
    """Return what the READMEs of a room say, that of its own first; `{a,b}.py` is spelled out."""
    assert (ROOT / room / "README.md").is_file(), f"{room}/ has no README.md"
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / room).rglob("README.md"))]
    return BRACES.sub(lambda found: " ".join(f"{found[1]}{name}.py" for name in found[2].split(",")), "\n".join(texts))


def is_named(module: str, readme: str) -> bool:
    """A module is named by its path in the room, or by its own name, with `.py` or in code marks."""
    path = module.removesuffix(".py")
    name = path.rpartition("/")[2]
    return any(re.search(rf"\b{re.escape(one)}\.py\b|`{re.escape(one)}`", readme) for one in (path, name))


def ends_of(path: Path) -> list[str]:
    """Return the ways to name a file: `webhook.py`, `sources/webhook.py`, `connectors/sources/webhook.py`."""
    parts = path.relative_to(ROOT).parts
    return ["/".join(parts[start:]) for start in range(len(parts))]


@pytest.mark.parametrize("room", ROOMS)
def test_the_package_imported_is_ours(room: str) -> None:
    found = Path(str(import_module(room).__file__))
    assert found.is_relative_to(ROOT), f"{room} is imported from {found}: uninstall that package"


def test_rooms_import_as_the_contracts_say() -> None:
    done = subprocess.run(  # noqa: S603  our own tool
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("room", ROOMS)
def test_the_readme_of_a_room_names_its_modules(room: str) -> None:
    readme = readme_of(room)
    unnamed = [module for module in modules_of(room) if not is_named(module, readme)]
    assert not unnamed, f"{room}/README.md says nothing of {', '.join(unnamed)}"


@pytest.mark.parametrize("room", ROOMS)
def test_the_readme_of_a_room_names_no_module_that_is_not_there(room: str) -> None:
    """A module named may stand anywhere in the repository: here the end of its path is enough."""
    known = {
        end for name in (*ROOMS, "tests", "deploy") for path in (ROOT / name).rglob("*.py") for end in ends_of(path)
    }
    gone = sorted({found for found in MODULE_IN_TEXT.findall(readme_of(room)) if found not in known})
    assert not gone, f"{room}/README.md names {', '.join(gone)}"


@pytest.mark.parametrize("room", ROOMS)
def test_the_first_line_of_a_module_says_what_it_is(room: str) -> None:
    for module in modules_of(room):
        first = (ROOT / room / module).read_text(encoding="utf-8").partition("\n")[0]
        assert re.match(r'r?"""\S.*[.:;,]?', first), f"{room}/{module} begins with {first!r}"


def test_tests_stand_where_the_rooms_are() -> None:
    rooms = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.rglob("test_*.py"))}
    assert set(ROOMS) <= rooms, f"no tests for {', '.join(sorted(set(ROOMS) - rooms))}"


def test_there_is_no_init_file_in_the_tests() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))
