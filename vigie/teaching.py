"""Teaching: `vigie train --with-verdicts`: a candidate model from what people decided, beside the shipped one.

Nothing of what is learned from is kept: the lessons are made from the archive, and gone when the training is over.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from models.beside import corpus_measures, quiet_measure
from models.candidate import CandidateReport, Measured, OnScenario, write_report
from models.correcting import corrected
from models.evaluate import readings_of
from models.hazard import WEIGHTS, HazardModel, digest_of, read_arrays, version_of, write_arrays
from models.lessons import lessons_from_corpus, lessons_from_everyday, lessons_from_public
from models.links import without_links
from models.posts_corpus import CORPUS, read_part
from models.public_posts import read_set
from models.reading import PostReading
from models.verdict_lessons import lessons_from_verdicts
from records import Clock, SettingsError
from records.decided_post import DecidedPost
from vigie.scenarios.scenario import library, scenario_from
from vigie.settings import Settings
from vigie.teaching_replay import on_scenario

Told = Callable[[str], None]
BATCH = 64


def decided_in(settings: Settings, clock: Clock) -> list[DecidedPost]:
    """Return what people decided of posts whose words the archive still has.

    Errors  SettingsError where there is no archive, it cannot be opened, or all that it holds is an exercise
    """
    if not settings.console.is_there:
        raise SettingsError(
            "console: is not there, and its archive has the decisions; set console.port and install the extra `console`"
        )
    if settings.console.is_exercise:
        raise SettingsError("console.is_exercise: what was decided in an exercise is no lesson; name other settings")
    return asyncio.run(_decided_in(settings, clock))


async def _decided_in(settings: Settings, clock: Clock) -> list[DecidedPost]:
    from console.archive.lessons import decided_posts  # noqa: PLC0415  needs the console's libraries
    from vigie.console_assembly import archive_of  # noqa: PLC0415  the same

    engine = await archive_of(settings)
    try:
        return await decided_posts(engine, clock.now())
    finally:
        await engine.dispose()


def teach(posts: Sequence[DecidedPost], public: Path | None, out: Path, told: Told) -> CandidateReport:
    """Correct the shipped model by what people decided, write the candidate, and measure it beside the shipped one.

    Errors  SettingsError where there is nothing to learn from, or the folder cannot be that of a candidate
    """
    if not posts:
        raise SettingsError(
            "nothing to learn from: no incident whose posts still stand was confirmed, or rejected for what they say"
        )
    if out.resolve() == WEIGHTS.resolve():
        raise SettingsError(f"--out {out}: is the shipped model's folder; a candidate needs one of its own")
    try:
        out.mkdir(parents=True, exist_ok=True)  # before minutes of learning
    except OSError as error:
        raise SettingsError(f"--out {out}: cannot be made ({error.strerror}); name another folder") from error
    lessons = lessons_from_verdicts(posts)
    others = _others(public)
    told(f"learning from {len(lessons)} posts, held in place by {len(others)} others")
    write_arrays(out, corrected(read_arrays(WEIGHTS), lessons, others))
    told("measuring on posts that neither model has learned from")
    old, new = HazardModel.load(), HazardModel.load(out)
    measured = tuple(_measures(old, new, public))
    told("deciding the scenarios by what each of both reads")
    report = CandidateReport(
        version=version_of(out),
        weights_sha256=digest_of(out),
        shipped=old.version,
        lessons=dict(sorted(Counter(_origin(post) for post in posts).items())),
        lessons_known_by=sha256("\n".join(sorted(post.known_by for post in posts)).encode()).hexdigest()[:16],
        weight=round(sum(post.weight for post in posts), 3),
        held_in_place_by=len(others),
        measured=measured,
        replayed=tuple(_replayed(old, new, told)),
    )
    write_report(out, report)
    return report


def _origin(post: DecidedPost) -> str:
    return f"confirmed: {post.hazard}" if post.hazard else f"rejected: {post.decided_as}"


def _others(public: Path | None) -> list[str]:
    lessons = lessons_from_corpus(read_part(CORPUS / "train")) + lessons_from_everyday(read_part(CORPUS / "everyday"))
    if public is not None:
        lessons += lessons_from_public(public)
    return [lesson.text for lesson in lessons]


def _measures(old: HazardModel, new: HazardModel, public: Path | None) -> Iterator[Measured]:
    posts = read_part(CORPUS / "test")
    yield from corpus_measures(posts, readings_of(old, posts), readings_of(new, posts))
    if public is None:
        return
    learned = {lesson.text for lesson in lessons_from_public(public)}
    for language in ("fr", "en"):
        read = [post.text for post in read_set(public, f"background/umsab_{language}*")]
        texts = [text for text in read if without_links(text) not in learned]
        if texts:
            yield quiet_measure(f"everyday posts left alone, {language}", _read(old, texts), _read(new, texts))


def _read(model: HazardModel, texts: Sequence[str]) -> list[PostReading]:
    parts = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    return [reading for part in parts for reading in model.read(part, [None] * len(part))]


def _replayed(old: HazardModel, new: HazardModel, told: Told) -> Iterator[OnScenario]:
    for name in library():
        found = on_scenario(scenario_from(name), old, new)
        told(f"{name}: {found.is_}")
        yield found
