"""The embedded broker, where it cannot be started: said with what would do."""

from pathlib import Path

import pytest

from records import SettingsError
from vigie.broker import EmbeddedBroker


def test_a_user_without_a_home_to_unpack_it_into_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no-folder").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "no-folder"))
    with pytest.raises(SettingsError, match=r"cannot be unpacked into \.calfkit .*; give the user a home"):
        EmbeddedBroker().start()


def test_a_program_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALF_TANSU_BIN", str(tmp_path / "nothing"))
    with pytest.raises(SettingsError, match="is not installed; install the package"):
        EmbeddedBroker().start()
