"""Profile setting: what may be set in a profile, between which bounds, and what is wrong with one that cannot be used.

Shape   a key is written as in the file, tables before it: `budget.watch`, `hazard.fire.eta`; `hazard.*.eta` of any
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

SettingKind = Literal["number", "whole", "switch", "text", "list"]
ProblemCode = Literal[
    "too_long",
    "no_toml",
    "unknown_key",
    "missing",
    "wrong_kind",
    "out_of_bounds",
    "not_finite",
    "other",
    "no_zone",
    "no_country",
    "no_home",
    "alert_budget_above_watch_budget",
    "shares_do_not_add_up",
    "no_table",
    "named_twice",
    "least_above_most",
    "hold_above_reopen",
    "support_needs_more",
    "crowd_needs_fewer",
    "other_than_in_force",
    "version_taken",
]

PROBLEM_WORDS: Final[Mapping[ProblemCode, str]] = {
    "too_long": "no more than {most} characters fit",
    "no_toml": "this is not TOML: {why}",
    "unknown_key": "there is no such setting; see which there are, and how they are written",
    "missing": "is missing; write it down",
    "wrong_kind": "{kind} is needed",
    "out_of_bounds": "out of bounds; from {least} to {most}",
    "not_finite": "a finite number is needed",
    "other": "{why}",
    "no_zone": "no such zone; write it like 'Europe/Paris'",
    "no_country": "no such country; write it like 'FR', or '' for none",
    "no_home": "parts of the budget are for the home and what is around it, and there is no home; give all to the rest",
    "alert_budget_above_watch_budget": "more than budget.watch = {other}; ask for less",
    "shares_do_not_add_up": "home_share + surroundings_share + rest_share = {total}: they must add up to 1",
    "no_table": "{hazard!r} is watched, but there is no table [hazard.{hazard}]",
    "named_twice": "a hazard stands there twice; once is enough",
    "least_above_most": "above most_rate = {other}; the least must come first",
    "hold_above_reopen": "longer than reopen_hours = {other}, which is the longest hold; shorten it, or lengthen that",
    "support_needs_more": "more than {name} = {other}: more support must not ask for more witnesses; lower it",
    "crowd_needs_fewer": "less than witnesses_alone = {other}: anybody's word must not count for more; raise it",
    "other_than_in_force": "{other} is in force, and is read when workers start; keep it, or change the settings' file",
    "version_taken": "was in force before with another text; give the version another name",
}
"""What is wrong, and what would do."""


class ProfileSetting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting: what may stand there, and what holds where it is not written down."""

    key: str
    kind: SettingKind
    least: float | None = None
    most: float | None = None
    is_above: bool = False  # the least itself is too little
    is_below: bool = False  # the most itself is too much
    usual: float | bool | str | None = None  # None: it has to be written down, or is a list


class ProfileProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a profile."""

    code: ProblemCode
    key: str = ""  # "": the whole text
    found: str = ""  # as it is written; "": there is nothing
    values: dict[str, str] = {}  # for the words

    def told(self, words: str = "") -> str:
        """Return key, what was found, and what would do; `words`: these in another language."""
        said = (words or PROBLEM_WORDS[self.code]).format_map(_Quoting(self.values))
        return f"{self.key}{f' = {self.found}' if self.found else ''}: {said}".removeprefix(": ")


class _Quoting(dict[str, str]):
    """Values by name; one that a translation names and nobody gave is shown as its name."""

    def __missing__(self, key: str) -> str:
        return key
