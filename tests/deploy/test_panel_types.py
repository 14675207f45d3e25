"""The options of every panel, by Grafana's own types: what Grafana 13 does not know of is refused by its compiler.

All panels are written as one TypeScript program that `tsc` checks against npm's `@grafana/schema`, of the version that
`grafana_types/package-lock.json` has. Where there is no npm, or no network for it, these tests are skipped, saying so.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.deploy.drawn import FILES, ROOT, load, panels

HERE = Path(__file__).parent / "grafana_types"
CACHE = ROOT / ".grafana-types"
MODULES = {"state-timeline": "statetimeline"}
CUSTOM = {"timeseries", "table", "state-timeline"}  # panels with field settings of their own
HEAD = """
import type * as dashboard from './node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen';
{imports}
// JSON has the values of enumerations where TypeScript has their members.
type Json<T> = T extends string ? `${{T}}` : T extends object ? {{ [K in keyof T]: Json<T[K]> }} : T;
"""
RAW = "./node_modules/@grafana/schema/dist/types/raw"
IMPORT = f"import type * as {{name}} from '{RAW}/composable/{{name}}/panelcfg/x/types.gen';"
SETTINGS = {
    "compilerOptions": {
        "strict": True,
        "noEmit": True,
        "skipLibCheck": True,
        "target": "es2022",
        "module": "esnext",
        "moduleResolution": "bundler",
        "types": [],
    },
    "files": ["panels.ts"],
}
Compiles = Callable[[list[dict[str, Any]]], str]


def missing(what: str) -> NoReturn:
    if os.environ.get("VIGIE_REQUIRE_NPM"):
        pytest.fail(f"{what}, and VIGIE_REQUIRE_NPM is set")
    pytest.skip(f"{what}; the types of Grafana's panels come from npm")


@pytest.fixture(scope="module")
def types() -> Path:
    """Return a folder with Grafana's types and the compiler, fetched once for each lock."""
    if shutil.which("npm") is None:
        missing("there is no npm here: install Debian's packages nodejs and npm")
    lock, stamp = HERE / "package-lock.json", CACHE / "fetched.json"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        CACHE.mkdir(exist_ok=True)
        for file in (HERE / "package.json", lock):
            shutil.copy(file, CACHE)
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],  # noqa: S607
            cwd=CACHE,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        if done.returncode:
            missing(f"npm cannot fetch Grafana's types: {done.stderr[-300:]}")
        shutil.copy(lock, stamp)
    return CACHE


@pytest.fixture
def compiles(types: Path, tmp_path: Path) -> Compiles:
    """Return what says of panels which the compiler refuses, "" where it takes them all."""

    def compile_all(found: list[dict[str, Any]]) -> str:
        (tmp_path / "node_modules").symlink_to(types / "node_modules")
        (tmp_path / "panels.ts").write_text(program(found), encoding="utf-8")
        (tmp_path / "tsconfig.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
        done = subprocess.run(  # noqa: S603
            [
                str(shutil.which("node")),
                str(types / "node_modules" / "typescript" / "bin" / "tsc"),
                "-p",
                str(tmp_path),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode in (0, 2), done.stdout + done.stderr
        return done.stdout

    return compile_all


def program(found: list[dict[str, Any]]) -> str:
    """Return a program in which every panel's options, defaults and overrides have Grafana's types."""
    names = sorted({module(panel) for panel in found})
    lines = [HEAD.format(imports="\n".join(IMPORT.format(name=name) for name in names))]
    for number, panel in enumerate(found):
        lines.append(f"// {panel['title']}")
        lines += [
            f"const v{number}_{place}: {kind} = {json.dumps(value, ensure_ascii=False)};"
            for place, (kind, value) in enumerate(typed(panel))
        ]
    return "\n".join(lines)


def module(panel: dict[str, Any]) -> str:
    return MODULES.get(panel["type"], str(panel["type"]))


def typed(panel: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Return what stands in a panel, each with the type that it must have."""
    yield f"Json<Partial<{module(panel)}.Options>>", panel["options"]
    defaults = dict(panel["fieldConfig"]["defaults"])
    custom = defaults.pop("custom", None)
    own = f"{module(panel)}.FieldConfig"
    if custom is not None:
        assert panel["type"] in CUSTOM, panel["title"]
        yield f"Json<Partial<{own}>>", custom
    yield "Json<dashboard.FieldConfig>", defaults
    for override in panel["fieldConfig"]["overrides"]:
        yield "Json<dashboard.MatcherConfig>", override["matcher"]
        for one in override["properties"]:
            kind, name = (
                (own, one["id"].removeprefix("custom.")) if "." in one["id"] else ("dashboard.FieldConfig", one["id"])
            )
            yield f'Json<{kind}["{name}"]>', one["value"]


def test_grafana_knows_every_option_of_every_panel(compiles: Compiles) -> None:
    found = [panel for path in FILES if path.parent.name == "fr" for panel in panels(load(path))]
    assert compiles(found) == ""


def test_what_it_does_not_know_is_told(compiles: Compiles) -> None:
    by_type = {panel["type"]: panel for path in FILES for panel in panels(load(path))}
    wrong = deepcopy(by_type)
    wrong["geomap"]["options"]["view"]["zoomm"] = 3
    wrong["stat"]["options"]["colorMode"] = "rainbow"
    wrong["timeseries"]["fieldConfig"]["defaults"]["custom"]["lineWidht"] = 2
    override = {"matcher": {"id": "byName", "options": "x"}, "properties": [{"id": "custom.cellOption", "value": {}}]}
    wrong["table"]["fieldConfig"]["overrides"].append(override)
    wrong["state-timeline"]["fieldConfig"]["defaults"]["unitt"] = "s"
    told = compiles(list(wrong.values()))
    for word in ("zoomm", "rainbow", "lineWidht", "cellOption", "unitt"):
        assert re.search(rf"error TS\d+: .*{word}", told), f"{word}: {told}"
