"""Objection: somebody asks not to be read. From then on nothing of them passes, and what is kept loses its words."""

from records import Clock, Post, SettingsError
from streams.publisher import KafkaPublisher
from vigie import edge_assembly
from vigie.settings import Settings


async def object_to(settings: Settings, platform: str, account: str, clock: Clock) -> None:
    """Note an objection, and have what is kept under the account's pseudonyms forgotten.

    Errors  SourceUnavailable when the broker cannot be reached: the objection is noted, for the rest ask again
    """
    if not platform or not account:
        raise SettingsError("privacy object: give the platform and the account, as in: bluesky did:plc:abc")
    names = edge_assembly.pseudonyms(settings, clock)
    names.object(platform, account)  # first, so that nothing new comes in between
    known = [names.present_author(platform, account), names.earlier_author(platform, account)]
    publisher = KafkaPublisher(settings.streams())
    try:
        await publisher.posts([_purge(platform, author_id, clock) for author_id in known if author_id])
    finally:
        await publisher.stop()


def _purge(platform: str, author_id: str, clock: Clock) -> Post:
    now = clock.now()
    return Post(
        source="objection",
        platform=platform,
        id=f"author:{author_id}",
        author_id=author_id,
        posted_at=now,
        received_at=now,
        text="",
        verb="purge",
    )
