"""Webhooks carry the signature of the Standard Webhooks, and no secret stands where people read."""

from pathlib import Path

import msgspec
import pytest

from projections.alerts import Alert, DueNotice
from recsys.config import InvalidSetting, Settings, load_settings
from recsys.monitoring.webhooks import (
    ATTEMPTS_MAX,
    BACKOFF_SECONDS,
    body_of,
    is_due,
    receivers_of,
    signed_headers,
    signing_key,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ALERT = Alert("r-1", "r", "m", "critical", 1_000_000, 2_000_000, 9.5, 5.0, "too slow", 3_000_000, "fast again")
NO_FILE = Path("/nonexistent")


def test_the_signature_is_the_standard_one() -> None:
    """The example of the Standard Webhooks' own documentation comes out."""
    headers = signed_headers(
        signing_key(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["a text of any kind", "whsec_no base64"])
def test_any_text_can_be_the_secret(secret: str) -> None:
    """What is not whsec_ and base64 is the key as it stands."""
    assert signing_key(secret) == secret.encode()


def test_the_body_tells_the_alert() -> None:
    """The beginning and the end have a type, a time and an explanation of their own."""
    raised, resolved = (msgspec.json.decode(body_of(ALERT, notice)) for notice in ("raised", "resolved"))
    assert (raised["type"], raised["explanation"], raised["resolved_at"]) == ("alert.raised", "too slow", None)
    assert (resolved["type"], resolved["explanation"]) == ("alert.resolved", "fast again")
    assert (raised["timestamp"], resolved["timestamp"]) == ("1970-01-01T00:00:02.000000Z", resolved["resolved_at"])


def test_receivers_are_named_without_their_secrets() -> None:
    """Neither the name nor the repr holds the path, the user or the key; two paths have two names."""
    urls = "https://user:hush@hooks.example.org/hush1, https://hooks.example.org/hush2"
    receivers = receivers_of(Settings(alert_webhook_urls=urls, alert_webhook_secret=SECRET))
    assert len({receiver.name for receiver in receivers}) == 2
    assert all(
        "hush" not in f"{receiver.name} {receiver!r}" and SECRET[6:] not in repr(receiver) for receiver in receivers
    )


@pytest.mark.parametrize(
    ("urls", "secret", "message"),
    [
        ("https://hush@a/hush", "", "^ALERT_WEBHOOK_SECRET: found 0 characters"),
        ("https://a/hush", "hush", "^ALERT_WEBHOOK_SECRET: found 4 characters"),
        ("https://a,ftp://hush", SECRET, "^ALERT_WEBHOOK_URLS: its address 2 is none"),
        (",".join(f"https://a/hush{n}" for n in range(11)), SECRET, "^ALERT_WEBHOOK_URLS: found 11, allowed are 10"),
    ],
)
def test_wrong_settings_are_told_without_their_content(urls: str, secret: str, message: str) -> None:
    """Addresses and secrets that cannot work stop the start, and stand in no message."""
    environ = {"ALERT_WEBHOOK_URLS": urls, "ALERT_WEBHOOK_SECRET": secret}
    with pytest.raises(InvalidSetting, match=message) as refused:
        load_settings(environ, NO_FILE)
    assert "hush" not in str(refused.value)


def test_the_pauses_grow_and_end() -> None:
    """After each failure but the last there is a longer pause, which is waited for to its end."""
    assert len(BACKOFF_SECONDS) == ATTEMPTS_MAX - 1
    assert sorted(BACKOFF_SECONDS) == list(BACKOFF_SECONDS)
    assert is_due(DueNotice("r-1", "raised", 0, 0), now=1)
    assert not is_due(DueNotice("r-1", "raised", 2, 1_000_000), now=20_999_999)
    assert is_due(DueNotice("r-1", "raised", 2, 1_000_000), now=21_000_000)
