"""The manual as a site: it builds without a fault, no link of it leads nowhere, and it asks nothing of another host."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from lxml import html
from playwright.sync_api import sync_playwright

from tests.docs.building import ROOT, built

LOADED = (  # what a browser asks for by itself, unlike a link that somebody must click
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("audio", "src"),
    ("object", "data"),
    ("link", "href"),
)
STYLE_ADDRESS = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")
ON_DEMAND = ("mermaid", "glightbox", "arithmatex")  # classes for which Zensical's script asks unpkg.com for more
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
PAGE = re.compile(r"^#[^#].*$", re.MULTILINE)


def pages(site: Path) -> Iterator[tuple[Path, html.HtmlElement]]:
    """Return each page of the site, read."""
    for path in sorted(site.rglob("*.html")):
        if path.name != "404.html":
            yield path, html.fromstring(path.read_bytes())


def markdown() -> list[str]:
    """Return the pages as they lie in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],  # noqa: S607  the one of this machine
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if not name.startswith("vigie/privacy/")]


def html_of(page: str) -> str:
    """Return where a page of the repository stands in the site."""
    folder, _, name = page.rpartition("/")
    name = "index.html" if name == "README.md" else name.removesuffix(".md") + ".html"
    return f"{folder}/{name}" if folder else name


def test_every_page_of_the_repository_is_in_the_site_and_in_its_navigation(site: Path) -> None:
    front = html.fromstring((site / "index.html").read_bytes())
    listed = {link.get("href") for link in front.xpath("//nav[contains(@class, 'md-nav--primary')]//a")} | {
        "index.html"
    }
    listed = {unquote(str(link)).removeprefix("./") for link in listed}
    lacking = [page for page in markdown() if html_of(page) not in listed or not (site / html_of(page)).is_file()]
    assert len(markdown()) > 80
    assert not lacking, f"docs/site/zensical.toml: nav lacks {', '.join(lacking)}"


def test_every_page_has_one_title() -> None:
    untitled = []
    for page in markdown():
        titles = PAGE.findall(FENCE.sub("", (ROOT / page).read_text(encoding="utf-8")))
        if len(titles) != 1:
            untitled.append(f"{page}: {titles}")
    assert not untitled


