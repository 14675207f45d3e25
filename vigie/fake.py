"""Fake: the local servers that stand for the platforms in our tests, served by hand.

They lie beside the tests, so this works in a checkout of Vigie and not from an installed package.
"""

import asyncio
import importlib.util
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

from records import SettingsError
from vigie.broker import free_port

SERVERS = Path(__file__).parents[1] / "tests" / "connectors" / "servers"
SERVE = "serve_demo"


def names() -> list[str]:
    """Return the platforms that can be served."""
    paths = sorted(SERVERS.glob("*.py"))
    return [path.stem for path in paths if f"def {SERVE}(" in path.read_text(encoding="utf-8")]


def server_of(name: str) -> Callable[[int], Coroutine[Any, Any, None]]:
    """Return what serves one of them on a port, until it is cancelled.

    Errors  SettingsError when there is no such server here
    """
    if name not in names():
        there = ", ".join(names()) or "none: they come with a checkout of Vigie, beside its tests"
        raise SettingsError(f"fake: no server stands for {name!r}; there are {there}")
    path = SERVERS / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"vigie_fake_{name}", path)
    if spec is None or spec.loader is None:
        raise SettingsError(f"{path}: cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return cast(Callable[[int], Coroutine[Any, Any, None]], getattr(module, SERVE))


def serve(name: str, port: int) -> None:
    """Serve one of them until Ctrl-C."""
    serve_demo, number = server_of(name), port or free_port()
    sys.stderr.write(f"{name} on port {number} of this machine; Ctrl-C ends it\n")
    try:
        asyncio.run(serve_demo(number))
    except KeyboardInterrupt:
        return
