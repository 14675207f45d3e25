"""The settings of what rumours are told by: known texts, addresses of authorities, and the register of accounts."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from connectors.register import Account
from records import SettingsError
from vigie.source_settings import Part, RecordedSource, SourceSettings, TopicSource, WebhookSource


class RumourSettings(Part):
    """What claims are held against."""

    texts: Path | None = Field(
        default=None, description="a file of messages that go round again and again, one a line, beside those shipped"
    )
    domains: tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")], ...] = Field(
        default=(), description='sites of authorities beside gouv.fr and the like, as in ["lehavre.fr"]'
    )


class OfficialAccount(Part):
    """An account that is known to speak for an authority, an operator or a newspaper."""

    platform: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$", description='where it posts: "bluesky", "mastodon", "facebook", "x" …'
    )
    account: str = Field(
        min_length=1, max_length=512, description="the account as the platform names it, as text: see the template"
    )
    name: str = Field(min_length=1, max_length=80, description="whose it is, a service and not a person")
    kind: Literal["official", "operator", "press"] = Field(
        default="official", description='"official", "operator" or "press"'
    )


class _Form(NamedTuple):
    pattern: re.Pattern[str]
    wanted: str


FORMS = {
    "bluesky": _Form(
        re.compile(r"did:(plc:[a-z2-7]{24}|web:[A-Za-z0-9.:%-]+)"),
        'the DID, as "did:plc:" and 24 letters or digits, not the handle, which may change hands',
    ),
    "mastodon": _Form(
        re.compile(r"https?://[^\s/@]+/\S+"), 'the profile\'s address, as "https://mastodon.example/@name"'
    ),
    "facebook": _Form(re.compile(r"\d{1,32}"), "the Page's number, not its name"),
    "x": _Form(re.compile(r"\d{1,20}"), "the account's number, not its @name"),
    "press": _Form(
        re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+"), 'the host of the feed\'s address, as "www.journal.example"'
    ),
}
"""How accounts of a platform are named, which is what its connector makes pseudonyms of."""


def accounts_from(settings: Sequence[OfficialAccount]) -> list[Account]:
    """Return the register's accounts.

    Errors  SettingsError when one cannot be an account of its platform, or stands twice
    """
    seen: dict[tuple[str, str], int] = {}
    accounts = []
    for number, one in enumerate(settings):
        where = f"official_accounts.{number}.account"
        form = FORMS.get(one.platform)
        if form and not form.pattern.fullmatch(one.account):
            raise SettingsError(f"{where}: {one.account!r} is no account of {one.platform}; give {form.wanted}")
        first = seen.setdefault((one.platform, one.account), number)
        if first != number:
            raise SettingsError(f"{where}: is that of official_accounts.{first} too; keep one of them")
        accounts.append(Account(one.platform, one.account, one.kind))
    return accounts


def counted(settings: Iterable[OfficialAccount]) -> str:
    """Return how many accounts are known, by platform."""
    by_platform = sorted(Counter(one.platform for one in settings).items())
    return ", ".join(f"{platform} {count}" for platform, count in by_platform) or "none is known"


def unread(settings: Iterable[OfficialAccount], sources: Sequence[SourceSettings]) -> Iterator[str]:
    """Yield the platforms of accounts that no source reads; files and webhooks may carry any platform."""
    read = {source.kind for source in sources}
    if any(isinstance(source, RecordedSource | TopicSource | WebhookSource) for source in sources):
        return
    yield from sorted({one.platform for one in settings} - read)
