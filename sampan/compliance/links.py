"""The unsubscribe link in a promotional text: one for each message, short, and nobody's to guess (spec S95).

A token is the message's id and a keyed digest of it, so the link carries nothing personal and needs no row. Its length
never changes: a text is priced before its messages have ids.
"""

import hashlib
import hmac
import string

from sampan import settings
from sampan.reasons import Reason, Refused

DIGITS = string.digits + string.ascii_letters
ID_DIGITS = 8  # 62**8 ids: enough for 69,000 a second for a century
DIGEST_DIGITS = 8
TOKEN_LENGTH = ID_DIGITS + DIGEST_DIGITS
PATH = "/u/"


def token_of(message_id: int) -> str:
    """The token of a message: 16 letters and digits."""
    body = _written(message_id, ID_DIGITS)
    return body + _digest(body)


def message_of(token: str) -> int:
    """The message of a token. Raises Refused with BAD_LINK."""
    body = token[:ID_DIGITS]
    if (
        len(token) != TOKEN_LENGTH
        or not set(token) <= set(DIGITS)
        or not hmac.compare_digest(token, body + _digest(body))
    ):
        raise Refused(Reason.BAD_LINK, "token")
    number = 0
    for digit in body:
        number = number * len(DIGITS) + DIGITS.index(digit)
    return number


def link(token: str) -> str:
    """The link as it stands in a text; without the scheme where that is https, as phones know it."""
    return settings.PUBLIC_URL.removeprefix("https://") + PATH + token


def _digest(body: str) -> str:
    octets = hmac.new(settings.derived_key("unsubscribe links"), body.encode(), hashlib.sha256).digest()
    return _written(int.from_bytes(octets, "big") % len(DIGITS) ** DIGEST_DIGITS, DIGEST_DIGITS)


def _written(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, place = divmod(number, len(DIGITS))
        digits = DIGITS[place] + digits
    return digits