def test_every_link_and_picture_of_the_site_is_there(site: Path) -> None:
    anchors = {path: set(page.xpath("//@id")) | set(page.xpath("//@name")) for path, page in pages(site)}
    wrong = []
    for path, page in pages(site):
        for element, attribute, link, _ in page.iterlinks():
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or (element.tag == "link" and attribute == "rel"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            fragment = unquote(parts.fragment)
            if not target.is_file() or (fragment and target in anchors and fragment not in anchors[target]):
                wrong.append(f"{path.relative_to(site)}: {link}")
    assert not wrong, "\n".join(wrong)


def test_no_page_asks_another_host_for_anything(site: Path) -> None:
    asked = []
    for path, page in pages(site):
        asked += [
            f"{path.relative_to(site)}: {address}"
            for tag, attribute in LOADED
            for address in page.xpath(f"//{tag}/@{attribute}")
            if urlsplit(address).netloc
        ]
        asked += [f"{path.relative_to(site)}: {name}" for name in ON_DEMAND if page.find_class(name)]
    for path in (*site.rglob("*.css"), *site.rglob("*.html")):
        found = STYLE_ADDRESS.findall(path.read_text(encoding="utf-8"))
        asked += [f"{path.relative_to(site)}: {one}" for pair in found for one in pair if urlsplit(one).netloc]
    assert not asked, "\n".join(asked)


def test_pages_say_in_which_language_they_are(site: Path) -> None:
    french = {path.name for path, page in pages(site) if page.get("lang") == "fr"}
    assert "duty-officer.fr.html" in french
    assert all(name.endswith(".fr.html") for name in french)


@pytest.mark.browser
def test_search_finds_a_word_on_pages_opened_from_the_disk_and_asks_no_other_host(site: Path) -> None:
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if chromium is None:
        if os.environ.get("VIGIE_REQUIRE_BROWSER"):
            pytest.fail("there is no Chromium here: install Debian's package chromium-headless-shell")
        pytest.skip("there is no Chromium here: install Debian's package chromium-headless-shell")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        asked: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((site / "docs" / "duty-officer.fr.html").as_uri())
        page.keyboard.press("/")
        page.keyboard.type("turnover")
        page.get_by_role("listbox").get_by_text("Without one: what dies with the embedded broker").wait_for(
            timeout=60_000
        )
        browser.close()
    assert not errors
    assert asked
    assert [address for address in asked if not address.startswith(("file:", "data:", "blob:"))] == []


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a repository of two pages, with the program that builds its manual."""
    root = tmp_path / "small"
    shutil.copytree(ROOT / "docs" / "site", root / "docs" / "site", ignore=shutil.ignore_patterns("__pycache__"))
    config = (root / "docs" / "site" / "zensical.toml").read_text(encoding="utf-8")
    nav = re.sub(r"^nav = \[.*?^\]", 'nav = ["README.md", { "More" = ["docs/a*.md"] }]', config, flags=re.M | re.S)
    assert nav != config
    (root / "docs" / "site" / "zensical.toml").write_text(nav, encoding="utf-8")
    (root / "README.md").write_text("# Vigie\n\n[how](docs/analyst.md#the-budget), [from](docs/site/build.py)\n")
    (root / "docs" / "analyst.md").write_text("# For the analyst\n\n## The budget\n\nOne knob:\n- watches\n- alerts\n")
    return root


def test_a_list_right_below_a_sentence_is_a_list_as_on_github(small: Path) -> None:
    done = built(small, small / "site")
    assert done.returncode == 0, done.stderr
    page = html.fromstring((small / "site" / "docs" / "analyst.html").read_bytes())
    assert [item.text_content().strip() for item in page.xpath("//article//li")] == ["watches", "alerts"]
    assert (small / "site" / "docs" / "site" / "build.py").is_file()


@pytest.mark.parametrize(
    ("page", "text", "told"),
    [
        pytest.param(
            "docs/analyst.md",
            "# A\n\n## The budget\n\n[x](gone.md)\n",
            "docs/analyst.md: line 5: gone.md is no file; mend the link, or add the file",
            id="a link to nothing",
        ),
        pytest.param(
            "docs/analyst.md",
            "# A\n\n## The budget\n\n[x](site)\n",
            "docs/analyst.md: line 5: site is a folder; link to its README.md",
            id="a link to a folder",
        ),
        pytest.param(
            "docs/analyst.md",
            "# A\n\n## The budget\n\n[x](../../../secret.md)\n",
            "docs/analyst.md: line 5: ../../../secret.md is no file; mend the link, or add the file",
            id="a link out of the repository",
        ),
        pytest.param(
            "docs/analyst.md", "# A\n\n## The budgets\n", "anchor does not exist", id="an anchor that is gone"
        ),
        pytest.param(
            "docs/other.md",
            "# B\n",
            "docs/site/zensical.toml: nav lacks docs/other.md; add it to a section",
            id="a page in no section",
        ),
    ],
)
def test_a_fault_in_the_manual_is_told_and_nothing_is_built(page: str, text: str, told: str, small: Path) -> None:
    (small / page).write_text(text, encoding="utf-8")
    done = built(small, small / "site")
    assert done.returncode == 1
    assert told in done.stderr
    assert not (small / "site").exists()


def test_a_page_that_the_navigation_names_and_that_is_gone_is_told(small: Path) -> None:
    (small / "docs" / "analyst.md").unlink()
    (small / "README.md").rename(small / "docs" / "a.md")
    (small / "docs" / "a.md").write_text("# A\n", encoding="utf-8")
    done = built(small, small / "site")
    assert done.returncode == 1
    assert done.stderr == "docs/site/zensical.toml: nav names README.md; take it out, or add the page\n"
