"""The manual as a site: pages gathered from docs and rooms, their links looked at, and Zensical run on them, strictly.

`make docs`, or `python docs/site/build.py [FOLDER]`. On disk the pages stay where readers of the repository find them.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import tomlkit

ROOT = Path(__file__).resolve().parents[2]
CONFIG = Path(__file__).with_name("zensical.toml")
PAGES = ("*.md", "docs/**/*.md", "models/cards/*.md", "deploy/**/*.md")
ROOMS = ("records", "connectors", "models", "detectors", "streams", "console", "vigie", "tests")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)")
LIST_ALONE = re.compile(r"^(?P<before>(?!\s|[-*+>|#] |\d+\. ).+\n)(?=(?:[-*+]|\d+\.) )", re.MULTILINE)
OUTSIDE = re.compile(r"^([a-z][a-z0-9+.-]*:|//|#)")
SHIM = Path(__file__).with_name("iframe-worker-1.0.4")  # npm's, MIT: search needs it when pages come from the disk
SHIM_FILE = "iframe-worker.js"
SHIM_OUTSIDE = "https://unpkg.com/iframe-worker/shim"  # from where Zensical's pages would have it
FRENCH = re.compile(r"\.fr\.html$")
Nav = list[Any]  # as Zensical takes it: paths, and tables of one title with a list


class BrokenManual(Exception):
    """The manual cannot be built: each line says where, what was found, what would do."""


def pages() -> list[str]:
    """Return all pages, by their paths in the repository."""
    found = {path for pattern in PAGES for path in ROOT.glob(pattern)}
    found |= {path for room in ROOMS for path in (ROOT / room).rglob("README.md")}
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def linked(page: str) -> Iterator[tuple[int, str]]:
    """Name what a page links to within the repository, with the line that does; examples in fences are none."""
    text = (ROOT / page).read_text(encoding="utf-8")
    text = FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), text)
    for number, line in enumerate(text.splitlines(), 1):
        for link in LINK.finditer(re.sub(r"`[^`]*`", "", line)):
            if not OUTSIDE.match(link[1]):
                yield number, link[1].partition("#")[0]


def files_linked(names: Iterable[str]) -> set[str]:
    """Return the files beside the pages that pages link to: pictures, examples, sources.

    Errors  BrokenManual, with every link that leads nowhere, or to a folder
    """
    found: set[str] = set()
    wrong = []
    for page in names:
        for number, link in linked(page):
            target = ((ROOT / page).parent / link).resolve()
            if target.is_file() and target.is_relative_to(ROOT):
                found.add(target.relative_to(ROOT).as_posix())
            else:
                cure = "link to its README.md" if target.is_dir() else "mend the link, or add the file"
                wrong.append(f"{page}: line {number}: {link} is {'a folder' if target.is_dir() else 'no file'}; {cure}")
    if wrong:
        raise BrokenManual("\n".join(wrong))
    return found


def spelled_out(nav: Nav, names: Iterable[str]) -> Nav:
    """Return the navigation with pages instead of patterns, and without sections that are empty.

    Errors  BrokenManual when it names a page that is not there, or when it leaves one out
    """
    left = set(names)
    whole = {entry for entry in _entries(nav) if "*" not in entry}
    if gone := sorted(whole - left):
        raise BrokenManual(f"docs/site/zensical.toml: nav names {', '.join(gone)}; take it out, or add the page")
    free = left - whole
    found = _section(nav, free)
    if free:
        raise BrokenManual(f"docs/site/zensical.toml: nav lacks {', '.join(sorted(free))}; add it to a section")
    return found


def _entries(nav: Nav) -> Iterator[str]:
    for entry in nav:
        if isinstance(entry, str):
            yield entry
        else:
            for inner in entry.values():
                yield from _entries(inner)


def _section(nav: Nav, free: set[str]) -> Nav:
    found: Nav = []
    for entry in nav:
        if isinstance(entry, dict):
            inner = {title: _section(list(part), free) for title, part in entry.items()}
            found.extend({title: part} for title, part in inner.items() if part)
        elif "*" in entry:
            taken = {path.relative_to(ROOT).as_posix() for path in ROOT.glob(entry)} & free
            free -= taken
            found.extend(sorted(taken, key=lambda page: (PurePosixPath(page).name != "README.md", page)))
        else:
            found.append(entry)
    return found


def build(into: Path) -> None:
    """Write the site into a folder, in the place of what was there.

    Errors  BrokenManual when a link leads nowhere, a page is in no section, or Zensical finds fault
    """
    names = pages()
    beside = files_linked(names)
    config = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    project = config["project"]
    project["nav"] = spelled_out(project["nav"], names)
    with tempfile.TemporaryDirectory(prefix="vigie-docs-") as folder:
        work = Path(folder)
        for name in [*names, *beside]:
            (work / "pages" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, work / "pages" / name)
        for name in names:
            _part_lists(work / "pages" / name)
        project.update(docs_dir="pages", site_dir="site")
        (work / "zensical.toml").write_text(tomlkit.dumps(config), encoding="utf-8")
        _run(work)
        _finish(work / "site")
        shutil.rmtree(into, ignore_errors=True)
        shutil.copytree(work / "site", into)


def _part_lists(page: Path) -> None:
    """Put an empty line between a paragraph and its list: without one Python-Markdown sees no list, GitHub does."""
    parts = re.split(r"(^```.*?^```)", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    parts[::2] = [LIST_ALONE.sub(r"\g<before>\n", part) for part in parts[::2]]
    page.write_text("".join(parts), encoding="utf-8")


def _run(work: Path) -> None:
    done = subprocess.run(  # noqa: S603  our own tool
        [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", str(work / "zensical.toml")],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr).partition("Traceback")[0]
        raise BrokenManual(f"zensical: {said.strip()}")


def _finish(site: Path) -> None:
    """Say which pages are French, for screen readers, and take what lets search work from the disk along."""
    shutil.copytree(SHIM, site / "assets", dirs_exist_ok=True)
    for path in site.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        up = "../" * (len(path.relative_to(site).parts) - 1)
        page = page.replace(SHIM_OUTSIDE, f"{up}assets/{SHIM_FILE}")
        if FRENCH.search(path.name):
            page = page.replace('<html lang="en"', '<html lang="fr"', 1)
        path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "site").absolute()
    try:
        build(target)
    except BrokenManual as broken:
        sys.exit(str(broken))
    sys.stdout.write(f"written: {target / 'index.html'}\n")
