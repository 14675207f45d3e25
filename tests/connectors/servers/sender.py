"""Programs that send us posts, and send them again until they are taken; and the front that they call.

`Front` serves an application of ours on the loopback as a process of its own would, to be killed at any point.
`Sender` delivers what it has over real connections, several at a time, and repeats what was not answered with 2xx, as
https://www.standardwebhooks.com (specification 1.0, "retries") and Facebook do; it does not wait between two attempts
for minutes as they would. A 409 is an answer, too: we have it.
"""

import asyncio
import json
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any, NamedTuple

import httpx
import uvicorn
from standardwebhooks.webhooks import Webhook

from connectors.sources import webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT_ONCE = 4


class Front:
    """An address of ours; while no process serves it, a connection to it is refused."""

    def __init__(self) -> None:
        self.port = 0
        self.tear_after: int | None = None  # requests until an answer is lost on its way, once

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def serving(self, application: Any) -> AsyncIterator[None]:
        """Serve an application until the process is killed: nothing is answered any more then."""
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        self.port = int(listening.getsockname()[1])
        config = uvicorn.Config(
            self._mortal(application, lambda: abort(server)),
            log_level="critical",
            access_log=False,
            lifespan="off",
            ws="none",
        )
        server = uvicorn.Server(config)
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[listening])
        try:
            yield
        finally:
            for one in server.servers:
                one.close()
            listening.close()
            abort(server)
            tasks = set(server.server_state.tasks)
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)

    def _mortal(self, application: Any, die: Callable[[], None]) -> Any:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            is_torn = self.tear_after == 0
            self.tear_after = None if is_torn or self.tear_after is None else self.tear_after - 1

            async def lose(_: Any) -> None:
                die()

            try:
                await application(scope, receive, lose if is_torn else send)
            except BaseException as error:
                if not isinstance(error, Exception):  # killed: nobody is there to say so
                    die()
                raise

        return answer


def abort(server: uvicorn.Server) -> None:
    """Cut all connections."""
    for connection in list(server.server_state.connections):
        if connection.transport:
            connection.transport.abort()


class Delivery(NamedTuple):
    """One request, and the keys of what it holds."""

    name: str
    body: bytes
    keys: frozenset[str]
    attempts: int = 1 << 30  # then it is given up, as Facebook does after a day and a half


class Sender:
    """What is to be delivered, in order, and what was promised too early."""

    def __init__(
        self,
        address: Callable[[], str],
        headers: Callable[[Delivery], Mapping[str, str]],
        *,
        has_arrived: Callable[[frozenset[str]], bool],
    ) -> None:
        self.left: deque[Delivery] = deque()
        self.attempts = 0
        self.statuses: dict[int, int] = {}
        self.premature: list[str] = []  # names of what was answered with yes before it had arrived
        self._address = address
        self._headers = headers
        self._has_arrived = has_arrived
        self._under_way: dict[str, Delivery] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Sender"]:
        """Deliver; what was under way when we are killed is delivered again."""
        async with httpx.AsyncClient(verify=False, timeout=30) as client:  # noqa: S501  plain HTTP; no certificates
            workers = [asyncio.create_task(self._work(client)) for _ in range(AT_ONCE)]
            try:
                yield self
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.wait(workers)
        for worker in workers:
            if not worker.cancelled():
                worker.result()
        self.left.extendleft(self._under_way.values())
        self._under_way.clear()

    async def _work(self, client: httpx.AsyncClient) -> None:
        while True:
            if not self.left:
                await asyncio.sleep(0.001)
                continue
            delivery = self.left.popleft()
            self._under_way[delivery.name] = delivery
            for _ in range(delivery.attempts):
                if await self._is_taken(client, delivery):
                    break
                await asyncio.sleep(0.001)
            del self._under_way[delivery.name]

    async def _is_taken(self, client: httpx.AsyncClient, delivery: Delivery) -> bool:
        self.attempts += 1
        with suppress(httpx.TransportError):
            headers = dict(self._headers(delivery))
            answer = await client.post(self._address(), content=delivery.body, headers=headers)
            self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1
            is_taken = answer.is_success or answer.status_code == HTTPStatus.CONFLICT
            if is_taken and not self._has_arrived(delivery.keys):
                self.premature.append(delivery.name)
            return is_taken
        return False


class Many:
    """A program that sends us many posts, in signed requests of a few."""

    overlap = 0

    def __init__(self, tools: Any, front: Front, sender: Sender, served: Any, keys: list[str]) -> None:
        self.tools, self.front, self.sender, self.served, self.keys = tools, front, sender, served, keys

    def start(self, broker: Any) -> Any:
        application = webhook.webhook_app(
            {"mill": webhook.Sender(secret=SECRET)},
            gate=lambda _: True,
            publisher=broker,
            observer=self.tools.witness,
            clock=self.tools.clock,
            pseudonyms=self.tools.pseudonyms,
        )
        return None, self.front.serving(application)

    def tear_after(self, posts: int) -> None:
        self.front.tear_after = posts // 10

    async def restart(self) -> None:
        await self.served.restart()


@asynccontextmanager
async def many(tools: Any, count: int) -> AsyncIterator[Many]:
    front, key = Front(), Webhook(SECRET)
    keys = [f"mill:{number}" for number in range(count)]

    def headers(delivery: Delivery) -> dict[str, str]:
        now = tools.clock.now()
        signature = key.sign(delivery.name, now, delivery.body.decode())
        return {
            "webhook-id": delivery.name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }

    sender = Sender(lambda: f"{front.url}/ingest/mill", headers, has_arrived=lambda keys: keys <= tools.broker.known)
    sender.left.extend(deliveries(keys, tools.chance.randrange))
    async with tools.served(sender) as served:
        yield Many(tools, front, sender, served, keys)
    assert not sender.premature, "202 only after the broker has it"


def deliveries(keys: list[str], randrange: Callable[[int, int], int]) -> Iterable[Delivery]:
    at = 0
    while at < len(keys):
        some = keys[at : at + randrange(1, 20)]
        posts = [
            {"id": key.partition(":")[2], "text": "fumée", "ts": "2026-11-22T06:00:00Z", "author": "a"} for key in some
        ]
        yield Delivery(f"m{at}", json.dumps(posts).encode(), frozenset(some))
        at += len(some)
