"""The story of the demo: the morning of the scenario `le_havre_2012`, with the truth about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from vigie.scenarios.scenario import Scenario, scenario_from


@dataclass(frozen=True)
class Story:
    """What was posted, and what really happened."""

    scenario: Scenario
    name: str
    home: str  # INSEE code
    began_at: datetime  # when the incident really began
    first_post_at: datetime  # first trace of it
    first_image_at: datetime
    posts: tuple[Mapping[str, Any], ...]  # in the plain shape of recordings, in order of time
    incident_ids: frozenset[str]  # the posts that speak of the incident


PARIS = ZoneInfo("Europe/Paris")
LE_HAVRE_DAY = date(2012, 1, 30)
MORNING = ("+1 05:30:00", "+1 12:30:00")


def le_havre_2012() -> Story:
    """Return the morning of the power station fire: one Facebook status after 17 minutes, a picture after 89.

    All its posts are written by hand, the ordinary ones too.
    """
    scenario = scenario_from("le_havre_2012")
    since, until = map(scenario.at, MORNING)
    said = [post for post in scenario.own if since <= datetime.fromisoformat(post["ts"]) < until]
    incident = [post for post in said if "happening" in post]
    (fire,) = scenario.happenings
    return Story(
        scenario=scenario,
        name=scenario.title.fr,
        home=scenario.home,
        began_at=fire.began_at,
        first_post_at=datetime.fromisoformat(incident[0]["ts"]),
        first_image_at=next(datetime.fromisoformat(post["ts"]) for post in incident if post.get("media")),
        posts=tuple(
            {name: value for name, value in post.items() if name != "happening"}
            for post in sorted(said, key=lambda post: (post["ts"], post["id"]))
        ),
        incident_ids=frozenset(post["id"] for post in incident),
    )
