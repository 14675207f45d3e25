"""Stated: bulletins become statements to the state of each hazard that they concern. A plain function."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from models.denial import beside_denial, is_denial, names_danger
from records import Bulletin, Statement
from records.signal import Hazard

DENYING: frozenset[str] = frozenset({"operator_notice", "other"})
"""Kinds of bulletins whose words may deny; a vigilance says what is expected, not whether what is told is so."""


def statements(bulletins: Iterable[Bulletin], hazards: Iterable[Hazard]) -> Iterator[Statement]:
    """Yield what each hazard of some is told, in order; of all that a bulletin leaves open."""
    concerned = tuple(hazards)
    for bulletin in map(read, bulletins):
        for hazard in concerned:
            if bulletin.hazard in (None, hazard):
                yield Statement(hazard=hazard, area=bulletin.area, said=bulletin)


def read(bulletin: Bulletin) -> Bulletin:
    """Return a bulletin with what its words say: whether it denies, where its source has not said so.

    What announces an incident, and denies only that it is worse, denies nothing.
    """
    if bulletin.is_denial or bulletin.kind not in DENYING or bulletin.phenomenon == "incident":
        return bulletin
    denies = is_denial(bulletin.text) and not names_danger(beside_denial(bulletin.text))
    return replace(bulletin, is_denial=True) if denies else bulletin
