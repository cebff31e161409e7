"""Optional parameters (TLVs) of SMPP 3.4 §5.3: read, written, and the known ones taken out.

TLVs are kept as `(tag, value)` pairs in wire order, unknown and repeated ones too.
"""

import struct
from collections.abc import Iterable

from sampan.smpp.pdu.codes import Tag

Tlv = tuple[int, bytes]

HEAD = struct.Struct(">HH")  # tag, length
MOST_VALUE_OCTETS = 0xFFFF

# The fewest and most octets of each known value (§5.3.2).
SIZES: dict[int, tuple[int, int]] = {
    Tag.DEST_ADDR_SUBUNIT: (1, 1),
    Tag.DEST_NETWORK_TYPE: (1, 1),
    Tag.DEST_BEARER_TYPE: (1, 1),
    Tag.DEST_TELEMATICS_ID: (2, 2),
    Tag.SOURCE_ADDR_SUBUNIT: (1, 1),
    Tag.SOURCE_NETWORK_TYPE: (1, 1),
    Tag.SOURCE_BEARER_TYPE: (1, 1),
    Tag.SOURCE_TELEMATICS_ID: (1, 1),
    Tag.QOS_TIME_TO_LIVE: (4, 4),
    Tag.PAYLOAD_TYPE: (1, 1),
    Tag.ADDITIONAL_STATUS_INFO_TEXT: (1, 256),
    Tag.RECEIPTED_MESSAGE_ID: (1, 65),
    Tag.MS_MSG_WAIT_FACILITIES: (1, 1),
    Tag.PRIVACY_INDICATOR: (1, 1),
    Tag.SOURCE_SUBADDRESS: (2, 23),
    Tag.DEST_SUBADDRESS: (2, 23),
    Tag.USER_MESSAGE_REFERENCE: (2, 2),
    Tag.USER_RESPONSE_CODE: (1, 1),
    Tag.SOURCE_PORT: (2, 2),
    Tag.DESTINATION_PORT: (2, 2),
    Tag.SAR_MSG_REF_NUM: (2, 2),
    Tag.LANGUAGE_INDICATOR: (1, 1),
    Tag.SAR_TOTAL_SEGMENTS: (1, 1),
    Tag.SAR_SEGMENT_SEQNUM: (1, 1),
    Tag.SC_INTERFACE_VERSION: (1, 1),
    Tag.CALLBACK_NUM_PRES_IND: (1, 1),
    Tag.CALLBACK_NUM_ATAG: (0, 65),
    Tag.NUMBER_OF_MESSAGES: (1, 1),
    Tag.CALLBACK_NUM: (4, 19),
    Tag.DPF_RESULT: (1, 1),
    Tag.SET_DPF: (1, 1),
    Tag.MS_AVAILABILITY_STATUS: (1, 1),
    Tag.NETWORK_ERROR_CODE: (3, 3),
    Tag.MESSAGE_PAYLOAD: (0, MOST_VALUE_OCTETS),
    Tag.DELIVERY_FAILURE_REASON: (1, 1),
    Tag.MORE_MESSAGES_TO_SEND: (0, 1),
    Tag.MESSAGE_STATE: (1, 1),
    Tag.USSD_SERVICE_OP: (1, 1),
    Tag.DISPLAY_TIME: (1, 1),
    Tag.SMS_SIGNAL: (2, 2),
    Tag.MS_VALIDITY: (1, 1),
    Tag.ALERT_ON_MESSAGE_DELIVERY: (0, 0),
    Tag.ITS_REPLY_TYPE: (1, 1),
    Tag.ITS_SESSION_INFO: (2, 2),
}
ANY_SIZE = (0, MOST_VALUE_OCTETS)


def read_tlvs(frame: bytes, position: int) -> tuple[Tlv, ...] | None:
    """The TLVs from `position` to the frame's end; None where they do not end with it."""
    found, end = [], len(frame)
    while position + 4 <= end:
        tag, octets = HEAD.unpack_from(frame, position)
        start, position = position + 4, position + 4 + octets
        found.append((tag, frame[start:position]))
    return tuple(found) if position == end else None


def write_tlvs(tlvs: Iterable[Tlv]) -> bytes:
    """The TLVs' octets; they have passed `check_tlvs`."""
    return b"".join([HEAD.pack(tag, len(value)) + value for tag, value in tlvs])


def check_tlvs(tlvs: Iterable[Tlv]) -> str | None:
    """What is wrong with the size of a value, in words; None where nothing is."""
    for tag, value in tlvs:
        fewest, most = SIZES.get(tag, ANY_SIZE)
        if not fewest <= len(value) <= most:
            allowed = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            return f"optional parameter {_name(tag)} has {len(value)} octets, it must have {allowed}"
        if not 0 <= tag <= 0xFFFF:
            return f"optional parameter {tag} has no tag of two octets"
    return None


def tlv(tlvs: Iterable[Tlv], tag: int) -> bytes | None:
    """The value of the first TLV with this tag."""
    for found, value in tlvs:
        if found == tag:
            return value
    return None


def integer(tlvs: Iterable[Tlv], tag: int) -> int | None:
    """A known TLV's value as an unsigned integer; None where it is absent or of another size than the standard's."""
    value = tlv(tlvs, tag)
    fewest, most = SIZES.get(tag, ANY_SIZE)
    return int.from_bytes(value, "big") if value and fewest <= len(value) <= most else None


def text(tlvs: Iterable[Tlv], tag: int) -> str | None:
    """A TLV's value as text up to its NUL, which some peers leave out; None where it is absent or empty."""
    value = tlv(tlvs, tag)
    return value.partition(b"\0")[0].decode("latin-1") or None if value else None


def _name(tag: int) -> str:
    return Tag(tag).name.lower() if tag in Tag.__members__.values() else f"{tag:#06x}"
