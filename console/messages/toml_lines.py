"""Where things stand in a TOML text: the line of a key, of a table, of one element of a list, of a word in a text.

tomllib keeps no positions, and neither does tomlkit in what it publishes. So this walks over a text that tomllib has
already accepted, and only notes where each value begins and ends.

Shape   a path is keys and indices, as they lead through what tomllib returns: ("message", 3, "fr", "cell", 0)
"""

import re

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*(?:"((?:\\.|[^"\\\n])*)"|'([^'\n]*)'|([A-Za-z0-9_-]+))[ \t]*(\.?)""")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})' r"|'''.*?'''(?:'{0,2})" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'", re.DOTALL
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


class TomlLines:
    """The places of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._spans: dict[Path, tuple[int, int]] = {}
        self._counts: dict[Path, int] = {}  # tables of a list so far
        self._at = 0
        self._walk()

    def line_of(self, path: Path, word: str = "") -> int:
        """Return the line of what a path leads to, or of the nearest thing above it; of a word in it, if it has it."""
        for depth in range(len(path), 0, -1):
            span = self._spans.get(path[:depth])
            if span is not None:
                found = self._text.find(word, *span) if word else -1
                return self._text.count("\n", 0, span[0] if found < 0 else found) + 1
        return 1

    def _walk(self) -> None:
        table: Path = ()
        while self._skip():
            start = self._at
            if self._text.startswith("[[", start):
                table = self._header(2, start)
            elif self._text.startswith("[", start):
                table = self._header(1, start)
            else:
                self._pair(table)

    def _skip(self) -> bool:
        """Go past blanks and comments; tell whether anything follows."""
        found = _BLANK.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at < len(self._text)

    def _header(self, brackets: int, start: int) -> Path:
        self._at += brackets
        keys = self._keys()
        self._at += brackets
        path: Path = ()
        for key in keys[:-1]:
            path = self._latest((*path, key))
        path = (*path, keys[-1])
        if brackets == 2:  # noqa: PLR2004  [[ ]]
            self._spans.setdefault(path, (start, self._at))
            self._counts[path] = self._counts.get(path, 0) + 1
        path = self._latest(path)
        self._spans.setdefault(path, (start, self._at))
        return path

    def _latest(self, path: Path) -> Path:
        return (*path, self._counts[path] - 1) if path in self._counts else path

    def _keys(self) -> list[str]:
        keys = []
        while found := _KEY.match(self._text, self._at):
            self._at = found.end()
            keys.append(next((part for part in found.groups()[:3] if part is not None), ""))
            if not found[4]:
                break
        return keys

    def _pair(self, table: Path) -> None:
        start = self._at
        keys = self._keys()
        if not keys:  # not TOML after all: go on with the next line
            self._at = self._text.find("\n", start) + 1 or len(self._text)
            return
        for depth in range(1, len(keys)):
            self._spans.setdefault((*table, *keys[:depth]), (start, self._at))
        self._at += 1  # the sign =
        self._skip()
        self._value((*table, *keys))
        self._spans[*table, *keys] = (start, self._at)

    def _value(self, path: Path) -> None:
        opening = self._text[self._at : self._at + 1]
        if opening == "[":
            self._elements(path)
        elif opening == "{":
            self._inline(path)
        else:
            found = _STRING.match(self._text, self._at) or _SCALAR.match(self._text, self._at)
            self._at = found.end() if found else self._at

    def _elements(self, path: Path) -> None:
        self._at += 1
        index = 0
        while self._skip() and self._text[self._at] != "]":
            start = self._at
            self._value((*path, index))
            self._spans[*path, index] = (start, self._at)
            index += 1
            self._past_comma()
        self._at += 1

    def _inline(self, path: Path) -> None:
        self._at += 1
        while self._skip() and self._text[self._at] != "}":
            self._pair(path)
            self._past_comma()
        self._at += 1

    def _past_comma(self) -> None:
        self._skip()
        if self._text.startswith(",", self._at):
            self._at += 1
