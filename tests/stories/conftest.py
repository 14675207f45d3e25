"""What the stories share: the tellers, loaded by path because tests do not import one another, and `tell`."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.stories import tales, telling
else:
    for _name in ("telling", "tales"):
        if f"stories_{_name}" not in sys.modules:
            _path = Path(__file__).with_name(f"{_name}.py")
            _place = importlib.util.spec_from_file_location(f"stories_{_name}", _path)
            sys.modules[_place.name] = importlib.util.module_from_spec(_place)
            _place.loader.exec_module(sys.modules[_place.name])
    import stories_tales as tales
    import stories_telling as telling


@pytest.fixture(scope="session")
def tell() -> Callable[[str], "telling.Told"]:
    """Play a story of that name; `pytest -s` prints what came of it, the figures of docs/evaluation.md."""

    def told(name: str) -> "telling.Told":
        found = telling.tell(tales.tale(name))
        print(f"\n{name}: {found.summary()}")  # noqa: T201
        assert not found.beyond, f"more than scenario.toml expects: {telling.describe(found.beyond)}"
        return found

    return told


@pytest.fixture(scope="session", name="tales")
def the_tales() -> Any:
    """Return the stories that there are."""
    return tales


@pytest.fixture(scope="session", name="telling")
def the_telling() -> Any:
    """Return what tells them, for a story that is told step by step."""
    return telling


@pytest.fixture(scope="session")
def describe() -> "Callable[[list[telling.Raised]], str]":
    """Say in lines what was raised, for a message."""
    return telling.describe
