"""Notices reach their receivers signed, in order and once; one that fails is tried again, and holds up nobody."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from events.catalog import AlertRaised, AlertResolved, Event
from events.event import Metadata
from recsys.monitoring import webhooks
from recsys.monitoring.webhooks import ATTEMPTS_MAX, BACKOFF_SECONDS, Deliverer, deliver_forever, receivers_of
from recsys.services import Services
from tests.http.harness import NOW, Api, Clock

SECRET = "a secret of the tests"
PATH = "/hook-with-a-token"
SECOND = 1_000_000
RAISED = AlertRaised(
    alert_id="slow-1", rule="slow", metric="m", severity="info", since=NOW, value=9, threshold=5, explanation="slow"
)
RESOLVED = AlertResolved(alert_id="slow-1", rule="slow", value=1, explanation="fast")


class Receiver:
    """Answers each request with the next of `statuses`, the last one for ever; what came is kept."""

    def __init__(self) -> None:
        self.statuses = [200]
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.hangs = False
        self.address = ""
        self.elsewhere = 0

    @property
    def types(self) -> list[str]:
        return [msgspec.json.decode(body)["type"] for _, body in self.came]

    async def answer(self, request: web.Request) -> web.Response:
        self.came.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        if self.hangs:
            await asyncio.Event().wait()
        status = self.statuses[min(len(self.came), len(self.statuses)) - 1]
        return web.Response(status=status, headers={"Location": f"{self.address}/elsewhere"})

    async def redirected(self, _: web.Request) -> web.Response:
        self.elsewhere += 1
        return web.Response()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_post(PATH, found.answer)
    app.router.add_post("/elsewhere", found.redirected)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


def told_of(services: Services, *urls: str) -> Services:
    settings = msgspec.structs.replace(
        services.settings, alert_webhook_urls=",".join(urls), alert_webhook_secret=SECRET
    )
    return replace(services, settings=settings)


@asynccontextmanager
async def deliverer(api: Api, url: str) -> AsyncIterator[Deliverer]:
    services = told_of(api.services, url)
    (named,) = receivers_of(services.settings)
    async with aiohttp.ClientSession() as session:
        yield Deliverer(services, named, session)


async def record(api: Api, *events: Event) -> None:
    appended = await api.services.store.append("alert-slow", list(events), metadata=Metadata(actor="test"))
    await api.services.runner.wait_until(appended.position, timeout=5)


async def deliveries(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.get("/alerts/slow-1")).json["deliveries"]
    return found


async def test_a_notice_is_signed(api: Api, receiver: Receiver) -> None:
    """Id, time and body are signed with the secret, as the Standard Webhooks say."""
    await record(api, RAISED)
    async with deliverer(api, receiver.address + PATH) as delivering:
        await delivering.deliver()
    ((headers, body),) = receiver.came
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signature = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("slow-1.raised", str(NOW // SECOND))
    assert headers["content-type"] == "application/json"
    assert msgspec.json.decode(body)["explanation"] == "slow"


async def test_beginning_and_end_are_told_once(api: Api, receiver: Receiver) -> None:
    """However often it is looked, each notice goes out once, the beginning first."""
    await record(api, RAISED, RESOLVED)
    async with deliverer(api, receiver.address + PATH) as delivering:
        for _ in range(4):
            await delivering.deliver()
    assert receiver.types == ["alert.raised", "alert.resolved"]
    assert [(of["notice"], of["outcome"], of["http_status"]) for of in await deliveries(api)] == [
        ("raised", "delivered", 200),
        ("resolved", "delivered", 200),
    ]


async def test_a_failure_is_tried_again_after_a_pause(api: Api, receiver: Receiver, clock: Clock) -> None:
    """Not before the pause is over; then it is taken, and the history tells both."""
    receiver.statuses = [503, 200]
    await record(api, RAISED)
    async with deliverer(api, receiver.address + PATH) as delivering:
        for _ in range(3):
            await delivering.deliver()
        assert len(receiver.came) == 1
        clock.now += BACKOFF_SECONDS[0] * SECOND
        await delivering.deliver()
    assert [(of["attempt"], of["outcome"], of["error"]) for of in await deliveries(api)] == [
        (1, "failed", "it answered 503"),
        (2, "delivered", None),
    ]
    assert len({headers["webhook-id"] for headers, _ in receiver.came}) == 1


async def test_a_dead_receiver_is_given_up_on(api: Api, clock: Clock) -> None:
    """After the last attempt nothing more is sent; where nobody listens, that is an error like any other."""
    await record(api, RAISED)
    async with deliverer(api, "http://127.0.0.1:1" + PATH) as delivering:
        for seconds in (*BACKOFF_SECONDS, BACKOFF_SECONDS[-1], 0):
            await delivering.deliver()
            clock.now += seconds * SECOND
    found = await deliveries(api)
    assert [of["outcome"] for of in found] == ["failed"] * (ATTEMPTS_MAX - 1) + ["given_up"]
    assert found[-1]["error"] == "the connection failed: ClientConnectorError"


async def test_a_redirect_is_not_followed(api: Api, receiver: Receiver) -> None:
    """What is signed for one address goes to no other."""
    receiver.statuses = [307]
    await record(api, RAISED)
    async with deliverer(api, receiver.address + PATH) as delivering:
        await delivering.deliver()
    assert [of["error"] for of in await deliveries(api)] == ["it answered 307"]
    assert receiver.elsewhere == 0


async def test_one_that_hangs_is_left(api: Api, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that does not come in time is a failure."""
    monkeypatch.setattr(webhooks, "ATTEMPT_SECONDS_MAX", 0.05)
    receiver.hangs = True
    await record(api, RAISED)
    async with deliverer(api, receiver.address + PATH) as delivering:
        await delivering.deliver()
    assert [of["error"] for of in await deliveries(api)] == ["no answer within 0.05 s"]


async def test_a_dead_receiver_holds_up_no_other(api: Api, receiver: Receiver) -> None:
    """While one hangs on its first attempt, the other has taken its notice."""
    connections: list[asyncio.StreamWriter] = []
    dead = await asyncio.start_server(lambda _, writer: connections.append(writer), "127.0.0.1", 0)
    services = told_of(api.services, f"http://127.0.0.1:{dead.sockets[0].getsockname()[1]}/", receiver.address + PATH)
    await record(api, RAISED)
    head = await services.store.head()
    delivering = asyncio.create_task(deliver_forever(services), name="webhooks")
    await services.runner.wait_until(head + 1, timeout=5)
    delivering.cancel()
    await asyncio.gather(delivering, return_exceptions=True)
    dead.close()
    for connection in connections:
        connection.close()
        await connection.wait_closed()
    assert receiver.types == ["alert.raised"]


async def test_no_secret_is_recorded_or_logged(api: Api, receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the path of the address nor the key stands in an event, an answer or a log line."""
    receiver.statuses = [500]
    await record(api, RAISED)
    async with deliverer(api, receiver.address + PATH) as delivering:
        await delivering.deliver()
    written = repr(await api.services.store.read_all()) + caplog.text + (await api.get("/alerts/slow-1")).raw.decode()
    assert "slow-1: it answered 500" in caplog.text
    assert PATH not in written and SECRET not in written


async def test_without_receivers_nothing_is_done(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """No session is opened where the settings name no address, and the task ends at once."""
    opened: list[Any] = []
    monkeypatch.setattr(aiohttp, "ClientSession", lambda **options: opened.append(options))
    async with asyncio.timeout(5):
        await deliver_forever(services)
    assert not opened
