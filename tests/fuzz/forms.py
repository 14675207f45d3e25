"""Forms: what the console's pages offer to send, found in them as a browser finds it, and filled in by chance.

A form that is filled in as its page means it is taken; one hostile word in it gets as far as the code that reads that
word. To fields that its page offers come some that the handler's module reads: who sends by hand may send those, too.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from sys import modules
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from lxml import etree
from starlette.routing import compile_path
from starlette.types import ASGIApp

from console.application import PAGES
from console.pages.page import Page
from tests.console.entering import PASSWORD
from tests.console.full import BLANKS, REPORTED
from tests.fuzz.asking import FORM, Answer, Asked, answer_of, hostile_value, wire

PATHS = [(page, compile_path(page.path)[0]) for page in PAGES]
MOST_ALIKE = 1  # addresses of one page that are looked at, beside those that are named
MOST_KEPT, NEWEST = 24, 3  # forms of one page
NO_PAGES = frozenset({"live"})  # never ends
WITHHELD = frozenset({"csrf"})
NEW = frozenset({("accounts", "name")})  # what nobody may have yet
SOMEBODY = "Quelqu’un"
PLAUSIBLE: Mapping[str, str] = {
    **REPORTED,
    **{f"fact.{name}": value for name, value in BLANKS.items()},
    "again": PASSWORD[::-1],
    "answer": "vu du quai",
    "began_at": "2012-01-30T06:00",
    "days": "30",
    "label": "tableau",
    "name": SOMEBODY,
    "new": PASSWORD[::-1],
    "old": PASSWORD,
    "password": PASSWORD,
    "place_name": "Harfleur",
    "question": "Voit-on des flammes ?",
    "reason": "parole du SDIS",
    "since": "2012-01-30T07:00",
    "text": "Rappeler l’exploitant.",
    "until": "2012-01-30T08:00",
}
"""What may stand in a field that a page leaves empty."""


@dataclass(frozen=True)
class Field:
    """One field, and what its page offers for it: what may be chosen, or what stands in it."""

    name: str
    offered: tuple[str, ...]
    is_hidden: bool = False


@dataclass(frozen=True)
class Form:
    """One form of a page."""

    page: Page
    path: str
    fields: tuple[Field, ...]


def page_at(path: str, method: str) -> Page | None:
    """Return the page that answers at an address."""
    return next((page for page, pattern in PATHS if method in page.methods and pattern.match(path)), None)


class Gathered:
    """The forms that pages showed, by the page that each is sent to."""

    def __init__(self) -> None:
        self.forms: dict[str, dict[Form, None]] = {}
        self._seen: dict[str, set[str]] = {}

    async def look(self, app: ASGIApp, starts: Iterable[str], cookie: str = "") -> None:
        """Look at pages and at what they link to."""
        named = list(starts)
        todo = list(named)
        for path in todo:
            page = page_at(urlsplit(path).path, "GET")
            seen = self._seen.setdefault(page.name, set()) if page else set()
            if page is None or page.is_api or page.name in NO_PAGES or path in seen:
                continue
            if path in named or len(seen) < MOST_ALIKE:
                seen.add(path)
                todo += self.take(path, await answer_of(app, _opened(page, path, cookie)))

    def take(self, path: str, answer: Answer) -> list[str]:
        """Keep the forms of an answer; return its links."""
        if not answer.header(b"content-type").startswith(b"text/html"):
            return []
        root = etree.fromstring(answer.body, etree.HTMLParser(encoding="utf-8"))
        for form in _forms_in(root, path):
            known = self.forms.setdefault(form.page.name, {})
            known[form] = None
            if len(known) > MOST_KEPT:
                del known[next(iter(known))]
        return [urljoin(path, str(link)).partition("#")[0] for link in root.xpath("//a/@href") if _is_ours(str(link))]

    def one_of(self, page: Page, chance: Random) -> Form | None:
        """Return a form that is sent to a page, one of the newest as often as any: older ones may be out of date."""
        known = list(self.forms.get(page.name, ()))
        return chance.choice(known[-NEWEST:] if chance.randrange(2) else known) if known else None


def _opened(page: Page, path: str, cookie: str) -> Asked:
    parts = urlsplit(path)
    headers = (("host", "localhost"), *([("cookie", cookie)] if cookie else []))
    return Asked(page.name, "GET", parts.path.encode(), parts.query.encode(), wire(*headers))


def _is_ours(link: str) -> bool:
    return link.startswith(("/", "?")) and not link.startswith("//")


def _forms_in(root: Any, path: str) -> Iterator[Form]:
    for form in root.iter("form"):
        address = urlsplit(urljoin(path, form.get("action") or path)).path
        page = page_at(address, "POST")
        if page and (form.get("method") or "").lower() == "post":
            yield Form(page, address, tuple(_fields(root, form)))


def _fields(root: Any, form: Any) -> Iterator[Field]:
    """Give the fields of a form: each that is typed or chosen in, one for all that is ticked or pressed."""
    inside = form.xpath(".//*[@name]") + root.xpath("//*[@name and @form=$name]", name=form.get("id", "none"))
    ticked: dict[str, tuple[str, ...]] = {}
    for one in inside:
        name = one.get("name")
        if one.tag == "button" or one.get("type") in ("radio", "checkbox"):
            ticked[name] = (*ticked.get(name, ()), one.get("value", "on"))
        elif name not in WITHHELD:
            yield Field(name, tuple(_values(one)), is_hidden=one.get("type") == "hidden")
    yield from (Field(name, values) for name, values in ticked.items())


def _values(one: Any) -> list[str]:
    if one.tag == "select":
        return [option.get("value", option.text or "") for option in one.iter("option")]
    return [one.text or "" if one.tag == "textarea" else one.get("value", "")]


def filled(chance: Random, form: Form, known: Sequence[str]) -> list[tuple[str, str]]:
    """Return a form as somebody fills it in: as it is meant, or with hostile words in one field or in several."""
    fields = [(field.name, _plausible(chance, form, field, known)) for field in form.fields]
    share = chance.choice((0.0, 0.0, 0.1, 0.4))
    spoilt = [(name, hostile_value(chance) if chance.random() < share else value) for name, value in fields]
    if share and fields and chance.random() < 0.5:
        spoilt.insert(chance.randrange(len(spoilt) + 1), chance.choice(fields))  # one of them twice
    beside = sorted(names_read_by(form.page)) if share else []
    return spoilt + [(chance.choice(beside), chance.choice(known)) for _ in range(chance.randrange(3)) if beside]


def _plausible(chance: Random, form: Form, field: Field, known: Sequence[str]) -> str:
    if field.name == "nonce" or (form.page.name, field.name) in NEW:
        return chance.randbytes(8).hex()
    offered = field.offered if field.is_hidden else [value for value in field.offered if value]
    if offered:
        return chance.choice(offered)
    return PLAUSIBLE.get(field.name) or PLAUSIBLE.get(field.name.rpartition(".")[2]) or chance.choice(known)


def sent(form: Form, pairs: Sequence[tuple[str, str]], csrf: str, cookie: str = "") -> Asked:
    """Return the request of a form, as the page's own browser sends it."""
    headers = [("host", "localhost"), ("content-type", FORM), ("origin", "null"), ("sec-fetch-site", "same-origin")]
    body = urlencode([*pairs, ("csrf", csrf)], errors="replace").encode()
    headers += [("cookie", cookie)] if cookie else []
    return Asked(form.page.name, "POST", form.path.encode(), headers=wire(*headers), body=body)


@cache
def names_read_by(page: Page) -> frozenset[str]:
    """Return the names that the module of a page's handler reads of forms and queries."""
    source = Path(str(modules[page.handler.__module__].__file__)).read_text("utf-8")
    return frozenset(names_in(ast.parse(source)))


def names_in(tree: ast.AST) -> Iterator[str]:
    """Give what code reads of a query, a form or a cookie, by name."""
    for node in ast.walk(tree):
        inner: Any = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            inner = node.args[0] if node.func.attr in ("get", "getlist", "typed", "field") else None
        elif isinstance(node, ast.Subscript):
            inner = node.slice
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and inner.value.isidentifier():
            yield inner.value
