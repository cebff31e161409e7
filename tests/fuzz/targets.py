"""What is fuzzed: one function a reader, which takes any octets and fails where a promise of that reader is broken.

`run.py` feeds them with atheris (`make fuzz`), `test_targets.py` with the seeds alone (`make test`).
"""

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

from lxml import etree

from sampan.accounts.access import Caller
from sampan.composing.alphabet import Coding, decode_gsm, encode_gsm, is_gsm, pack_septets, unpack_septets
from sampan.interfaces.http_api import MOST_RECIPIENTS, Wrong, parse_parameters, read_send
from sampan.interfaces.soap.answers import fault, fault_of
from sampan.interfaces.soap.operations import draft_of
from sampan.interfaces.soap.reading import LONGEST_LISTED, Asked, Malformed, Reader, Version
from sampan.reasons import Reason, Refused
from sampan.routing.numbers import MOST_DIGITS, NotAMobile, parse, parse_international, parse_many
from sampan.smpp import time_format
from sampan.smpp.concatenation import content_of
from sampan.smpp.framing import Framer
from sampan.smpp.pdu import (
    HEADER_OCTETS,
    Body,
    DataSm,
    DeliverSm,
    PduError,
    ShortMessage,
    Status,
    SubmitMulti,
    Tag,
    check,
    check_read,
    decode,
    encode,
    read_message_id,
)
from sampan.smpp.receipt import DeliveryReceipt, read_receipt, read_text, write_text
from sampan.uploads import child
from tests.fuzz.mail import mail
from tests.fuzz.sessions import sessions

ANYBODY = cast(Caller, SimpleNamespace(customer=None, person_id=1))
CODES_OF_FORM = range(240, 250)
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
YEARS = range(1999, 2101)  # a little more than SMPP has, for zones
UNPACKED_OCTETS = 1_000_000
MOST_ROWS = 1_000
OTHER_FORMATS = (*child.ZIP, child.COMPOUND_FILE)  # read by a library, behind limits that only the child has


def pdu(octets: bytes) -> None:
    """A PDU or a PduError; what was read is written back as it came, or breaks a limit and is refused for that."""
    read_message_id(octets)
    try:
        body = decode(octets).body
    except PduError:
        return
    refusals = [_refusal(check, body), _refusal(check_read, body)]
    assert refusals[0] == refusals[1], refusals
    if refusals[0] is None:
        written = encode(body, 1)
        assert decode(written).body == body
        assert written[HEADER_OCTETS:] == octets[HEADER_OCTETS:] or len(octets) == HEADER_OCTETS
    if isinstance(body, ShortMessage):
        for time in (body.schedule_delivery_time, body.validity_period):
            with contextlib.suppress(ValueError):
                time_format.parse(time, now=NOW)
    if isinstance(body, ShortMessage | SubmitMulti | DataSm):
        content = content_of(body)
        assert content.concatenation is None or 1 <= content.concatenation.number <= content.concatenation.total
    if isinstance(body, ShortMessage | DataSm):
        _can_be_kept(read_receipt(body))


def _refusal(checked: Callable[[Body], None], body: Body) -> Status | None:
    try:
        checked(body)
    except PduError as error:
        return error.status
    return None


def framer(octets: bytes) -> None:
    """However a stream is cut on its way (by as many octets as the first says), the same PDUs come out."""
    size, stream = (octets[0] or 1, octets[1:]) if octets else (1, b"")
    at_once, piecemeal = Framer(), Framer()
    whole = at_once.feed(stream)
    cut = [frame for start in range(0, len(stream), size) for frame in piecemeal.feed(stream[start : start + size])]
    assert cut == whole
    assert piecemeal.broken_at == at_once.broken_at
    assert stream.startswith(b"".join(frame[3] for frame in whole))


def receipt(octets: bytes) -> None:
    """Whatever an operator writes, it is read without a fault, can be kept, and what we write of it says the same.

    The first octet is data_coding, the second esm_class, the third what stands in a TLV and not in the text.
    """
    coding, kind, in_tlv = octets[:3].ljust(3, b"\0")
    text, rest = octets[3:257], octets[257:]
    tlvs = [(int(Tag.MESSAGE_PAYLOAD), text + rest)] if in_tlv & 1 else []
    tlvs += [(int(Tag.RECEIPTED_MESSAGE_ID), rest[:65])] if in_tlv & 2 else []
    tlvs += [(int(Tag.MESSAGE_STATE), rest[65:66])] if in_tlv & 4 else []
    tlvs += [(int(Tag.NETWORK_ERROR_CODE), rest[66:69])] if in_tlv & 8 else []
    body = DeliverSm(
        source_addr="85261234567",
        esm_class=kind,
        data_coding=coding,
        short_message=b"" if in_tlv & 1 else text,
        tlvs=tuple(tlvs),
    )
    _can_be_kept(read_receipt(body))
    read = read_text(text.decode("latin-1"))
    _can_be_kept(read)
    again = read_text(write_text(read).decode("latin-1"))
    if read.id and read.state:
        assert (again.id, again.state) == (read.id, read.state)


