"""Silences: whose notifications are kept back now, soon and until lately; to make one, and to end one."""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

from msgspec.structs import replace
from starlette.responses import Response

from console.archive import looking, saying
from console.deciding import silence_conditions as conditions
from console.once import identity, nonce
from console.pages.page import Page, Visit
from console.problem import Problem
from records import Alert, Matcher, Silence
from records.labels import LABELS, VALUES, labels_of
from records.silence import MOST_WORDS

Labels = Mapping[str, str]
ROWS = 3  # of conditions to fill in, at the least
NOT_IN_FORCE = (Problem("silence", "not_in_force"),)
MADE_ELSEWHERE = (Problem("silence", "made_elsewhere"),)


async def silences(visit: Visit) -> Response:
    """Show the silences; where conditions are asked for, what they would hold back."""
    asked = conditions.asked_from(visit.request.query_params)
    if "check" not in visit.request.query_params:
        return await _page(visit, asked)
    now, zone = visit.desk.clock.now(), visit.desk.setup.zone
    wrong = _problems((*conditions.matchers_from(asked), *conditions.span_from(asked, now, zone)))
    return await _page(visit, asked, problems=wrong, is_checked=not wrong)


async def make(visit: Visit) -> Response:
    """Make a silence."""
    form, now = await visit.form(), visit.desk.clock.now()
    asked = conditions.asked_from(form)
    silence_id = identity(str(form.get("nonce", "")), visit.visitor.account_id, *conditions.said(asked))
    made = conditions.silence_from(
        asked, silence_id=silence_id, by=visit.visitor.name, now=now, zone=visit.desk.setup.zone
    )
    if not isinstance(made, Silence):
        is_checked = all(one.field == "reason" for one in made)
        return await _page(visit, asked, problems=made, is_checked=is_checked)
    if all(one.silence_id != silence_id for one in await looking.silences(visit.desk.engine, now)):
        await saying.silence(visit.desk, visit.visitor, made)
    return visit.go("/silences", done="made", silence=silence_id)


async def end(visit: Visit) -> Response:
    """End a silence now, or take back one that has not begun."""
    now = visit.desk.clock.now()
    known = {one.silence_id: one for one in await looking.silences(visit.desk.engine, now)}
    one = known.get(visit.request.path_params["silence_id"])
    asked = conditions.asked_from(visit.request.query_params)
    if one is None or one.ends_at <= now:
        return await _page(visit, asked, problems=NOT_IN_FORCE)
    if one.origin:
        return await _page(visit, asked, problems=MADE_ELSEWHERE)
    ended = replace(one, starts_at=min(one.starts_at, now), ends_at=now, made_at=now)
    await saying.silence(visit.desk, visit.visitor, ended)
    return visit.go("/silences", done="ended", silence=one.silence_id)


async def _page(
    visit: Visit, asked: conditions.Asked, *, problems: Sequence[Problem] = (), is_checked: bool = False
) -> Response:
    now, query = visit.desk.clock.now(), visit.request.query_params
    found = await looking.silences(visit.desk.engine, now)
    labelled = [(one, labels_of(one)) for one in await looking.heads(visit.desk.engine)]
    matchers = _matchers(conditions.matchers_from(asked)) if is_checked else ()
    done = next((one for one in found if one.silence_id == query.get("silence", "")), None)
    return visit.render(
        "silences.html",
        status=422 if problems else 200,
        in_force=[one for one in found if one.starts_at <= now < one.ends_at],
        to_come=[one for one in found if now < one.starts_at < one.ends_at],
        over=[one for one in reversed(found) if one.ends_at <= now],
        muted_by=lambda matchers: muted(matchers, labelled),
        open_count=len(labelled),
        asked=asked,
        rows=[*asked.rows, *[conditions.Row("", "=", "")] * max(1, ROWS - len(asked.rows))][: conditions.MOST_ROWS],
        problems=problems,
        matchers=matchers,
        nonce=nonce(),
        done=query.get("done", "") if done is not None else "",
        done_silence=done,
        labels=LABELS,
        signs=conditions.SIGNS,
        lengths=conditions.MINUTES,
        most_words=MOST_WORDS,
        values=_values(labels for _, labels in labelled),
        again=again,
    )


def muted(matchers: Sequence[Matcher], labelled: Iterable[tuple[Alert, Labels]]) -> list[Alert]:
    """Return the incidents whose notifications these conditions hold back, of incidents with their labels."""
    return [one for one, labels in labelled if matchers and all(matcher.fits(labels) for matcher in matchers)]


def again(silence: Silence) -> str:
    """Return the address of a form that is filled in as for this silence."""
    columns = [
        pair for one in silence.matchers for pair in (("name", one.name), ("sign", one.sign), ("value", one.value))
    ]
    return f"/silences?{urlencode(columns)}#make"


def _values(labels: Iterable[Labels]) -> list[tuple[str, str]]:
    """Return what labels can be, or are now, each with its label."""
    known = {(name, value) for name, values in VALUES.items() for value in values}
    now = {pair for one in labels for pair in one.items()}
    return sorted(known | now, key=lambda pair: (LABELS.index(pair[0]), pair[1]))


def _matchers(found: Iterable[Matcher | Problem]) -> tuple[Matcher, ...]:
    return tuple(one for one in found if isinstance(one, Matcher))


def _problems(found: Iterable[object]) -> tuple[Problem, ...]:
    return tuple(one for one in found if isinstance(one, Problem))


PAGES = (
    Page(path="/silences", name="silences", needs="see", handler=silences),
    Page(path="/silences", name="make_silence", needs="decide", handler=make, methods=("POST",)),
    Page(path="/silences/{silence_id}/end", name="end_silence", needs="decide", handler=end, methods=("POST",)),
)
