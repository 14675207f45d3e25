"""Apprise: alerts for people, by e-mail, SMS, Matrix, Signal and what else the library of that name speaks.

Some targets told and others not is no failure of the receiver: those not told are owed. What is owed stands in a file,
is tried again with waits that double, replaced by the incident's next revision, and given up after a day. Where nobody
could be told the outbox tries again.

Shape   a target is one line of the file of addresses; one with several numbers in it is told again as a whole. A kill
        between telling and noting repeats the revision to all; a target that has not answered in time may have it
Errors  TryLater, Undeliverable and what is told to the observer name lines and services, never an address
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from connectors.sinks.contract import SinkObserver, TryLater, Undeliverable
from connectors.sinks.digest_wording import text_from, title
from connectors.sinks.kept import Kept
from connectors.sinks.message import SEGMENT, Message, Voice, gsm
from connectors.sinks.needless import without
from connectors.sinks.targets import Target, targets_in
from records import Alert, Clock
from records.digest import Digest

FIRST_WAIT_SECS = 1.0
LONGEST_WAIT_SECS = 300.0
GIVE_UP_AFTER = timedelta(days=1)
COLOURS: Mapping[str, str] = {"alert": "failure", "confirmed": "failure", "resolved": "success", "rejected": "info"}
"""Levels by what apprise calls the type of a notification: some services show it as a colour."""


class Debt(msgspec.Struct, frozen=True, kw_only=True):
    """One revision that one target has not been told of, though others have."""

    target: str
    alert: Alert
    since: float
    next_try_at: float
    tries: int = 1

    @property
    def key(self) -> str:
        """What it is kept by: the incident's next revision takes its place."""
        return f"{self.target} {self.alert.incident_id}"