def _can_be_kept(read: DeliveryReceipt | None) -> None:
    """As PostgreSQL takes it: no NUL in a text, and times that it gives back."""
    if read is None:
        return
    for kept in (read.id, read.id_in_text, read.error, read.stat, read.text):
        assert "\0" not in (kept or ""), read
    for at in (read.submitted_at, read.done_at):
        assert at is None or at.year in YEARS, read


def gsm(octets: bytes) -> None:
    """Septets become text and octets become septets without a fault; there and back is the same."""
    text = decode_gsm(octets)
    if is_gsm(text):
        assert decode_gsm(encode_gsm(text)) == text
    for fill_bits in range(7):
        septets = unpack_septets(octets, fill_bits)
        assert all(septet < 128 for septet in septets)
        assert unpack_septets(pack_septets(septets, fill_bits), fill_bits) == septets


def parameters(octets: bytes) -> None:
    """A query is a send that can be planned, or one of the contract's errors (docs/api/http.md)."""
    code = 0
    try:
        draft = read_send(parse_parameters(octets))(ANYBODY)
    except Wrong as wrong:
        code = wrong.code
    if code:
        assert code in CODES_OF_FORM
        return
    assert 1 <= len(draft.recipients) <= MOST_RECIPIENTS
    assert all(str(number).isascii() and str(number).isdigit() for number in draft.recipients)
    assert draft.coding is Coding.UCS2 or is_gsm(draft.text)
    assert "\0" not in draft.text.encode("utf-16-be").decode("utf-16-be") + draft.sender + draft.client_reference


def numbers(octets: bytes) -> None:
    """A typed number is a mobile or refused; a column gives what each of its values gives; a number is its own."""
    typed = octets.decode("utf-8", "replace").split("\n")
    found, flaws = parse_many(typed)
    assert (found, [index for index, _ in flaws]) == _one_by_one(typed)
    for number in found:
        assert len(str(number)) <= MOST_DIGITS
        assert parse(f"+{number}") == parse_international(f"+{number}") == number
    for value in typed:
        with contextlib.suppress(NotAMobile):
            number = parse_international(value)
            assert str(number) == value.removeprefix("+")


def _one_by_one(typed: list[str]) -> tuple[list[int], list[int]]:
    found: list[int] = []
    flawed: list[int] = []
    for index, value in enumerate(typed):
        try:
            found.append(parse(value))
        except NotAMobile:
            flawed.append(index)
    return found, flawed


def upload(octets: bytes) -> None:
    """A file of text or of HTML is rows of cells, or refused by the name of a Reason."""
    if octets.startswith(OTHER_FORMATS):
        return
    refusal = ""
    try:
        _, rows = child.read(octets, UNPACKED_OCTETS, None)
        for block in child.blocks(rows, MOST_ROWS):
            json.dumps(block).encode()
            assert all(number >= 1 and cells and cells[-1] is not None for number, cells in block)
    except child.Unreadable as refused:
        refusal = refused.args[0]
    assert refusal in {"", *Reason.__members__}


def soap(octets: bytes) -> None:
    """However a request is cut on its way (by as many octets as the first says), it is read alike; a fault is XML."""
    size, stream = (octets[0] or 1, octets[1:]) if octets else (1, b"")
    version, read = _envelope([stream])
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    again_version, again = _envelope(pieces)
    assert isinstance(read, Asked) == isinstance(again, Asked)
    if isinstance(read, Asked):
        assert (version, read) == (again_version, again)
        assert all(len(each) <= LONGEST_LISTED + 1 for each in read.listed)
        if read.operation == "SendSms":
            with contextlib.suppress(Refused):
                assert draft_of(read.values, [85261234567], ANYBODY).client_reference == read.values.get(
                    "clientRef", ""
                )
    else:
        etree.fromstring(fault(version, fault_of(read)))


def _envelope(pieces: list[bytes]) -> tuple[Version, Asked | Malformed | Refused]:
    reader = Reader()
    try:
        for piece in pieces:
            reader.feed(piece)
        return reader.version, reader.close()
    except (Malformed, Refused) as error:
        return reader.version, error


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (pdu, framer, sessions, receipt, gsm, parameters, soap, mail, numbers, upload)
}
