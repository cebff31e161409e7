"""What a delivery looks like on the wire: the GET callback of the HTTP API, or JSON signed as Standard Webhooks has it.

Repeats are the same but for the time and so the signature: https://www.standardwebhooks.com, specification 1.0.0.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import msgspec

from sampan.webhooks.events import TEST
from sampan.webhooks.tables import WebhookEndpoint

SECRET_PREFIX = "whsec_"  # noqa: S105 - of secrets
SECRET_OCTETS = 32
USER_AGENT = "Sampan-Webhooks/1"
HONG_KONG = ZoneInfo("Asia/Hong_Kong")
NOBODYS_ID = 100_000  # SMSD IDs begin above it; a test has it

Form = WebhookEndpoint.Form


class Endpoint(NamedTuple):
    """Where deliveries go; each of `keys` signs, the newest first. `failures` since it last took something."""

    url: str
    form: WebhookEndpoint.Form
    failures: int
    keys: list[bytes]


class Delivery(NamedTuple):
    """One event for one endpoint."""

    id: int
    kind: str
    at: datetime
    begun_at: datetime
    tries: int  # that were made before
    data: str  # JSON


class Request(NamedTuple):
    """One HTTP request."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None


class _Told(msgspec.Struct):
    """What the callback says of a message; as telling.py writes it."""

    id: str
    to: str
    sender: str
    begins: str
    due_at: datetime
    status_code: int
    reason_code: int
    charged_hkd: str


def new_secret() -> str:
    """A secret as customers keep it."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_OCTETS)).decode()


def key_of(secret: str) -> bytes:
    """The octets that a secret stands for."""
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX))


def request_of(endpoint: Endpoint, delivery: Delivery, now: datetime) -> Request:
    """The request that tells of it, made now."""
    if endpoint.form == Form.CALLBACK:
        joined = "&" if "?" in endpoint.url else "?"
        query = urlencode(_parameters(delivery), quote_via=quote)
        return Request("GET", f"{endpoint.url}{joined}{query}", {"User-Agent": USER_AGENT}, None)
    body = body_of(delivery)
    id_, seconds = webhook_id(delivery.id), str(int(now.timestamp()))
    signed = f"{id_}.{seconds}.".encode() + body
    headers = {
        "User-Agent": USER_AGENT,
        "Content-Type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(signature(key, signed) for key in endpoint.keys),
    }
    return Request("POST", endpoint.url, headers, body)


def webhook_id(delivery_id: int) -> str:
    """What a receiver knows a delivery by."""
    return f"msg_{delivery_id}"


def signature(key: bytes, signed: bytes) -> str:
    """One signature of `webhook-id.webhook-timestamp.body`."""
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def body_of(delivery: Delivery) -> bytes:
    """The JSON that is signed and sent."""
    event = {
        "type": delivery.kind,
        "timestamp": delivery.at,
        "sequence": delivery.id,
        "data": msgspec.Raw(msgspec.json.format(delivery.data.encode(), indent=-1)),
    }
    return msgspec.json.encode(event)


def _parameters(delivery: Delivery) -> dict[str, str]:
    """The eight of http_api.md; of a test, those of a message that nobody has."""
    if delivery.kind == TEST:
        told = _Told(str(NOBODYS_ID), "85261234567", "Sampan", "Test", delivery.at, 22, 300, "0.0000")
    else:
        told = msgspec.json.decode(delivery.data, type=_Told)
    dollars, _, fraction = told.charged_hkd.partition(".")
    return {
        "smsdid": told.id,
        "recipient": told.to,
        "senderid": told.sender,
        "content": told.begins.encode("utf-16-be").hex().upper(),
        "dos": told.due_at.astimezone(HONG_KONG).strftime("%Y-%m-%d %H:%M"),
        "smsdstatus": str(told.status_code),
        "smsderrorcode": str(told.reason_code),
        "charged": f"{dollars}.{fraction.rstrip('0').ljust(2, '0')}",
    }
