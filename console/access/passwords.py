"""Passwords: how they are kept, how they are compared, and which are refused.

Source  OWASP Password Storage Cheat Sheet (Argon2id, 19 MiB, two passes); NIST SP 800-63B (length, not composition)
"""

import asyncio
import secrets
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 256  # characters
FEWEST_DIFFERENT = 5
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another when read aloud

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_OF_NOBODY = _HASHER.hash(secrets.token_hex(16))  # takes as long to compare as anybody's


def one_time_password() -> str:
    """Return a password to be handed on and changed: about 99 bits, in groups."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


def why_refused(password: str, name: str) -> str | None:
    """Return why a password may not be chosen, None where it may."""
    plain = normalize("NFKC", password).casefold()
    if not SHORTEST <= len(password) <= LONGEST:
        return "A password has at least 12 characters, and at most 256."
    if len(set(plain)) < FEWEST_DIFFERENT:
        return "This password repeats the same few characters."
    if name.casefold() in plain or "vigie" in plain:
        return "The name of the account, or of Vigie, is what is tried first."
    return None


async def hashed(password: str) -> str:
    """Return what is kept of a password."""
    return await asyncio.to_thread(_HASHER.hash, normalize("NFKC", password))


async def is_it(kept: str | None, password: str) -> bool:
    """Tell whether a password is the one kept; where none is kept, it takes as long to say no."""
    fits = await asyncio.to_thread(_fits, kept or _OF_NOBODY, normalize("NFKC", password[:LONGEST]))
    return fits and kept is not None


def _fits(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
