"""`vigie messages`: check, show, next; and the setting that names a map of one's own."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from connectors.sinks.contract import line_from
from records import Alert
from vigie.check import CHECKS
from vigie.settings import load

Runs = Callable[..., Result]
MakesAlert = Callable[..., Alert]

OWN = """\
[[message]]
id = "own"
situation = "fire"
stage = "unconfirmed"
audience = "population"
[message.fr]
sms = "Feu ? Nous vérifions."
social = "Feu ? Nous vérifions."
[message.en]
sms = "Fire? We are checking."
social = "Fire? We are checking."
"""


def lines_of(*alerts: Alert) -> bytes:
    return b"".join(json.dumps(line_from(alert), default=str).encode() + b"\n" for alert in alerts)


def test_the_shipped_map_has_nothing_to_mend(vigie: Runs) -> None:
    result = vigie("messages", "check")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "nothing to mend\n")


def test_a_map_with_problems_ends_with_status_1(vigie: Runs, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN.replace("Feu ? Nous", "Feu {plce}. Nous", 1), encoding="utf-8")
    result = vigie("messages", "check", "own.toml")
    assert result.exit_code == 1
    assert result.stdout.startswith(
        "own.toml: line 7: own.fr.sms: there is no placeholder {plce}; did you mean place?\n"
    )
    assert result.stderr == "2 problems\n"


def test_a_map_that_is_not_there_ends_with_status_2(vigie: Runs) -> None:
    result = vigie("messages", "check", "none.toml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "vigie: none.toml: cannot be read: No such file or directory; name a file or folder of a map\n"
    )


def test_shows_a_situation_with_the_length_on_each_channel(vigie: Runs) -> None:
    result = vigie("messages", "show", "fire", "--stage", "confirmed", "--audience", "population")
    assert result.exit_code == 0
    assert "fire-confirmed-population · Incendie · confirmé par une autorité · population" in result.stdout
    assert "cell (au plus 7 pages sur 15, la plus longue de 76 sur 93)" in result.stdout
    assert "     2 Incendie confirmé, secteur {place}." in result.stdout
    assert "fire-ongoing" not in result.stdout


def test_shows_english_too(vigie: Runs) -> None:
    result = vigie("messages", "show", "prevention_flood", "--language", "en", "--audience", "population")
    assert "prevention-flood-population · Prevention: flood · quiet times · population" in result.stdout
    assert "SMS)" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("show", "fier"), "vigie: situation 'fier': the map has none of this name; give one of fire, flood, "),
        (
            ("show", "fire", "--stage", "quiet"),
            "vigie: situation 'fire': no message fits; it has the stages first_signal, unconfirmed, confirmed, ongoing",
        ),
        (
            ("next", "--fact", "rode=x"),
            "vigie: fact 'rode': the map has no placeholder of this name; did you mean road?",
        ),
        (("next", "--fact", "road"), "vigie: fact 'road': says nothing; write NAME=VALUE, as in road=\"rue Haute\""),
        (
            ("next", "--zone", "Europe/Havre"),
            "vigie: zone 'Europe/Havre': there is none of this name; give one such as",
        ),
        (
            ("next", "--phenomenon", "fog"),
            "vigie: phenomenon 'fog': the map has none of this name; give one of noise, ",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: tuple[str, ...], expected: str, vigie: Runs, alert_with: MakesAlert
) -> None:
    result = vigie("messages", *arguments, input=lines_of(alert_with()))
    assert result.exit_code == 2
    assert result.stderr.startswith(expected)


def test_next_fills_what_is_confirmed_and_marks_the_blanks(vigie: Runs, tmp_path: Path, alert_with: MakesAlert) -> None:
    confirmed = alert_with(level="confirmed", certainty="Observed", revision=3)
    (tmp_path / "alerts.jsonl").write_bytes(lines_of(alert_with(), alert_with(revision=2, authors=3), confirmed))
    result = vigie("messages", "next", "alerts.jsonl", "--audience", "population", "--fact", "authority=le préfet")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("fire-0123456789abcdef r3: Le Havre, confirmé; stade: confirmé par une autorité\n")
    assert "     1 ALERTE INCENDIE. le préfet.\n     2 Incendie confirmé, secteur Le Havre.\n" in result.stdout
    assert "7 Consignes : […à compléter : compte ou site officiel]." in result.stdout
    assert "à compléter: qui confirme (source_of_confirmation): personne ne l’a donné" in result.stdout
    assert "NE PEUT PAS ÊTRE SIGNÉ" in result.stdout
    assert result.stdout.endswith("Rien n’est envoyé. Une personne relit, complète et signe.\n")
    assert "press" not in result.stdout
    assert "à savoir: Seulement si l'autorité a décidé l'évacuation" in result.stdout


def test_next_reads_standard_input_and_says_why_somebody_gets_nothing(vigie: Runs, alert_with: MakesAlert) -> None:
    result = vigie("messages", "next", "--language", "en", input=lines_of(alert_with(level="signal")))
    assert result.exit_code == 0
    assert "  population: nothing. A single post that raised no watch" in result.stdout
    assert "fire-first-staff · Fire · first signal · staff" in result.stdout


def test_next_takes_a_whole_record_too(vigie: Runs) -> None:
    golden = (Path(__file__).parents[1] / "golden" / "alert.json").read_bytes()
    assert "Les Neiges" in vigie("messages", "next", input=golden).stdout


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (b"", "nothing to read\n"),
        (b"\n\nnot json\n", "vigie: standard input: line 3: is no alert: "),
        (b'{"incident_id": "x"}\n', "vigie: standard input: line 1: is no alert: "),
        (b"[]\n", "vigie: standard input: line 1: is no alert: "),
    ],
)
def test_what_is_no_alert_is_told_with_its_line(lines: bytes, expected: str, vigie: Runs) -> None:
    result = vigie("messages", "next", input=lines)
    assert result.exit_code == 2
    assert result.stderr.startswith(expected)


def test_the_settings_name_a_map_of_ones_own(vigie: Runs, tmp_path: Path, alert_with: MakesAlert) -> None:
    (tmp_path / "own.toml").write_text(OWN, encoding="utf-8")
    (tmp_path / "vigie.toml").write_text('[messages]\nmap = "own.toml"\n')
    assert load(tmp_path / "vigie.toml").messages.map == tmp_path / "own.toml"
    result = vigie("messages", "next", "--audience", "population", input=lines_of(alert_with(authors=3)))
    assert "own · Incendie" in result.stdout
    assert "fire-unconfirmed-population" in result.stdout


def test_vigie_check_looks_at_the_map(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN.replace("Nous vérifions", "Oui", 1), encoding="utf-8")
    (tmp_path / "vigie.toml").write_text('[messages]\nmap = "own.toml"\n')
    (told,) = map(str, CHECKS["message map"](load(tmp_path / "vigie.toml")))
    assert told == (
        f"{tmp_path}/own.toml: line 7: own.fr.sms: does not say that nothing is confirmed, at the stage unconfirmed; "
        'say "nous vérifions" or "non confirmé"'
    )
    (tmp_path / "own.toml").write_text(OWN, encoding="utf-8")
    assert list(CHECKS["message map"](load(tmp_path / "vigie.toml"))) == []


def test_vigie_check_tells_of_a_map_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "vigie.toml").write_text('[messages]\nmap = "none"\n')
    (told,) = map(str, CHECKS["message map"](load(tmp_path / "vigie.toml")))
    assert told == (
        f"messages.map: {tmp_path}/none: cannot be read: No such file or directory; name a file or folder of a map"
    )
