"""`vigie scenario check`: all that is wrong with a town's own scenario, each with file and line."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from detectors.profile import load_profile
from models.places import Gazetteer, load_local_places, shipped_gazetteer
from records import SettingsError
from vigie.scenarios.file import place_in
from vigie.scenarios.scenario import FILE, Scenario, place_of, read_scenario
from vigie.settings import Problem


def problems_with(folder: Path) -> list[Problem]:
    """Return all that is wrong with the scenario of a folder, its communes and places as well."""
    scenario, problems = read_scenario(folder)
    if scenario is None:
        return problems
    return [*problems, *_misplaced(folder / FILE, scenario, shipped_gazetteer())]


def _misplaced(path: Path, scenario: Scenario, gazetteer: Gazetteer) -> Iterator[Problem]:
    """Yield what no map knows, and what the detectors would refuse."""
    looks: list[tuple[tuple[str | int, ...], Callable[[], object]]] = [
        (("home",), lambda: gazetteer.home_place(scenario.home)),
    ]
    looks += [
        (("happenings", number, "insee"), partial(place_of, one, gazetteer))
        for number, one in enumerate(scenario.happenings)
    ]
    if scenario.profile:
        looks.append((("profile",), lambda: load_profile(scenario.profile, None)))
    local = scenario.local_places
    if local is not None and local.is_file():
        looks.append((("local_places",), lambda: load_local_places(local, gazetteer)))
    for keys, look in looks:
        try:
            look()
        except SettingsError as error:
            yield Problem(place_in(path, keys), str(error), "")
