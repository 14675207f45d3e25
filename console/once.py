"""Once: a form that is sent twice does one thing; filled in otherwise, it does another."""

import hashlib
import json
import secrets

BYTES = 8


def nonce() -> str:
    """Return what tells one form from all others."""
    return secrets.token_hex(BYTES)


def identity(nonce: str, account_id: str, *said: str) -> str:
    """Return what the thing is known by that a form makes; nobody can choose it.

    `said`: all that was filled in. Who goes back, changes a word and sends the form again has said something else,
    and it must not be taken for what he said before.
    """
    whole = json.dumps([account_id, nonce, *said], ensure_ascii=True)
    return hashlib.blake2b(whole.encode(), digest_size=BYTES).hexdigest()
