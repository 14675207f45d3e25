"""Whom to call: read whole or refused with what would do, and handed to the detectors."""

from pathlib import Path

import pytest

from detectors.duty import Duty
from records import SettingsError
from vigie.duty_settings import duties_from
from vigie.settings import UnusableSettings, load

GUARD = '[[duty]]\nname = "Usine, poste de garde"\nnumber = "00 00 00 00 00"\n'


def test_a_number_is_for_a_site_a_commune_or_an_area(tmp_path: Path) -> None:
    file = tmp_path / "vigie.toml"
    file.write_text(f'{GUARD}site = "Usine"\n\n{GUARD}area = "2A"\n', encoding="utf-8")
    assert duties_from(load(file).duty) == [
        Duty(name="Usine, poste de garde", number="00 00 00 00 00", site="Usine"),
        Duty(name="Usine, poste de garde", number="00 00 00 00 00", area="2A"),
    ]


def test_one_that_is_for_nothing_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "vigie.toml"
    file.write_text(GUARD, encoding="utf-8")
    with pytest.raises(
        SettingsError, match=r"^duty\.0: 'Usine, poste de garde' is for nothing; give site, insee or area"
    ):
        duties_from(load(file).duty)


def test_none_are_shipped() -> None:
    assert load().duty == ()


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        pytest.param(
            '[[duty]]\nname = "x"\nnumber = "ask Anne"\narea = "76"\n',
            "line 3: duty.0.number: found 'ask Anne'; give a public telephone number, digits and spaces",
            id="no number",
        ),
        pytest.param(f'{GUARD}insee = "7635"\n', "give the INSEE code of a commune", id="no code"),
    ],
)
def test_what_is_wrong_is_told(toml: str, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "vigie.toml"
    file.write_text(toml, encoding="utf-8")
    with pytest.raises(UnusableSettings) as refused:
        load(file)
    assert expected in str(refused.value)