class AppriseSink:
    """Tells people, each by the way that they are reached."""

    def __init__(
        self,
        urls_file: Path,
        *,
        kept: Path,
        clock: Clock,
        voice: Voice | None = None,
        name: str = "apprise",
        timeout_secs: float = 20.0,
    ) -> None:
        self.name = name
        self._targets = targets_in(urls_file, f"receivers.{name}.urls_file", timeout_secs=timeout_secs)
        self._kept = Kept(kept)
        self._clock = clock
        self._voice = voice or Voice()
        self._timeout_secs = timeout_secs
        found = (msgspec.json.decode(value, type=Debt) for value in self._kept.all().values())
        self._debts = {debt.key: debt for debt in found}

    async def send(self, alert: Alert) -> None:
        """Tell all targets of an alert; return when one has it, and the others are noted as owed."""
        await self.send_many([alert])

    async def send_many(self, alerts: Sequence[Alert]) -> None:
        """Tell all targets of several incidents, in one message each."""
        whys = await asyncio.gather(*(self._tell(target, alerts) for target in self._targets))
        failed = [(target, why) for target, why in zip(self._targets, whys, strict=True) if why]
        if len(failed) == len(self._targets):
            raise TryLater(f"{self.name}: {'; '.join(f'{target} {why}' for target, why in failed)}")
        await self._note([self._debt(target, alert) for target, _ in failed for alert in alerts], [])

    async def send_digest(self, digest: Digest) -> None:
        """Tell all targets of a digest; return when one has it. Nobody is owed one: the next says it all."""
        whys = await asyncio.gather(*(self._deliver(target, self._digest(target, digest)) for target in self._targets))
        if all(whys):
            failed = zip(self._targets, whys, strict=True)
            raise TryLater(f"{self.name}: {'; '.join(f'{target} {why}' for target, why in failed)}")

    async def retract(self, alert: Alert) -> None:
        """Take the words that a revision has no more from what targets are still owed."""
        owed = [debt for debt in self._debts.values() if debt.alert.incident_id == alert.incident_id]
        told = [msgspec.structs.replace(debt, alert=without(debt.alert, alert)) for debt in owed]
        await self._note([new for new, old in zip(told, owed, strict=True) if new != old], [])

    async def keep_up(self, observer: SinkObserver) -> None:
        """Tell those who are still owed and whose turn has come; let go of what is owed for too long."""
        now = self._now()
        await self._write_off(now, observer)
        due = {debt.target for debt in self._debts.values() if debt.next_try_at <= now}
        await asyncio.gather(*(self._pay(target, observer) for target in self._targets if target.id in due))

    def owed(self) -> dict[str, int]:
        """Return of how many incidents each target has still to be told, where there are any."""
        counts = Counter(debt.target for debt in self._debts.values())
        return {str(target): counts[target.id] for target in self._targets if counts[target.id]}

    def close(self) -> None:
        """Let go of the file; what is owed will be told after the next start."""
        self._kept.close()

    async def _tell(self, target: Target, alerts: Sequence[Alert]) -> str:
        """Tell one target; return why it could not be told, "" when it was.

        One that did not answer the last time is not waited for again: it must not hold up the others.
        """
        if self._owed_to(target):
            return "is still owed an earlier one"
        return await self._attempt(target, alerts)

    async def _pay(self, target: Target, observer: SinkObserver) -> None:
        debts = self._owed_to(target)
        why = await self._attempt(target, [debt.alert for debt in debts])
        still = [debt for debt in debts if self._debts.get(debt.key) is debt]  # no newer revision came in between
        if not why:
            await self._note([], [debt.key for debt in still])
            return
        wait = min(LONGEST_WAIT_SECS, FIRST_WAIT_SECS * 2.0 ** min(max(debt.tries for debt in debts), 16))
        until = self._now() + wait
        await self._note([msgspec.structs.replace(debt, next_try_at=until, tries=debt.tries + 1) for debt in still], [])
        observer.put_off(self.name, TryLater(f"{self.name}: {target} {why}"), retry_secs=wait)

    async def _write_off(self, now: float, observer: SinkObserver) -> None:
        known = {target.id: str(target) for target in self._targets}
        oldest = now - GIVE_UP_AFTER.total_seconds()
        lost = [debt for debt in self._debts.values() if debt.since <= oldest or debt.target not in known]
        await self._note([], [debt.key for debt in lost])
        for debt in lost:
            whom = known.get(debt.target, "an address that is no longer in the file")
            observer.failed(
                self.name, Undeliverable(f"{self.name}: {whom} was not told of incident {debt.alert.incident_id}")
            )

    def _debt(self, target: Target, alert: Alert) -> Debt:
        now, others = self._now(), self._owed_to(target)
        shown = alert if self._voice.with_quotes else without_texts(alert)
        debt = Debt(target=target.id, alert=shown, since=now, next_try_at=now + FIRST_WAIT_SECS)
        if not others:
            return debt
        earlier = self._debts.get(debt.key, debt)  # news are a reason to try at once
        tries = max(one.tries for one in others)
        return msgspec.structs.replace(debt, since=earlier.since, next_try_at=now, tries=tries)

    def _owed_to(self, target: Target) -> list[Debt]:
        return [debt for debt in self._debts.values() if debt.target == target.id]

    async def _note(self, owed: Sequence[Debt], paid: Sequence[str]) -> None:
        if not owed and not paid:
            return
        for key in paid:
            self._debts.pop(key, None)
        self._debts.update({debt.key: debt for debt in owed})
        await asyncio.to_thread(self._kept.change, {debt.key: msgspec.json.encode(debt) for debt in owed}, paid)

    async def _attempt(self, target: Target, alerts: Sequence[Alert]) -> str:
        kind = COLOURS.get(alerts[0].level, "warning")
        return await self._deliver(target, self._message(target, alerts), kind)

    async def _deliver(self, target: Target, message: Message, kind: str = "info") -> str:
        """Hand a message over; return why that failed, "" when it did not."""
        try:
            result = await target.apprise.async_notify(
                title=message.subject,
                body=message.body,
                body_format="text",
                notify_type=kind,
                timeout=self._timeout_secs,
            )
        except Exception as error:  # noqa: BLE001  whatever it is, its words may hold the address
            return f"cannot be told: {type(error).__name__}"
        if result:
            return ""
        return f"has not answered in {self._timeout_secs:g} s" if result.timeout_count else "cannot be told"

    def _message(self, target: Target, alerts: Sequence[Alert]) -> Message:
        if target.is_sms:
            return Message("", self._voice.short(alerts, min(target.room, SEGMENT)))
        message = self._voice.message(alerts)
        return message if target.has_subject else Message("", f"{message.subject}\n{message.body}")

    def _digest(self, target: Target, digest: Digest) -> Message:
        language = self._voice.language
        if target.is_sms:
            return Message("", gsm(title(digest, language))[: min(target.room, SEGMENT)])
        subject, text = title(digest, language), text_from(digest, language)
        return Message(subject, text) if target.has_subject else Message("", text)

    def _now(self) -> float:
        return self._clock.now().timestamp()


def without_texts(alert: Alert) -> Alert:
    """Return an alert without the words of its posts: they are not told, and need not be kept."""
    return msgspec.structs.replace(
        alert, evidence=tuple(msgspec.structs.replace(item, text="") for item in alert.evidence)
    )
