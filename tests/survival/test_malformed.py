"""Many thousands of values that are no posts: all set aside whole, none lost, and the posts between them are read."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from records import DeadLetter, Post, decode, encode
from streams.topics import DEAD_LETTERS, POSTS, SIGNALS

if TYPE_CHECKING:
    from tests.survival.stage import Stage

pytestmark = pytest.mark.broker

FEWER, MALFORMED = 5_000, 100_000
LARGEST = 1_000_000  # bytes of a value that a broker takes as it comes
REASONS = {"empty", "undecodable", "invalid"}


def ways_to_be_wrong(sound: bytes) -> dict[str, Callable[[random.Random], bytes | None]]:
    fields = json.loads(sound)
    return {
        "empty": lambda chance: b"",
        "nothing": lambda chance: None,
        "random bytes": lambda chance: b"\xff" + chance.randbytes(chance.randrange(400)),
        "cut off": lambda chance: sound[: chance.randrange(1, len(sound) - 1)],
        "a number for a text": lambda chance: encode_json({**fields, "text": chance.randrange(1 << 40)}),
        "a list for a source": lambda chance: encode_json({**fields, "source": [chance.random()]}),
        "a time that is none": lambda chance: encode_json({**fields, "posted_at": f"2012-13-{chance.randrange(99)}"}),
        "a time without a zone": lambda chance: encode_json({**fields, "posted_at": "2012-01-30T08:37:00"}),
        "a field too few": lambda chance: encode_json({k: v for k, v in fields.items() if k != "author_id"}),
        "a field too many": lambda chance: encode_json({**fields, f"x{chance.randrange(99)}": None}),
        "a huge number": lambda chance: b'{"source":' + b"9" * chance.randrange(400, 5000) + b"}",
        "a huge exponent": lambda chance: b'{"geo":{"lat":1e%d,"lon":0}}' % chance.randrange(400, 1 << 40),
        "nested without end": lambda chance: b"[" * chance.randrange(2000, 20000),
        "another shape": lambda chance: encode_json([fields, chance.random()]),
        "a bare word": lambda chance: chance.choice([b"null", b"true", b"0", b'""', b"{}", b"[]", b"NaN"]),
        "half a character": lambda chance: b'{"source":"\xc3","id":"%d"}' % chance.randrange(99),
        "off the globe": lambda chance: encode_json({**fields, "geo": {"lat": 91 + chance.random(), "lon": 0}}),
    }


def encode_json(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("count", [FEWER, pytest.param(MALFORMED, marks=pytest.mark.long)])
def test_all_are_set_aside_whole_and_the_posts_between_them_are_read(
    count: int, stage: "Stage", posts: tuple[Post, ...]
) -> None:
    chance = random.Random(7)  # noqa: S311  what is wrong, the same each time
    ways = list(ways_to_be_wrong(encode(posts[0])).values())
    malformed = [chance.choice(ways)(chance) for _ in range(count - 2)]
    malformed += [b"x" * LARGEST, b'{"text":"' + b"\\u0000" * (LARGEST // 6) + b'"}']
    values = malformed + [encode(post) for post in posts]
    chance.shuffle(values)
    stage.publish_raw(POSTS, [(b"stranger", value) for value in values])

    stage.worker.start()
    stage.wait_until_ready()
    began_at = time.monotonic()
    stage.wait_until("all is read", lambda: stage.handled(POSTS) >= len(values), look_secs=0.5)
    a_second = len(values) / (time.monotonic() - began_at)
    outcomes = stage.metric("vigie_posts_total")
    assert sum(outcomes.values()) == len(values)
    assert outcomes["dead_letter"] == count

    letters = [decode(value, DeadLetter) for value in stage.values(DEAD_LETTERS)]
    assert Counter(letter.value for letter in letters) == Counter(value or b"" for value in malformed)
    assert {letter.reason for letter in letters} == REASONS
    assert {letter.topic for letter in letters} == {POSTS.name}
    assert all(letter.value == (values[letter.offset] or b"") for letter in letters)

    stage.wait_until_drained()
    of_the_fire = sum(post.id.startswith("e") for post in posts)
    assert stage.handled(SIGNALS) == sum(stage.metric("vigie_signals_total").values()) > of_the_fire > 300
    print(f"{a_second:.0f} malformed values a second")  # noqa: T201  with pytest -s, and when it fails
    assert stage.stop_worker() == 0
