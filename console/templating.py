"""Templating: templates in each language, escaped always, with the few filters that all of them use."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from types import CodeType
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_time
from babel.numbers import format_decimal
from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.bccache import Bucket
from jinja2.runtime import Context

from console.catalogue import LANGUAGES, Language, words
from console.live.rows import precision_of
from console.reasons import reason
from console.terms import Kind, term

MINUTES_AN_HOUR = 60


@cache
def environments(zone: str) -> dict[Language, Environment]:
    """Return the templates in each language, compiled once for all; moments are shown on the clock of a zone."""
    compiled = Compiled()
    return {language: _environment(language, ZoneInfo(zone), compiled) for language in LANGUAGES}


def compile_all(templates: dict[Language, Environment]) -> None:
    """Compile every template, so that nobody waits for it who opens a page first."""
    for one in templates.values():
        for name in one.list_templates():
            one.get_template(name)


class Compiled(BytecodeCache):
    """The templates as code, which is the same in each language."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template the code that was made of the same text."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


def _environment(language: Language, zone: ZoneInfo, compiled: Compiled) -> Environment:
    found = Environment(
        loader=PackageLoader("console", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=compiled,
    )
    said = words(language)
    found.install_gettext_callables(said.gettext, said.ngettext, newstyle=True)  # type: ignore[attr-defined]

    def moment(at: datetime, form: str = "d MMM y HH:mm:ss") -> str:
        return format_datetime(at, form, tzinfo=zone, locale=language)

    def clock(at: datetime) -> str:
        return format_time(at, "HH:mm", tzinfo=zone, locale=language)

    def called(code: str, kind: Kind) -> str:
        return said.gettext(term(kind, code))

    found.filters["moment"] = _spoken(moment)
    found.filters["clock"] = _spoken(clock)
    found.filters["figure"] = _spoken(lambda number: format_decimal(number, "#,##0.##", locale=language))
    found.filters["urlencode"] = in_address
    found.filters["lasted"] = lasted
    found.filters["term"] = _spoken(called)
    found.filters["precision"] = precision_of
    found.filters["reason"] = _spoken(lambda text: reason(text, said.gettext))
    found.filters["iso"] = lambda at: at.isoformat(timespec="seconds")
    return found


def _spoken(answer: Callable[..., str]) -> Callable[..., str]:
    """Return a filter that answers in a language: of a constant, too, only when a page is made.

    Jinja works out what it can while it compiles, and the code serves all languages.
    """

    @pass_context
    def spoken(_: Context, *arguments: Any, **more: Any) -> str:
        return answer(*arguments, **more)

    return spoken


def in_address(said: str | Mapping[str, Any]) -> str:
    """Return what stands in an address; a slash in it leads nowhere else, as it would with Jinja's own filter."""
    return quote(said, safe="") if isinstance(said, str) else urlencode(said)


def lasted(span: timedelta) -> str:
    """Return a span as people write it who count minutes, the same in both languages: "12 min", "3 h 05"."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < MINUTES_AN_HOUR:
        return f"{minutes} min"
    return f"{minutes // MINUTES_AN_HOUR} h {minutes % MINUTES_AN_HOUR:02}"
