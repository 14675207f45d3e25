"""Folder: files that others read at any moment, so they are there whole or not at all, also after a power cut.

Errors  OSError, which sinks turn into TryLater
"""

import os
from collections.abc import Iterable
from pathlib import Path

READABLE = 0o644


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in its place; when this returns it is on disk."""
    part = path.with_name(f".{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, READABLE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    part.replace(path)
    sync(path.parent)


def remove(paths: Iterable[Path]) -> None:
    """Take files away; those that are gone already are none the worse."""
    folders = set()
    for path in paths:
        path.unlink(missing_ok=True)
        folders.add(path.parent)
    for folder in folders:
        sync(folder)


def sync(folder: Path) -> None:
    """Return when what a folder holds is on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
