"""Tells receivers of alerts: signed, retried with growing pauses, given up on in the end. Floor 3.

The signature is that of the Standard Webhooks: whoever holds the secret checks it with any of their libraries. Each
receiver has a task of its own, so that a dead one holds up nothing but itself.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import msgspec

from events.catalog import AlertDelivered, AlertDeliveryFailed, AlertNotice, AlertSeverity
from events.event import Metadata
from projections.alerts import Alert, DueNotice, due_notices, get_alert
from projections.metrics import SECOND
from recsys.config import Settings
from recsys.logging import get_logger
from recsys.monitoring.leading import while_leading
from recsys.services import Services
from recsys.times import iso

ACTOR: Final = "webhooks"
LOOK_SECONDS: Final = 1.0
BACKOFF_SECONDS: Final = (5, 20, 80, 320, 1280)  # after each failure but the last: 28 minutes in all
ATTEMPTS_MAX: Final = len(BACKOFF_SECONDS) + 1
ATTEMPT_SECONDS_MAX: Final = 10.0
NOTICE_SECONDS_MAX: Final = 3600  # what is older is no news: a receiver that is added is not told of the past
NOTICES_AT_ONCE: Final = 20
VIEWS_SECONDS_MAX: Final = 5.0
ENCODED_PREFIX: Final = "whsec_"

logger = get_logger("monitoring.webhooks")
encode = msgspec.json.Encoder().encode


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a webhook. timestamp: of what happened. resolved_at: null while the alert is open."""

    type: str
    timestamp: str
    alert_id: str
    rule: str
    metric: str
    severity: AlertSeverity
    since: str
    raised_at: str
    resolved_at: str | None
    value: float | None
    threshold: float
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where notices go. name: the host and a digest, for a URL may hold a secret; key: of the signature."""

    name: str
    url: str
    key: bytes

    def __repr__(self) -> str:
        return f"Receiver({self.name})"


def receivers_of(settings: Settings) -> list[Receiver]:
    """Return the receivers that the settings name."""
    key = signing_key(settings.alert_webhook_secret)
    return [Receiver(name=receiver_name(url), url=url, key=key) for url in settings.webhook_urls]


def receiver_name(url: str) -> str:
    """Return a name that tells receivers apart and gives nothing of their path away.

    >>> receiver_name("https://user:secret@hooks.example.org/secret")
    'hooks.example.org-c58eeb38'
    """
    return f"{urlsplit(url).hostname}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def signing_key(secret: str) -> bytes:
    """Return the key: of whsec_ and base64, as the Standard Webhooks write it, what is encoded; else the text."""
    if secret.startswith(ENCODED_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(ENCODED_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def signed_headers(key: bytes, notice_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """Return the headers that sign the body. seconds: since the epoch, for receivers to refuse old ones.

    >>> signed_headers(b"key", "error_rate-1.raised", 1735572600, b"{}")["webhook-timestamp"]
    '1735572600'
    """
    content = b".".join([notice_id.encode(), str(seconds).encode(), body])
    digest = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": notice_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{digest}",
    }


def body_of(alert: Alert, notice: AlertNotice) -> bytes:
    """Return the JSON that tells of the alert's beginning or end."""
    ended_at = alert.resolved_at if notice == "resolved" else None
    return encode(
        Notice(
            type=f"alert.{notice}",
            timestamp=iso(alert.raised_at if ended_at is None else ended_at),
            alert_id=alert.alert_id,
            rule=alert.rule,
            metric=alert.metric,
            severity=alert.severity,
            since=iso(alert.since),
            raised_at=iso(alert.raised_at),
            resolved_at=None if ended_at is None else iso(ended_at),
            value=alert.value,
            threshold=alert.threshold,
            explanation=alert.explanation if ended_at is None else alert.resolution,
        )
    )


def is_due(due: DueNotice, *, now: int) -> bool:
    """Whether the pause after the last attempt is over."""
    return not due.attempts or now - due.failed_at >= BACKOFF_SECONDS[due.attempts - 1] * SECOND


class Sent(NamedTuple):
    """What became of one attempt. error: empty where it was taken."""

    http_status: int
    error: str = ""


@dataclass(slots=True)
class Deliverer:
    """Delivers to one receiver, in the process that leads the projections."""

    services: Services
    receiver: Receiver
    session: aiohttp.ClientSession

    async def run(self) -> None:
        """Deliver until cancelled, or the store is closed."""
        await while_leading(self.services, self.deliver, pause_seconds=LOOK_SECONDS, logger=logger)

    async def deliver(self) -> None:
        """Attempt each notice that is due once; return when the views know what became of it.

        A process that ends between the two leaves a notice to be sent again, under the same webhook-id.
        """
        now = self.services.clock()
        async with self.services.views.reader() as db:
            found = await due_notices(
                db, self.receiver.name, since=now - NOTICE_SECONDS_MAX * SECOND, limit=NOTICES_AT_ONCE
            )
        for due in found:
            if is_due(due, now=now):
                await self._attempt(due, now=now)

    async def _attempt(self, due: DueNotice, *, now: int) -> None:
        async with self.services.views.reader() as db:
            alert = await get_alert(db, due.alert_id)
        assert alert is not None
        sent = await self._send(f"{due.alert_id}.{due.notice}", body_of(alert, due.notice), seconds=now // SECOND)
        outcome = outcome_of(due, self.receiver.name, sent)
        if isinstance(outcome, AlertDeliveryFailed):
            logger.warning("%s did not take %s: %s", self.receiver.name, due.alert_id, sent.error)
        appended = await self.services.store.append(
            f"alert_delivery-{due.alert_id}", [outcome], metadata=Metadata(actor=ACTOR)
        )
        await self.services.runner.wait_until(appended.position, timeout=VIEWS_SECONDS_MAX)

    async def _send(self, notice_id: str, body: bytes, *, seconds: int) -> Sent:
        """Return what became of one POST; its answer's body is not read, and no redirect followed."""
        headers = signed_headers(self.receiver.key, notice_id, seconds, body)
        try:
            async with (
                asyncio.timeout(ATTEMPT_SECONDS_MAX),
                self.session.post(self.receiver.url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                is_taken = 200 <= response.status < 300
                return Sent(response.status, "" if is_taken else f"it answered {response.status}")
        except TimeoutError:
            return Sent(0, f"no answer within {ATTEMPT_SECONDS_MAX:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Sent(0, f"the connection failed: {type(error).__name__}")  # the message may hold the URL


def outcome_of(due: DueNotice, receiver: str, sent: Sent) -> AlertDelivered | AlertDeliveryFailed:
    """Return the event that records the attempt."""
    attempt = due.attempts + 1
    if not sent.error:
        return AlertDelivered(
            alert_id=due.alert_id,
            notice=due.notice,
            receiver=receiver,
            attempt=attempt,
            http_status=sent.http_status,
        )
    return AlertDeliveryFailed(
        alert_id=due.alert_id,
        notice=due.notice,
        receiver=receiver,
        attempt=attempt,
        error=sent.error,
        is_final=attempt >= ATTEMPTS_MAX,
    )


async def deliver_forever(services: Services) -> None:
    """Deliver to every receiver of the settings, each beside the others, until cancelled."""
    receivers = receivers_of(services.settings)
    if not receivers:
        return
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session, asyncio.TaskGroup() as tasks:
        for receiver in receivers:
            tasks.create_task(Deliverer(services, receiver, session).run(), name=f"webhook {receiver.name}")
