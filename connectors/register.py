"""Register: the accounts that are known to speak for an authority, an operator or a newspaper.

Whose they are stands in the settings, by the names that platforms give them. Posts bear pseudonyms, so the register
turns each name into its pseudonym under the keys in force and compares those: no name goes further than this room.
It is asked at one place, on the way to the publisher, whatever the source.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from connectors.contract import Publisher
from connectors.pseudonym import OBJECTED, Pseudonyms
from records import Bulletin, DeadLetter, Post, Pulse
from records.post import AuthorKind

RANKS: dict[AuthorKind, int] = {"press": 1, "operator": 2, "official": 3}
"""How much is known of whom; an account is never taken for less than its source says."""

_MARK = ("", "register")  # nobody's name: its pseudonym changes exactly when the keys do


class Account(NamedTuple):
    """One account: the platform, the name that its connector gives to `Pseudonyms.author`, and whose it is."""

    platform: str
    native_id: str
    kind: AuthorKind


class Register:
    """Tells whose posts are official.

    Shape   posts in, the same out in the same order, `author_kind` raised where the account is known
    Units   one keyed hash a batch; all accounts' hashes again when the keys change
    """

    def __init__(self, accounts: Sequence[Account], pseudonyms: Pseudonyms) -> None:
        self._accounts = tuple(accounts)
        self._pseudonyms = pseudonyms
        self._mark = ""
        self._kinds: dict[str, AuthorKind] = {}

    def recognised(self, posts: Sequence[Post]) -> list[Post]:
        """Return posts with what is known of their authors."""
        kinds = self._kinds_now() if self._accounts else {}
        return [_raised(post, kinds.get(post.author_id)) for post in posts]

    def _kinds_now(self) -> dict[str, AuthorKind]:
        mark = self._pseudonyms.author(*_MARK)
        if mark != self._mark:
            self._kinds = {author: one.kind for one in self._accounts for author in self._authors(one)}
            self._mark = mark
        return self._kinds

    def _authors(self, account: Account) -> set[str]:
        """Return an account's pseudonyms: under the keys before, too, for posts that were read as they changed."""
        named = account.platform, account.native_id
        return {self._pseudonyms.author(*named), self._pseudonyms.earlier_author(*named) or ""} - {"", OBJECTED}


class Recognising:
    """A publisher that asks the register first, then hands over to another one."""

    def __init__(self, publisher: Publisher, register: Register) -> None:
        self._publisher = publisher
        self._register = register

    async def posts(self, posts: Sequence[Post]) -> None:
        """Hand over posts, with what is known of their authors."""
        await self._publisher.posts(self._register.recognised(posts))

    async def bulletins(self, bulletins: Sequence[Bulletin]) -> None:
        """Hand over bulletins as they are."""
        await self._publisher.bulletins(bulletins)

    async def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Hand over dead letters as they are."""
        await self._publisher.dead_letters(letters)

    async def pulses(self, pulses: Sequence[Pulse]) -> None:
        """Hand over pulses as they are."""
        await self._publisher.pulses(pulses)


def _raised(post: Post, kind: AuthorKind | None) -> Post:
    if kind is None or RANKS.get(kind, 0) <= RANKS.get(post.author_kind, 0):
        return post
    return replace(post, author_kind=kind)
