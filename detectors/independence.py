"""Independence: a voice counts once. The same post, author or content told again weighs nothing.

Shape   names are nine-byte hashes of node and identity, so state holds no pseudonym; every name stands once in the
        node's list of things to forget: its tail, then pages of sixteen
Units   moments in microseconds since 1970
Source  docs/detection.md 2.1. Without this rule the retweets of one post are an alert.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from struct import calcsize, pack, unpack
from typing import Literal

from detectors.case import Case
from detectors.moment import SECOND
from detectors.state import MOST_FINGERPRINTS, Desk, Node, Page, Seen, Stat
from records import Signal

NAME_BYTES = 9
NAMES_A_PAGE = 16
MOST_POSTS_OF_ONE = 32
"""Posts told apart of one author; what he writes beyond that, while remembered, is not even counted as a copy."""
MOST_CLUSTERS = 8
NEAR_BITS = 3
_ALL_BITS = (1 << 64) - 1


def name_from(node: str, kind: str, identity: str) -> str:
    """Return the short name under which something is remembered at a node."""
    text = f"{node}\n{kind}\n{identity}".encode("utf-8", "surrogatepass")
    return urlsafe_b64encode(blake2b(text, digest_size=NAME_BYTES).digest()).decode()


def author_name(node: str, signal: Signal) -> str:
    """Return the name of a signal's author; where nobody signs, every post stands for itself."""
    if signal.author_id:
        return name_from(node, "author", signal.author_id)
    return name_from(node, "post", signal.post_key)


def content_names(node: str, signal: Signal) -> list[str]:
    """Return the names of the contents that a signal shares with others."""
    clusters = sorted(set(signal.cluster_ids))[:MOST_CLUSTERS]
    return [name_from(node, "content", cluster) for cluster in clusters]


def post_hash(signal: Signal) -> int:
    """Return the number by which a post is known again."""
    digest = blake2b(signal.post_key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def was_told(seen: Seen, post: int, event_at: int) -> bool:
    """Tell whether this very post came before, or may have come among those that were too many to be kept."""
    return post in seen.posts or event_at <= seen.lost_at


def is_past_telling_apart(seen: Seen, *, since: int) -> bool:
    """Tell whether an author wrote so much of late that no further post of his can be known again."""
    return sum(at >= since for at in seen.told_at) >= MOST_POSTS_OF_ONE


def tell(seen: Seen, post: int, at: int, *, since: int) -> None:
    """Note that an author told a post; what is older than `since` may go."""
    while seen.told_at and seen.told_at[0] < since:
        del seen.told_at[0], seen.posts[0]
    seen.posts.append(post)
    seen.told_at.append(at)


def is_near_copy(stat: Stat, fingerprint: int, *, since: int) -> bool:
    """Tell whether a text is nearly one of the last that counted."""
    if not fingerprint or not stat.fingerprints:
        return False
    wanted = fingerprint & _ALL_BITS
    near = [(known ^ wanted).bit_count() <= NEAR_BITS for known in _numbers("Q", stat.fingerprints)]
    if True not in near:
        return False
    printed_at = _numbers("I", stat.printed_at)
    return any(is_near and at >= since // SECOND for is_near, at in zip(near, printed_at, strict=True))


def are_near(one: int, other: int) -> bool:
    """Tell whether two fingerprints are of nearly the same text; 0 is like nothing."""
    return bool(one and other) and ((one ^ other) & _ALL_BITS).bit_count() <= NEAR_BITS


def note_fingerprint(stat: Stat, fingerprint: int, at: int) -> None:
    """Keep the fingerprint of a counted post among the last ones."""
    if not fingerprint:
        return
    stat.fingerprints = stat.fingerprints[-8 * (MOST_FINGERPRINTS - 1) :] + pack("<Q", fingerprint & _ALL_BITS)
    stat.printed_at = stat.printed_at[-4 * (MOST_FINGERPRINTS - 1) :] + pack("<I", at // SECOND)


def _numbers(form: Literal["Q", "I"], packed: bytes) -> tuple[int, ...]:
    return unpack(f"<{len(packed) // calcsize(form)}{form}", packed)


def recall(desk: Desk, name: str) -> Seen | None:
    """Return what is remembered under a name."""
    return desk.read(Seen, f"seen/{name}")


def remember(desk: Desk, node_id: str, node: Node, name: str, seen: Seen, *, memory: int) -> None:
    """Keep something under a name that was not known, and list the name for forgetting."""
    desk.stage(f"seen/{name}", seen)
    _list_for_forgetting(desk, node_id, node, name, node.at, memory=memory)


def _list_for_forgetting(desk: Desk, node_id: str, node: Node, name: str, at: int, *, memory: int) -> None:
    node.tail += urlsafe_b64decode(name)
    if len(node.tail) < NAMES_A_PAGE * NAME_BYTES:
        return
    desk.stage(f"page/{node_id}/{node.next_page}", Page(sealed_at=at, names=node.tail))
    if node.first_page == node.next_page:
        node.forget_at = at + memory
    node.next_page += 1
    node.tail = b""


def forget_page(case: Case, at: int) -> bool:
    """Forget the names of the oldest page, if it is due; those still needed are listed again.

    Needed are those used within the memory or, where there is an incident, since its onset: its authors are counted.
    """
    node, desk, node_id, memory = case.node, case.desk, case.node_id, case.watched.memory
    if not node.forget_at or node.forget_at > at:
        return False
    onset = case.onset()
    node.horizon = max(node.horizon, at - memory)
    since = at - memory if onset is None else min(at - memory, onset)
    place = f"page/{node_id}/{node.first_page}"
    page = desk.read(Page, place)
    desk.drop(place)
    node.first_page += 1
    following = desk.read(Page, f"page/{node_id}/{node.first_page}")
    node.forget_at = following.sealed_at + memory if following else 0
    for start in range(0, len(page.names) if page else 0, NAME_BYTES):
        name = urlsafe_b64encode(page.names[start : start + NAME_BYTES] if page else b"").decode()
        seen = recall(desk, name)
        if seen is None:
            continue
        if max(seen.strong_at, seen.weak_at, seen.lost_at, *seen.told_at[-1:]) >= since:
            _list_for_forgetting(desk, node_id, node, name, at, memory=memory)
        else:
            desk.drop(f"seen/{name}")
    return True
