"""Pseudonyms: what stands in for an author's name and for an id that would give the name away.

Two keys. The author key changes every 30 days, so that nobody can be followed for longer. The post key stays, since a
deletion must find its post however old; a post's pseudonym is different for each post and links nothing.

Shape   the same name under the same key gives the same pseudonym
Units   16 hexadecimal digits for an author, 24 for a post
Errors  SettingsError when the key file cannot be read, is not ours or may be read by others
"""

import fcntl
import hmac
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec

from records import Clock, SettingsError

KEY_BYTES = 32
OBJECTED = "objected"
"""Stands for an author who has asked not to be read: his posts end at the edge."""
AUTHOR_DIGITS = 16
POST_DIGITS = 24
OBJECTIONS = "objections.txt"
ROTATE_AFTER = timedelta(days=30)


class Keys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys in force, and the author key before them while it is still needed to honour departures."""

    post_key: bytes
    author_key: bytes
    made_at: datetime
    earlier_author_key: bytes | None = None


class Pseudonyms(Protocol):
    """Turns names into pseudonyms."""

    def author(self, platform: str, native_id: str) -> str:
        """Return the author's pseudonym; "" where nobody is named."""

    def post(self, platform: str, native_id: str) -> str:
        """Return the pseudonym of a post whose native id names its author."""

    def earlier_author(self, platform: str, native_id: str) -> str | None:
        """Return the pseudonym that the author had before the last change of keys, while it may still be stored."""


def digest(key: bytes, platform: str, native_id: str, digits: int) -> str:
    """Return the keyed hash of a platform's id."""
    named = f"{platform}:{native_id}".encode("utf-8", "surrogatepass")
    return hmac.digest(key, named, "sha256").hex()[:digits]


class FixedPseudonyms:
    """Pseudonyms under one given key: replays, drills and tests, where the same input must give the same bytes."""

    def __init__(self, key: bytes) -> None:
        self._author_key = hmac.digest(key, b"author", "sha256")
        self._post_key = hmac.digest(key, b"post", "sha256")

    def author(self, platform: str, native_id: str) -> str:
        """Return the author's pseudonym; "" where nobody is named."""
        return digest(self._author_key, platform, native_id, AUTHOR_DIGITS) if native_id else ""

    def post(self, platform: str, native_id: str) -> str:
        """Return the pseudonym of a post."""
        return digest(self._post_key, platform, native_id, POST_DIGITS)

    def earlier_author(self, platform: str, native_id: str) -> str | None:
        """Return None: the key never changes."""


class RotatingPseudonyms:
    """Pseudonyms under keys in a file that only we may read; processes of one machine share it.

    The author key before the current one is kept, for departures only, for as long as what it named may be stored;
    then it is dropped.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        rotate_after: timedelta = ROTATE_AFTER,
        keep_earlier: timedelta = timedelta(days=3),  # raw posts live 72 h
    ) -> None:
        self._path = path
        self._clock = clock
        self._rotate_after = rotate_after
        self._keep_earlier = min(keep_earlier, rotate_after)
        self._keys, self._due_at = self._keys_now()
        self._objections = Objections(path.with_name(OBJECTIONS))

    def author(self, platform: str, native_id: str) -> str:
        """Return the author's pseudonym; "" where nobody is named, `OBJECTED` for one who asked not to be read."""
        if not native_id:
            return ""
        objectors = self._objections.now()
        if objectors and self._objector(platform, native_id) in objectors:
            return OBJECTED
        return self.present_author(platform, native_id)

    def present_author(self, platform: str, native_id: str) -> str:
        """Return an author's pseudonym even where he objected: under it his words may be kept."""
        return digest(self._current().author_key, platform, native_id, AUTHOR_DIGITS)

    def object(self, platform: str, native_id: str) -> None:
        """Note that an author asked not to be read, from now on and in every process that shares the keys."""
        self._objections.add(self._objector(platform, native_id))

    def _objector(self, platform: str, native_id: str) -> str:
        return digest(self._keys.post_key, platform, f"objector\n{native_id}", POST_DIGITS)

    def post(self, platform: str, native_id: str) -> str:
        """Return the pseudonym of a post."""
        return digest(self._keys.post_key, platform, native_id, POST_DIGITS)

    def earlier_author(self, platform: str, native_id: str) -> str | None:
        """Return the pseudonym before the last change of keys, or None when that key is gone."""
        key = self._current().earlier_author_key
        return digest(key, platform, native_id, AUTHOR_DIGITS) if key else None

    def _current(self) -> Keys:
        if self._clock.now() >= self._due_at:
            self._keys, self._due_at = self._keys_now()
        return self._keys

    def _keys_now(self) -> tuple[Keys, datetime]:
        """Read the file, make it or change the keys in it, as the hour demands."""
        now = self._clock.now()
        with locked(self._path):
            found = keys_in(self._path)
            keys = keys_at(now, found, rotate_after=self._rotate_after, keep_earlier=self._keep_earlier)
            if keys != found:
                write_private(self._path, msgspec.json.encode(keys))
        next_step = self._keep_earlier if keys.earlier_author_key else self._rotate_after
        return keys, keys.made_at + next_step


class Objections:
    """Who asked not to be read, as keyed hashes in a file; read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._hashes: frozenset[str] = frozenset()

    def now(self) -> frozenset[str]:
        """Return them, as the file has them at this moment."""
        try:
            stat_now = self._path.stat()
        except FileNotFoundError:
            return frozenset()
        if (stat_now.st_mtime_ns, stat_now.st_size) != self._seen:
            try:
                self._hashes = frozenset(self._path.read_text(encoding="ascii").split())
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(
                    f"{self._path}: cannot read who objected: {error}; give it to the user that Vigie runs as"
                ) from error
            self._seen = stat_now.st_mtime_ns, stat_now.st_size
        return self._hashes

    def add(self, objector: str) -> None:
        """Add somebody."""
        with locked(self._path):
            known = self._path.read_text(encoding="ascii").split() if self._path.exists() else []
            write_private(self._path, "".join(f"{one}\n" for one in sorted({*known, objector})).encode())


def keys_at(now: datetime, found: Keys | None, *, rotate_after: timedelta, keep_earlier: timedelta) -> Keys:
    """Return the keys that should be in force, given those found."""
    if found is None:
        return Keys(post_key=secrets.token_bytes(KEY_BYTES), author_key=secrets.token_bytes(KEY_BYTES), made_at=now)
    age = now - found.made_at
    if age >= rotate_after:
        return Keys(
            post_key=found.post_key,
            author_key=secrets.token_bytes(KEY_BYTES),
            made_at=now,
            earlier_author_key=found.author_key if age < rotate_after + keep_earlier else None,
        )
    if found.earlier_author_key and age >= keep_earlier:
        return msgspec.structs.replace(found, earlier_author_key=None)
    return found


def keys_in(path: Path) -> Keys | None:
    """Return the keys in a file, or None where there is no file."""
    try:
        raw = path.read_bytes()
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{path}: cannot read the pseudonym keys: {error.strerror}") from error
    if mode & 0o077:
        raise SettingsError(f"{path}: mode {mode:o} lets others read the pseudonym keys; run: chmod 600 {path}")
    try:
        return msgspec.json.decode(raw, type=Keys)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{path}: not a file of pseudonym keys ({error}); remove it to make new ones") from error


def write_private(path: Path, content: bytes) -> None:
    """Put content in place at once and durably, readable by us alone."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    beside.replace(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock beside a file, so that two processes do not both change the keys."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
