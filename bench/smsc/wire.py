"""As much of SMPP 3.4 as measuring needs, straight from the standard: a header, a submit_sm, a receipt."""

import struct
import time
from collections.abc import Iterator
from typing import NamedTuple

HEADER = struct.Struct(">IIII")  # command_length, command_id, command_status, sequence_number
HEADER_OCTETS = 16
MOST_PDU_OCTETS = 64 * 1024
MOST_SEQUENCE_NUMBER = 0x7FFFFFFF
VERSION = 0x34

BIND_RECEIVER, BIND_TRANSMITTER, SUBMIT_SM, DELIVER_SM, UNBIND, BIND_TRANSCEIVER = 1, 2, 4, 5, 6, 9
ENQUIRE_LINK = 0x15
RESPONSE = GENERIC_NACK = 0x80000000
ESME_RINVCMDLEN, ESME_RINVCMDID, ESME_RINVBNDSTS, ESME_RTHROTTLED = 2, 3, 4, 0x58
MAY_SUBMIT, MAY_RECEIVE = {BIND_TRANSMITTER, BIND_TRANSCEIVER}, {BIND_RECEIVER, BIND_TRANSCEIVER}
BINDS = MAY_SUBMIT | MAY_RECEIVE

RECEIPTED_MESSAGE_ID = b"\x00\x1e"
MESSAGE_STATE_DELIVERED = b"\x04\x27\x00\x01\x02"
QUOTED_OCTETS = 20  # of the message in its receipt, as they are: UCS-2 too, which brings NULs into the text
PHONE_TO_NAME = b"\0\1\1%b\0\1\1%b\0"  # service_type, and two addresses of ton 1, npi 1
IS_RECEIPT = b"\4\0\0\0\0\0\0\0\0"  # esm_class to sm_default_msg_id


class BrokenStream(Exception):
    """A command_length no PDU has: from there on nothing can be read."""


class Submit(NamedTuple):
    """What a receipt needs to know of a submit_sm."""

    source: bytes
    destination: bytes
    registered_delivery: int
    text: bytes


def split(stream: bytes) -> Iterator[tuple[int, int, int, bytes, int]]:
    """Of each whole PDU its command_id, command_status, sequence_number, octets and where it ends. BrokenStream."""
    position, end = 0, len(stream)
    while end - position >= HEADER_OCTETS:
        length, command_id, status, number = HEADER.unpack_from(stream, position)
        if not HEADER_OCTETS <= length <= MOST_PDU_OCTETS:
            raise BrokenStream
        if end - position < length:
            return
        start, position = position, position + length
        yield command_id, status, number, stream[start:position], position


def pdu(command_id: int, number: int, body: bytes = b"", status: int = 0) -> bytes:
    """A whole PDU."""
    return HEADER.pack(HEADER_OCTETS + len(body), command_id, status, number) + body


def text_at(octets: bytes, position: int) -> tuple[bytes, int]:
    """The C string there, and where what follows begins. ValueError where it has no end."""
    end = octets.index(b"\0", position)
    return octets[position:end], end + 1


def read_submit(octets: bytes) -> Submit:
    """A submit_sm (§4.4.1). ValueError or IndexError where it ends too early."""
    _, at = text_at(octets, HEADER_OCTETS)  # service_type
    source, at = text_at(octets, at + 2)
    destination, at = text_at(octets, at + 2)
    _, at = text_at(octets, at + 3)  # esm_class, protocol_id, priority_flag; schedule_delivery_time
    _, at = text_at(octets, at)  # validity_period
    return Submit(source, destination, octets[at], octets[at + 5 : at + 5 + octets[at + 4]])


def write_receipt(message_id: bytes, submit: Submit, *, text: bool, tlvs: bool) -> bytes:
    """The body of a deliver_sm that says DELIVRD (appendix B), as text, as TLVs, or both."""
    stamp = time.strftime("%y%m%d%H%M", time.gmtime()).encode()
    words = b""
    if text:
        words = b"id:%b sub:001 dlvrd:001 submit date:%b done date:%b stat:DELIVRD err:000 text:%b" % (
            message_id,
            stamp,
            stamp,
            submit.text[:QUOTED_OCTETS],
        )
    body = PHONE_TO_NAME % (submit.destination, submit.source) + IS_RECEIPT + bytes((len(words),)) + words
    if tlvs:
        length = struct.pack(">H", len(message_id) + 1)
        body += RECEIPTED_MESSAGE_ID + length + message_id + b"\0" + MESSAGE_STATE_DELIVERED
    return body
