"""Writes envelopes: responses piece by piece, and faults that say how to mend what was wrong."""

import re
from collections.abc import AsyncIterator
from typing import NamedTuple
from xml.sax.saxutils import escape

from sampan.interfaces.soap.contract import SAMPAN
from sampan.interfaces.soap.reading import Malformed, Version
from sampan.messages.lookup import Told
from sampan.reasons import Reason, Refused

HKD = 10_000  # pips

OURS = {Reason.UNEXPECTED, Reason.OVERLOADED}
RETRY_AFTER_S = {Reason.OVERLOADED: 1}

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Fault(NamedTuple):
    """Why a request is not served. `code` is what programs compare."""

    code: str
    words: str
    field: str = ""
    value: str = ""
    is_ours: bool = False  # to mend; else the client's
    retry_after_s: int = 0


def code_of(reason: Reason) -> str:
    """A Reason as programs compare it: BALANCE_TOO_LOW is BalanceTooLow."""
    return reason.name.title().replace("_", "")


def fault_of(error: Refused | Malformed) -> Fault:
    """The fault of a refusal."""
    if isinstance(error, Malformed):
        return Fault(error.code, error.words, retry_after_s=error.retry_after_s)
    reason = error.reason
    return Fault(code_of(reason), str(error), error.field, error.value, reason in OURS, RETRY_AFTER_S.get(reason, 0))


def element(name: str, value: object) -> str:
    """One simple element; "" where there is no value."""
    return "" if value is None or value == "" else f"<{name}>{text(value)}</{name}>"


def text(value: object) -> str:
    """As XML can carry it: a character that it cannot becomes U+FFFD."""
    return escape(_NOT_XML.sub("\ufffd", str(value)))


def hkd(pips: int) -> str:
    """HK$ as a decimal with 4 places: 2900 pips are 0.2900."""
    return f"{'-' * (pips < 0)}{abs(pips) // HKD}.{abs(pips) % HKD:04}"


def result(message: Told) -> str:
    """One message."""
    return (
        f"<result><recipient>{message.recipient}</recipient><messageId>{message.id}</messageId>"
        f"<status>{message.status.value}</status><reason>{message.reason.shown}</reason>"
        f"<code>{code_of(message.reason)}</code><words>{text(message.reason.words)}</words>"
        f"<units>{message.units}</units><price>{hkd(message.price_pips)}</price>"
        f"<charged>{hkd(message.charged_pips)}</charged></result>"
    )


async def response(version: Version, operation: str, *pieces: str | AsyncIterator[str]) -> AsyncIterator[bytes]:
    """A response, piece by piece; what comes by and by of the pieces given is results."""
    yield f'{_begin(version)}<{operation}Response xmlns="{SAMPAN}">'.encode()
    for piece in pieces:
        if isinstance(piece, str):
            yield piece.encode()
            continue
        yield b"<results>"
        async for some in piece:
            yield some.encode()
        yield b"</results>"
    yield f"</{operation}Response>".encode() + _END


def fault(version: Version, why: Fault) -> bytes:
    """The envelope of a fault."""
    detail = (
        f'<Refusal xmlns="{SAMPAN}">{element("code", why.code)}{element("field", why.field)}'
        f"{element('value', why.value)}{element('words', why.words)}</Refusal>"
    )
    if version is Version.SOAP_1_1:
        whose = "MustUnderstand" if why.code == "MustUnderstand" else "Server" if why.is_ours else "Client"
        inner = (
            f"<faultcode>soap:{whose}</faultcode><faultstring>{text(why.words)}</faultstring><detail>{detail}</detail>"
        )
    else:
        whose = "MustUnderstand" if why.code == "MustUnderstand" else "Receiver" if why.is_ours else "Sender"
        inner = (
            f"<soap:Code><soap:Value>soap:{whose}</soap:Value><soap:Subcode>"
            f'<soap:Value xmlns:s="{SAMPAN}">s:{why.code}</soap:Value></soap:Subcode></soap:Code>'
            f'<soap:Reason><soap:Text xml:lang="en">{text(why.words)}</soap:Text></soap:Reason>'
            f"<soap:Detail>{detail}</soap:Detail>"
        )
    return f"{_begin(version)}<soap:Fault>{inner}</soap:Fault>".encode() + _END


_END = b"</soap:Body></soap:Envelope>"


def _begin(version: Version) -> str:
    return f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{version.namespace}"><soap:Body>'
