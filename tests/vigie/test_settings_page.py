"""The reference of the settings: it is what the code reads, it leaves nothing out, and it says what each key means."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from records import SettingsError
from vigie.cli import main
from vigie.init import write_settings
from vigie.settings import Settings
from vigie.settings_page import page, table

ROOT = Path(__file__).parents[2]


def keys_in(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return every key of every table that pydantic describes, but what tells tables of a list apart."""
    for name, one in schema["$defs"].items():
        for key, described in one.get("properties", {}).items():
            if "const" not in described:
                yield f"{name}.{key}", described


def test_the_page_of_the_manual_is_what_the_code_reads() -> None:
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == page(), "run: vigie settings > docs/settings.md"


def test_every_key_has_a_line_and_a_meaning() -> None:
    schema = Settings.model_json_schema()
    whole = page()
    assert len(list(keys_in(schema))) > 150
    silent = [key for key, described in keys_in(schema) if not described.get("description")]
    assert not silent, f"without a description: {', '.join(silent)}"
    unnamed = [key for key, _ in keys_in(schema) if f"{key.partition('.')[2]}` |" not in whole]
    assert not unnamed
    rows = [line for line in whole.splitlines() if line.startswith("| `")]
    assert all(len(line.replace(r"\|", "").split(" | ")) == 4 for line in rows)
    # What two kinds share stands at both: a table that is used twice has its lines twice.
    assert len(rows) >= len(list(keys_in(schema)))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        pytest.param(
            "kafka", "| `partitions` | whole number, 1 to 64 | `4` | a number of", id="a number within bounds"
        ),
        pytest.param("kafka", "| `ca_file` | path | none | a PEM file", id="a path that may be left out"),
        pytest.param("duty", "| `name` | text, 1 to 80 characters | *needed* | who", id="a text that is needed"),
        pytest.param("digest", '| `times` | list of texts | `["07:00", "19:00"]` | when', id="a list with a default"),
        pytest.param(
            "routes", "| `continue` | true or false | `false` | true: look", id="a key that Python cannot name"
        ),
        pytest.param(
            "console", "| `keep_years` | number, more than 0, at most 50 | `5` |", id="a number above another"
        ),
        pytest.param("windows", '| `kind` | one of `"maintenance"`, `"exercise"` | *needed*', id="one word of a few"),
        pytest.param("windows", "| `starts_at` | time with its zone | *needed* | its begin", id="a moment"),
        pytest.param(
            "sources", "| `yellow_m` | number, -10 to 100 | none | metres", id="a number in a table of a table"
        ),
        pytest.param("sources", "| `feeds` | list of tables, 1 to 50 | *needed* |", id="a list of tables"),
        pytest.param("sources", "| `reaches` | table of list of texts, at least 1 | *needed*", id="a table of lists"),
        pytest.param("receivers", "### receivers, kind `alertmanager`", id="a kind of receiver"),
        pytest.param("inhibitions", r"level =~ alert\|confirmed", id="a stroke within a cell"),
    ],
)
def test_a_key_is_told_as_it_would_be_written(name: str, line: str) -> None:
    assert line in table(name)


def test_one_table_is_printed_by_its_name() -> None:
    done = CliRunner().invoke(main, ["settings", "broker"])
    assert done.exit_code == 0
    assert done.output.startswith("## [broker]\n")
    assert "max_memory_mb" in done.output
    assert "[kafka]" not in done.output


def test_a_table_that_there_is_not_is_told_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"^kafak: is no table of the settings; did you mean kafka\?$"):
        table("kafak")


def test_the_annotated_file_of_init_names_every_kind_and_every_key(tmp_path: Path) -> None:
    written = write_settings("76351", tmp_path)[0].read_text(encoding="utf-8")
    schema = Settings.model_json_schema()
    kinds = {one["properties"]["kind"]["const"] for one in schema["$defs"].values() if _is_of_a_kind(one)}
    keys = {name.partition(".")[2] for name, _ in keys_in(schema)}
    wanted = {f"{key} =" for key in keys} | {f'kind = "{kind}"' for kind in kinds}
    assert len(kinds) > 15
    lacking = {one for one in wanted if one not in written}
    assert not lacking, f"vigie/template.toml says nothing of {', '.join(sorted(lacking))}"


def _is_of_a_kind(described: dict[str, Any]) -> bool:
    return "const" in described.get("properties", {}).get("kind", {})
