"""What Vigie is made of may be passed on with it: each locked package has a licence that goes with Apache-2.0.

Shape   the licence that a package states: its expression, else its classifiers, else the first line of its text. What
        is no plain permission stands in `CONDITIONS`, with why it may be used as it is used here; what is neither is
        an error, so that a new package is looked at before it is locked
Source  docs/decisions/0005-licences.md
"""

import re
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

REQUIREMENTS = Path(__file__).parents[2] / "requirements"
LOCKED = {
    (line["name"], line["marker"] or "")
    for path in sorted(REQUIREMENTS.glob("*.txt"))
    for line in re.finditer(
        r"^(?P<name>[A-Za-z0-9._-]+)==[^\s;\\]+(?: *; *(?P<marker>[^\\\n]+))?", path.read_text("utf-8"), re.MULTILINE
    )
}
PERMISSIVE = re.compile(
    r"0BSD|MIT(-0|-CMU)?( Licence| License)?|ISC|Zlib|CC0-1\.0|PSF-2\.0|Python Software Foundation License|"
    r"(3-Clause )?BSD( License)?|BSD[ -][23][ -]Clause( License)?|Public-Domain|"
    r"Apache([ -]2(\.0)?)?|Apache Software License|Apache License(, Version 2\.0)?|WITH LLVM-exception"
)
CONDITIONS = {
    "LGPL-3.0-only": "psycopg: an extra, imported and not changed",
    "Mozilla Public License 2.0 (MPL 2.0)": "certifi, pathspec: whole files, not changed",
    "MPL-2.0": "hypothesis: only for the tests",
    "Repoze Public License": "venusian: a BSD licence with a clause on the name",
}


def stated(name: str) -> list[str]:
    """Return the licences that a package states."""
    said: Any = metadata.metadata(name)
    classifiers = [one.rpartition("::")[2].strip() for one in said.get_all("Classifier") or () if "License" in one]
    classifiers = [one for one in classifiers if not one.lower().endswith("approved")]  # which says of none which
    first = next((line.strip() for line in (said.get("License") or "").splitlines() if line.strip()), "")
    told = [said["License-Expression"]] if said.get("License-Expression") else classifiers or [first]
    return [part for one in told for part in _parts(one)]


def _parts(expression: str) -> list[str]:
    if expression in CONDITIONS or PERMISSIVE.fullmatch(expression):
        return [expression]
    return [part.strip("() ") for part in re.split(r" (?:AND|OR|and|or) | (?=WITH )", expression)]


def test_the_locks_are_read() -> None:
    assert len(LOCKED) > 150


@pytest.mark.parametrize(("name", "marker"), sorted(LOCKED))
def test_a_locked_package_may_be_passed_on(name: str, marker: str) -> None:
    try:
        found = stated(name)
    except metadata.PackageNotFoundError:
        assert "win32" in marker, f"{name} is locked, and not installed: install requirements/dev.txt"
        return
    assert found
    unknown = [one for one in found if not PERMISSIVE.fullmatch(one) and one not in CONDITIONS]
    assert unknown == [], f"{name}: look at its licence, and say in this file why it may be used, or do without it"
