"""The sources put together as the settings say: those that read by themselves, and those that wait to be told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
from starlette.applications import Starlette

from connectors.contract import Capabilities, Gate, Observer, Publisher, Source
from connectors.pseudonym import Pseudonyms
from connectors.sources.bluesky import Bluesky
from connectors.sources.cap import Cap, Ours
from connectors.sources.facebook import FacebookPage
from connectors.sources.facebook_versions import Memory
from connectors.sources.facebook_webhook import facebook_app
from connectors.sources.hubeau import HubEau, Station
from connectors.sources.mapping import mapping_from
from connectors.sources.mastodon import Mastodon
from connectors.sources.meteofrance import MeteoFrance
from connectors.sources.notices import NoticeFile, Site, Sites
from connectors.sources.press import Feed, Press
from connectors.sources.recorded import Recorded
from connectors.sources.vigicrues import Vigicrues
from connectors.sources.webhook import Sender, webhook_app
from connectors.watch import Watch, paid_of
from records import Clock, SettingsError
from streams.recorded_topic import RecordedTopic
from vigie.receiver_assembly import standard_secret
from vigie.settings import Settings, secret_from
from vigie.source_settings import (
    BlueskySource,
    CapSource,
    FacebookSource,
    HubeauSource,
    MastodonSource,
    MeteoFranceSource,
    NoticesSource,
    PressSource,
    RecordedSource,
    SourceSettings,
    TopicSource,
    VigicruesSource,
    WebhookSource,
    XSource,
)

TOLD = Capabilities(edits=True, deletions=True, positions=True, quiet=timedelta(hours=24), is_told=True)
"""What a webhook can give."""

ServedSource = WebhookSource | FacebookSource


class Served(NamedTuple):
    """An application that others call, and where it listens."""

    source: ServedSource
    application: Starlette


@dataclass(frozen=True)
class Workshop:
    """Makes sources.

    Errors  SettingsError, naming the setting, when a source cannot be made as it is set
    """

    settings: Settings
    clock: Clock
    observer: Observer
    names: Pseudonyms
    memories: dict[str, Memory] = field(default_factory=dict)  # a Page's webhook and its poll share one

    def reading(self) -> list[Source]:
        """Return the sources that read by themselves."""
        return [maker(self, source) for source in self.settings.sources if (maker := MAKERS.get(type(source)))]

    def served(self, gate: Gate, publisher: Publisher) -> list[Served]:
        """Return the applications that wait to be told."""
        found = []
        for source in self.settings.sources:
            if isinstance(source, WebhookSource):
                application = webhook_app(
                    {source.name: sender_from(source)},
                    gate=gate,
                    publisher=publisher,
                    observer=self.observer,
                    clock=self.clock,
                    pseudonyms=self.names,
                )
                found.append(Served(source, application))
            elif isinstance(source, FacebookSource):
                found.append(Served(source, self._page_app(source, gate, publisher)))
        return found

    def _page_app(self, source: FacebookSource, gate: Gate, publisher: Publisher) -> Starlette:
        return facebook_app(
            page_id=source.page_id,
            app_secret=secret_of(source, "app_secret_file"),
            verify_token=secret_of(source, "verify_token_file"),
            gate=gate,
            publisher=publisher,
            observer=self.observer,
            clock=self.clock,
            pseudonyms=self.names,
            name=source.name,
            path=source.url_path,
            memory=self.memory_of(source),
        )

    def memory_of(self, source: FacebookSource) -> Memory:
        """Return what the two ways of a Page remember together."""
        return self.memories.setdefault(source.name, Memory())


def watch_over(watch: Watch, settings: Settings, sources: Sequence[Source]) -> None:
    """Have all sources watched: those that read by themselves, and those that are told."""
    reading = {source.name: source for source in sources}
    for one in settings.sources:
        source = reading.get(one.name)
        watch.add(one.name, one.way, source.capabilities if source else TOLD, paid=paid_of(source))


def sender_from(source: WebhookSource) -> Sender:
    """Return one sender with its secret.

    Errors  SettingsError when the secret cannot be used
    """
    key = f"sources.{source.name}.secret_file"
    mapping = mapping_from(source.mapping) if source.mapping else None
    common: dict[str, Any] = {"is_trusted": source.is_trusted, "mapping": mapping, "sites": sites_of(source)}
    if source.scheme == "standard":
        return Sender(secret=standard_secret(source.secret_file, key), **common)
    secret = secret_from(source.secret_file, key)
    return Sender(hub_secret=secret, **common) if source.scheme == "hub" else Sender(token=secret, **common)


def sites_of(source: WebhookSource | NoticesSource) -> Sites:
    """Return the sites that a source's notices may name.

    Errors  SettingsError when one of them is nowhere
    """
    known = {name: msgspec.convert(site.model_dump(), Site) for name, site in source.sites.items()}
    return Sites(known=known, area=source.area, zone=source.zone)


def secret_of(source: SourceSettings, name: str) -> str:
    """Return the secret that a source's setting names a file for."""
    return secret_from(getattr(source, name), f"sources.{source.name}.{name}")


