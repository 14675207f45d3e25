"""The manual as a site, built once for the tests that look at it."""

from pathlib import Path

import pytest

from tests.docs.building import ROOT, built


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site."""
    folder = tmp_path_factory.mktemp("manual") / "site"
    done = built(ROOT, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
    return folder
