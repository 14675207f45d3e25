"""Once: a form that is sent twice does one thing: what it makes is known by the form, and by who filled it in."""

import hashlib
import secrets

BYTES = 8


def nonce() -> str:
    """Return what tells one form from all others."""
    return secrets.token_hex(BYTES)


def identity(nonce: str, account_id: str) -> str:
    """Return what the thing is known by that a form makes; nobody can choose it."""
    return hashlib.blake2b(f"{account_id}\n{nonce}".encode(), digest_size=BYTES).hexdigest()