def _bluesky(shop: Workshop, source: BlueskySource) -> Source:
    return Bluesky(
        pseudonyms=shop.names,
        clock=shop.clock,
        observer=shop.observer,
        base_url=source.url,
        name=source.name,
        languages=frozenset(source.languages),
    )


def _recorded(shop: Workshop, source: RecordedSource) -> Source:
    return Recorded(
        [source.path], pseudonyms=shop.names, clock=shop.clock, name=source.name, speed=source.speed or None
    )


def _topic(shop: Workshop, source: TopicSource) -> Source:
    return RecordedTopic(
        shop.settings.streams(), source.topic, clock=shop.clock, name=source.name, speed=source.speed or None
    )


def _mastodon(shop: Workshop, source: MastodonSource) -> Source:
    return Mastodon(
        pseudonyms=shop.names,
        clock=shop.clock,
        observer=shop.observer,
        base_url=source.base_url,
        token=secret_of(source, "token_file"),
        streams=source.streams,
        streaming_url=source.streaming_url,
        name=source.name,
        languages=frozenset(source.languages),
        respects_indexable=source.respects_indexable,
    )


def _press(shop: Workshop, source: PressSource) -> Source:
    return Press(
        [msgspec.convert(feed.model_dump(), Feed) for feed in source.feeds],
        pseudonyms=shop.names,
        clock=shop.clock,
        observer=shop.observer,
        name=source.name,
        every_secs=source.every_secs,
        contact=source.contact,
        is_trusted=source.is_trusted,
    )


def _facebook(shop: Workshop, source: FacebookSource) -> Source:
    return FacebookPage(
        page_id=source.page_id,
        token=secret_of(source, "token_file"),
        app_secret=secret_of(source, "app_secret_file"),
        pseudonyms=shop.names,
        clock=shop.clock,
        observer=shop.observer,
        base_url=source.base_url,
        name=source.name,
        every_secs=source.every_secs,
        memory=shop.memory_of(source),
    )


def _x(shop: Workshop, source: XSource) -> Source:
    try:
        from connectors.sources.x import X  # noqa: PLC0415  tweepy is an extra, for those who have a plan
    except ImportError as error:
        raise SettingsError(
            f"sources.{source.name}: X needs tweepy, which is not installed: pip install -e '.[x]' in the checkout"
        ) from error
    return X(
        bearer_token=secret_of(source, "bearer_token_file"),
        rules=source.rules,
        pseudonyms=shop.names,
        clock=shop.clock,
        observer=shop.observer,
        government_plan_acknowledged=source.government_plan_acknowledged,
        monthly_ceiling_usd=source.monthly_ceiling_usd,
        usd_per_post=source.usd_per_post,
        usd_per_media=source.usd_per_media,
        name=source.name,
        backfill=source.backfill,
    )


def _vigicrues(shop: Workshop, source: VigicruesSource) -> Source:
    return Vigicrues(
        reaches=source.reaches,
        areas=source.areas,
        clock=shop.clock,
        observer=shop.observer,
        base_url=source.base_url,
        name=source.name,
        poll_secs=source.every_secs,
    )


def _hubeau(shop: Workshop, source: HubeauSource) -> Source:
    return HubEau(
        stations=[msgspec.convert(station.model_dump(), Station) for station in source.stations],
        clock=shop.clock,
        observer=shop.observer,
        base_url=source.base_url,
        name=source.name,
        poll_secs=source.every_secs,
    )


def _meteofrance(shop: Workshop, source: MeteoFranceSource) -> Source:
    return MeteoFrance(
        areas=source.areas,
        api_key=secret_of(source, "api_key_file"),
        clock=shop.clock,
        observer=shop.observer,
        base_url=source.base_url,
        name=source.name,
        with_texts=source.with_texts,
        poll_secs=source.every_secs,
    )


def _notices(shop: Workshop, source: NoticesSource) -> Source:
    return NoticeFile(
        source.path, clock=shop.clock, sites=sites_of(source), name=source.name, every_secs=source.every_secs
    )


def _cap(shop: Workshop, source: CapSource) -> Source:
    return Cap(
        clock=shop.clock,
        observer=shop.observer,
        ours=Ours(
            area=source.area,
            areas=frozenset(source.areas),
            geocodes=source.geocodes,
            hazards=source.hazards,
            languages=source.languages,
        ),
        base_url=source.base_url,
        paths=source.paths,
        link_hosts=source.link_hosts,
        name=source.name,
        every_secs=source.every_secs,
    )


MAKERS: Mapping[type[SourceSettings], Callable[[Workshop, Any], Source]] = {
    BlueskySource: _bluesky,
    RecordedSource: _recorded,
    TopicSource: _topic,
    MastodonSource: _mastodon,
    PressSource: _press,
    FacebookSource: _facebook,
    XSource: _x,
    VigicruesSource: _vigicrues,
    HubeauSource: _hubeau,
    MeteoFranceSource: _meteofrance,
    NoticesSource: _notices,
    CapSource: _cap,
}
"""A source's settings and what makes it; a webhook is served instead."""
