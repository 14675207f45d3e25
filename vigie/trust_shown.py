"""`vigie trust`: the tables of the console's page of trust, from its archive, in French or English."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.table import Table

from console.catalogue import Language, words
from console.terms import term
from console.trust import measuring
from console.trust.delays import Quantiles
from console.trust.measuring import Measured
from console.trust.precision import FEW, By
from console.tuning.promoting import profile_in
from records import Clock
from records.share import Share
from records.trust import EtaProposal, Standstill
from vigie.console_assembly import archive_of, setup_of
from vigie.settings import Settings
from vigie.trust_watch import TrustWatch

Say = Callable[[str], str]

CAVEAT = (
    "What people decided is not the truth: they judge what was raised, and mostly what they looked at. Of what was "
    "never raised, and of what nobody judged, these figures know nothing."
)
GROUPED: dict[By, str] = {
    "hazard": "By hazard",
    "platform": "By platform of the posts shown with the watch",
    "profile": "By profile and version",
    "detector": "By version of the detectors",
    "model": "By version of the model",
    "week": "By week",
}
STAYS: dict[Standstill, str] = {
    "too_short": "stays: of the last four weeks, it is known of fewer than 25 days that this profile watched",
    "too_few": "stays: the budget allows hardly any, and hardly any was raised",
    "nobody_ruled": "stays: nobody confirmed or rejected any of them",
    "unjudged": "stays: whether the ones that nobody judged were false decides if it should rise or fall",
    "as_budgeted": "stays: as many as the budget allows",
    "at_bound": "stays: it cannot go further",
    "not_watched": "stays: the profile does not watch this hazard",
}


async def _measured(settings: Settings, days: int, clock: Clock) -> tuple[Measured, EtaProposal | None]:
    engine, setup, now = await archive_of(settings), setup_of(settings), clock.now()
    try:
        found = await measuring.measured(engine, now - timedelta(days=days), now, setup.zone)
        return found, await measuring.controlled(engine, await profile_in(engine, setup.profile), TrustWatch(), now)
    finally:
        await engine.dispose()


def trust_of(settings: Settings, days: int, clock: Clock) -> tuple[Measured, EtaProposal | None]:
    """Return the figures of the last days, and what the budget controller proposes; None where it cannot.

    Errors  SettingsError when the archive cannot be opened
    """
    return asyncio.run(_measured(settings, days, clock))


def shown(found: Measured, proposal: EtaProposal | None, language: Language) -> RenderableType:
    """Return all figures as tables, with what they do not know said first."""
    say = words(language).gettext
    tables = [_precision(found, by, say) for by in GROUPED if found.groups[by]]
    parts: list[RenderableType] = [say(CAVEAT), "", _whole(found, say), "", *tables, _delays(found, say)]
    parts += [_reliability(found, say), *_recall(found, say)]
    return Group(*parts, *([_budget(proposal, say)] if proposal else []))


def share_in(share: Share, say: Say) -> str:
    """Return so many of so many, with the interval where there are enough of them."""
    if not share.cases:
        return say("none judged")
    told = say("%(hits)s of %(cases)s") % {"hits": share.hits, "cases": share.cases}
    if share.cases < FEW:
        return f"{told} ({say('too few for a share')})"
    interval = say("between %(least)s and %(most)s %% (95 %% interval)")
    return f"{told}, {interval % {'least': round(100 * share.low), 'most': round(100 * share.high)}}"


def _whole(found: Measured, say: Say) -> str:
    return f"{say('True among judged watches')}: {share_in(found.whole.watches, say)}"


def _table(title: str, columns: Iterable[str]) -> Table:
    return Table(*columns, title=title, title_justify="left")


def _hazard(name: str, say: Say) -> str:
    return say(term("hazard", name)) if name else say("All")


def _precision(found: Measured, by: By, say: Say) -> Table:
    heads = [
        GROUPED[by],
        "True among judged watches",
        "Expected to be true",
        "True among judged alerts",
        "From the onset to the watch",
        "Judged by nobody",
    ]
    table = _table(say("How much of it was true"), map(say, heads))
    for one in found.groups[by]:
        name = _hazard(one.name, say) if by == "hazard" else one.name
        told = (
            share_in(one.watches, say),
            f"{one.expected:.1f}",
            share_in(one.alerts, say),
            _spread(one.to_watch, say),
        )
        table.add_row(name, *told, str(one.unjudged))
    return table


def _delays(found: Measured, say: Say) -> Table:
    heads = [
        "Hazard",
        "From the onset to the watch",
        "From the onset to the alert",
        "Lead before the first authority",
    ]
    table = _table(say("How early Vigie told of what was true"), map(say, heads))
    for one in found.delays:
        table.add_row(_hazard(one.name, say), *(_spread(part, say) for part in (one.to_watch, one.to_alert, one.lead)))
    return table


def _spread(one: Quantiles, say: Say) -> str:
    if one.least is None or one.median is None or one.nine_in_ten is None or one.most is None:
        return say("none")
    figures = {"cases": one.cases, "least": round(one.least), "most": round(one.most), "nine": round(one.nine_in_ten)}
    few = "(cases: %(cases)s, from %(least)s to %(most)s)"
    many = "(cases: %(cases)s; nine in ten at most %(nine)s, all at most %(most)s)"
    return f"{round(one.median)} min {say(few if one.cases < FEW else many) % figures}"


def _reliability(found: Measured, say: Say) -> Table:
    table = _table(say("Whether probabilities hold"), map(say, ["Probability told", "On average", "True"]))
    for one in found.reliability.bins:
        span = say("%(low)s to %(high)s %%") % {"low": round(100 * one.low), "high": round(100 * one.high)}
        table.add_row(span, f"{round(100 * one.told)} %", share_in(one.true, say))
    return table


def _recall(found: Measured, say: Say) -> list[str]:
    told = "incidents that became known another way: %(cases)s; public posts spoke of %(hits)s"
    lines = [
        f"{_hazard(one.name, say)}: {say(told) % {'cases': one.spoken_of.cases, 'hits': one.spoken_of.hits}}"
        for one in found.recall
    ]
    unknown = (
        "No incident of this period became known another way, as far as anybody noted: how much Vigie misses is not "
        "known."
    )
    return [*(lines or [say(unknown)]), ""]


def _budget(proposal: EtaProposal, say: Say) -> Table:
    title = say(
        "False watches that the profile %(profile)s has cost in the last four weeks, of which it is known of %(days)s "
        "days that it watched, beside what its budget allows then."
    ) % {"profile": proposal.profile, "days": f"{proposal.days:.0f}"}
    table = _table(title, map(say, ["Hazard", "False ones", "Judged by nobody", "Allowed", "eta", "Proposed"]))
    for one in proposal.figures:
        proposed = say(STAYS[one.why]) if one.why else f"{one.proposed:g}"
        counts = (str(one.false_ones), str(one.unjudged), f"{one.budgeted:.1f}", f"{one.eta:g}")
        table.add_row(_hazard(one.hazard, say), *counts, proposed)
    return table
