"""Retracting: what was deleted or changed loses its words everywhere; that it was said has counted, and stays.

Shape   one retraction in, one revision out for each incident that had shown it, whatever its level
Source  the promise of docs/invariants.md 5
"""

from msgspec.structs import replace

from detectors.case import Case
from detectors.entry import REMOVED
from detectors.ledger import INCIDENT
from detectors.state import Incident, Slot
from records import Alert, Evidence


def retract(case: Case, name: str) -> bool:
    """Take the words of a post, or of an author, from one ledger and from what was told; return if there were any.

    `name` is the post's key or the author's pseudonym. The caller works the ledger out again.
    """
    had_words = case.ledger.retract(name)
    _blank_base(case, name)
    for told_as, told in list(case.ledger.told.items()):
        if any(_is_of(item, name) for item in told.alert.evidence):
            alert = without_words(told.alert, name)
            case.ledger.told[told_as] = replace(told, alert=alert)
            case.alerts.append(alert)
            had_words = True
    return had_words


def without_words(alert: Alert, name: str) -> Alert:
    """Return the next revision of an alert, without the words of a post or an author."""
    evidence = tuple(
        replace(item, text="", url=None, author_id=REMOVED, is_removed=True) if _is_of(item, name) else item
        for item in alert.evidence
    )
    return replace(alert, revision=alert.revision + 1, evidence=evidence)


def _is_of(item: Evidence, name: str) -> bool:
    return not item.is_removed and name in (item.post_key, item.author_id)


def removed(slot: Slot) -> Slot:
    """Return what is shown of a post whose words are gone."""
    return replace(slot, text="", url=None, author_id=REMOVED, is_removed=True)


def _blank_base(case: Case, name: str) -> None:
    """Take the words from the incidents at the checkpoint: they follow from entries that are gone."""
    for place, value in list(case.ledger.base.items()):
        if place[0] == INCIDENT and isinstance(value, Incident):
            slots = tuple(removed(slot) if name in (slot.post_key, slot.author_id) else slot for slot in value.slots)
            if slots != value.slots:
                case.ledger.base[place] = replace(value, slots=slots)
                case.ledger.changed_base.add(place)
