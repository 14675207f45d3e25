"""The stories that are told: the scenarios of the library, and what tests tell otherwise than it does."""

from dataclasses import replace

from vigie.scenarios.scenario import Scenario, library, scenario_from


def tale(name: str) -> Scenario:
    """Return the story of that name."""
    if name == "the_same_flare_unannounced":
        return replace(scenario_from("declared_flare"), notices=())
    return scenario_from(name)


NAMES = (*library(), "the_same_flare_unannounced")
