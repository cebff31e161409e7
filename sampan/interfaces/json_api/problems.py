"""What the JSON API says when it refuses: RFC 9457 problems whose types are addresses that stay (docs/api/json.md)."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from sampan.interfaces.asgi import Headers
from sampan.reasons import Reason, Refused
from sampan.routing.numbers import NotAMobile

TYPES = "/v1/problems/"
LONGEST_VALUE = 200  # of what was wrong, as it is given back

# The HTTP status of a Reason; of all others UNPROCESSABLE.
UNPROCESSABLE = 422
STATUSES = {
    Reason.BAD_CREDENTIALS: 401,
    Reason.BALANCE_TOO_LOW: 402,
    Reason.ACCOUNT_DISABLED: 403,
    Reason.ADDRESS_NOT_ALLOWED: 403,
    Reason.OWNERS_ONLY: 403,
    Reason.NOT_FOR_TESTS: 403,
    Reason.UNKNOWN_MESSAGE: 404,
    Reason.NO_SUCH_BATCH: 404,
    Reason.NO_SUCH_VERIFICATION: 404,
    Reason.NO_SUCH_GROUP: 404,
    Reason.NO_SUCH_WEBHOOK: 404,
    Reason.BATCH_NOT_RUNNING: 409,
    Reason.BATCH_NOT_PAUSED: 409,
    Reason.BATCH_NOT_HELD: 409,
    Reason.BATCH_CANCELLED: 409,
    Reason.BATCH_NOT_SCHEDULED: 409,
    Reason.BATCH_DUE_SOON: 409,
    Reason.WEBHOOK_OFF: 409,
    Reason.WEBHOOK_TESTS_WAIT: 429,
    Reason.CODE_TOO_SOON: 429,
    Reason.TOO_MANY_CODES: 429,
    Reason.VERIFIED_LATELY: 429,
    Reason.VERIFIED_TOO_OFTEN: 429,
    Reason.VERIFIED_IN_VAIN: 429,
    Reason.OVERLOADED: 429,
    Reason.UNEXPECTED: 500,
}

# When to come again, where a Reason is answered by 429; VERIFIED_LATELY says it by its value.
RETRY_AFTER_S = {
    Reason.WEBHOOK_TESTS_WAIT: 30,
    Reason.CODE_TOO_SOON: 120,
    Reason.TOO_MANY_CODES: 3_600,
    Reason.VERIFIED_TOO_OFTEN: 3_600,
    Reason.VERIFIED_IN_VAIN: 3_600,
    Reason.OVERLOADED: 1,
}

# What the parts below call a field, and the request does.
FIELDS = {
    "recipients": "to",
    "client_reference": "idempotency-key",
    "batch": "id",
    "group": "id",
    "webhook": "id",
    "delivery": "id",
}


class Kind(NamedTuple):
    """One type of problem."""

    name: str
    status: int
    title: str

    @property
    def address(self) -> str:
        """Its type, which is a page as well."""
        return TYPES + self.name


class Problem(msgspec.Struct, omit_defaults=True):
    """Why a request was refused; nothing was written, sent or charged."""

    type: str
    title: str
    status: int
    detail: str
    field: str = ""
    value: str = ""
    request_id: str = ""


# The door's own, beside those of Reasons.
UNAUTHORIZED = Kind("unauthorized", 401, "No key. Send `Authorization: Bearer sk_live_…`")
KEY_EXPIRED = Kind("key-expired", 401, "This key counts no more. Make another")
KEY_NOT_FROM_HERE = Kind("key-not-from-here", 403, "This key does not work from this address")
SCOPE_MISSING = Kind("scope-missing", 403, "This key may not do that. Make one with the scope named")
NOT_FOUND = Kind("not-found", 404, "There is nothing here")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "This address does not take this method")
NOT_JSON = Kind("not-json", 400, "The body is no JSON in UTF-8")
INVALID = Kind("invalid", 400, "A field is unknown, missing, or of another type")
BAD_CURSOR = Kind("bad-cursor", 400, "This cursor was not given by the same list")
STILL_IN_WORK = Kind("still-in-work", 409, "The first request with this Idempotency-Key has no answer yet. Try again")
BODY_TOO_SLOW = Kind("body-too-slow", 408, "The body did not come in time. Send it again")
BODY_TOO_LARGE = Kind("body-too-large", 413, "The body is too large. Split it")
NOT_JSON_TYPE = Kind("unsupported-media-type", 415, "Send the body as `Content-Type: application/json`")
ADDRESS_BLOCKED = Kind("address-blocked", 429, "Too many wrong keys came from this address. Wait")
OWN_KINDS = (
    UNAUTHORIZED,
    KEY_EXPIRED,
    KEY_NOT_FROM_HERE,
    SCOPE_MISSING,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    NOT_JSON,
    INVALID,
    BAD_CURSOR,
    STILL_IN_WORK,
    BODY_TOO_SLOW,
    BODY_TOO_LARGE,
    NOT_JSON_TYPE,
    ADDRESS_BLOCKED,
)
OF_REASONS = {
    reason: Kind(
        reason.name.lower().replace("_", "-"),
        STATUSES.get(reason, UNPROCESSABLE),
        re.sub("^“{value}”", "It", reason.words).replace("{value}", "…"),
    )
    for reason in Reason
}
KINDS = {kind.name: kind for kind in (*OWN_KINDS, *OF_REASONS.values())}


class Wrong(Exception):
    """A request that is answered by a problem."""

    def __init__(
        self, kind: Kind, detail: str = "", *, field: str = "", value: str = "", headers: Headers = ()
    ) -> None:
        super().__init__(kind.name, detail)
        self.kind = kind
        self.detail = detail or kind.title
        self.field = field
        self.value = value
        self.headers: Sequence[tuple[bytes, bytes]] = headers

    def problem(self, request_id: str) -> Problem:
        """The body of the answer."""
        return Problem(
            self.kind.address,
            self.kind.title,
            self.kind.status,
            self.detail,
            self.field,
            self.value[:LONGEST_VALUE],
            request_id,
        )


def wrong_of(refused: Refused) -> Wrong:
    """A refusal of the parts below, in this door's words."""
    kind = OF_REASONS[refused.reason]
    detail = refused.flaw.words if isinstance(refused, NotAMobile) else str(refused)
    field = FIELDS.get(refused.field, refused.field)
    wait_s = refused.value if refused.reason == Reason.VERIFIED_LATELY else RETRY_AFTER_S.get(refused.reason)
    headers = [(b"retry-after", str(wait_s).encode())] if wait_s else []
    return Wrong(kind, detail, field=field, value=refused.value, headers=headers)
