"""Every PDU of SMPP 3.4 as octets: typed by hand from the standard's tables, and read alike by another dissector."""

import pytest

from sampan.smpp import pdu as smpp
from sampan.smpp.pdu import Command, PduError, Status, Tag, check, check_read, command_of, decode, encode


def octets(text: str) -> bytes:
    """Hex with spaces, and 'text' in quotes as it is."""
    pieces = [piece.encode() if i % 2 else bytes.fromhex(piece) for i, piece in enumerate(text.split("'"))]
    return b"".join(pieces)


SM = {
    "service_type": "CMT",
    "source_addr_ton": 5,
    "source_addr": "Florist",
    "dest_addr_ton": 1,
    "dest_addr_npi": 1,
    "destination_addr": "85251000000",
    "esm_class": 0x40,
    "protocol_id": 0x7F,
    "priority_flag": 2,
    "schedule_delivery_time": "261122153000000+",
    "validity_period": "000000020000000R",
    "registered_delivery": 0x11,
    "replace_if_present_flag": 1,
    "data_coding": 8,
    "sm_default_msg_id": 3,
    "short_message": bytes.fromhex("050003070201 4F60"),
}
SM_OCTETS = (
    "'CMT' 00 05 00 'Florist' 00 01 01 '85251000000' 00 40 7f 02"
    f" '{SM['schedule_delivery_time']}' 00 '000000020000000R' 00 11 01 08 03 08 050003070201 4f60"
)

# Each PDU: its body, its command_id, its octets after the header.
PDUS = [
    (
        smpp.BindTransmitter("florist", "secret", "VMA", 0x34, 1, 1, "^8525"),
        0x00000002,
        "'florist' 00 'secret' 00 'VMA' 00 34 01 01 '^8525' 00",
    ),
    (smpp.BindReceiver("florist", "secret"), 0x00000001, "'florist' 00 'secret' 00 00 34 00 00 00"),
    (smpp.BindTransceiver("florist"), 0x00000009, "'florist' 00 00 00 34 00 00 00"),
    (
        smpp.BindTransmitterResp("SMSC", ((Tag.SC_INTERFACE_VERSION, b"\x34"),)),
        0x80000002,
        "'SMSC' 00 0210 0001 34",
    ),
    (smpp.BindReceiverResp("SMSC"), 0x80000001, "'SMSC' 00"),
    (smpp.BindTransceiverResp("SMSC"), 0x80000009, "'SMSC' 00"),
    (smpp.Outbind("SMSC", "secret"), 0x0000000B, "'SMSC' 00 'secret' 00"),
    (smpp.Unbind(), 0x00000006, ""),
    (smpp.UnbindResp(), 0x80000006, ""),
    (smpp.GenericNack(), 0x80000000, ""),
    (smpp.SubmitSm(**SM), 0x00000004, SM_OCTETS),  # type: ignore[arg-type]
    (smpp.SubmitSmResp("1f4"), 0x80000004, "'1f4' 00"),
    (
        smpp.DeliverSm(**SM, tlvs=((Tag.MESSAGE_STATE, b"\x02"), (0x1400, b""))),  # type: ignore[arg-type]
        0x00000005,
        SM_OCTETS + "0427 0001 02 1400 0000",
    ),
    (smpp.DeliverSmResp(), 0x80000005, "00"),
    (
        smpp.SubmitMulti(
            "",
            1,
            1,
            "85261234567",
            (smpp.SmeAddress(1, 1, "85251000000"), smpp.DistributionList("florists")),
            0,
            0,
            1,
            short_message=b"hi",
            tlvs=((Tag.USER_MESSAGE_REFERENCE, b"\x00\x07"),),
        ),
        0x00000021,
        "00 01 01 '85261234567' 00 02 01 01 01 '85251000000' 00 02 'florists' 00"
        " 00 00 01 00 00 00 00 00 00 02 'hi' 0204 0002 0007",
    ),
    (
        smpp.SubmitMultiResp("9", (smpp.UnsuccessfulSme(1, 1, "85251000005", Status.ESME_RINVDSTADR),)),
        0x80000021,
        "'9' 00 01 01 01 '85251000005' 00 0000000b",
    ),
    (
        smpp.DataSm("", 1, 1, "85261234567", 1, 1, "85251000000", 4, 1, 8, ((Tag.MESSAGE_PAYLOAD, b"\x4f\x60"),)),
        0x00000103,
        "00 01 01 '85261234567' 00 01 01 '85251000000' 00 04 01 08 0424 0002 4f60",
    ),
    (
        smpp.DataSmResp("9", ((Tag.DELIVERY_FAILURE_REASON, b"\x02"),)),
        0x80000103,
        "'9' 00 0425 0001 02",
    ),
    (smpp.QuerySm("1f4", 5, 0, "Florist"), 0x00000003, "'1f4' 00 05 00 'Florist' 00"),
    (
        smpp.QuerySmResp("1f4", "000000020000000R", 2, 0),
        0x80000003,
        "'1f4' 00 '000000020000000R' 00 02 00",
    ),
    (
        smpp.CancelSm("CMT", "1f4", 5, 0, "Florist", 1, 1, "85251000000"),
        0x00000008,
        "'CMT' 00 '1f4' 00 05 00 'Florist' 00 01 01 '85251000000' 00",
    ),
    (smpp.CancelSmResp(), 0x80000008, ""),
    (
        smpp.ReplaceSm("1f4", 5, 0, "Florist", "", "000000020000000R", 1, 0, b"hi"),
        0x00000007,
        "'1f4' 00 05 00 'Florist' 00 00 '000000020000000R' 00 01 00 02 'hi'",
    ),
    (smpp.ReplaceSmResp(), 0x80000007, ""),
    (smpp.EnquireLink(), 0x00000015, ""),
    (smpp.EnquireLinkResp(), 0x80000015, ""),
    (
        smpp.AlertNotification(1, 1, "85251000000", 0, 0, "florist", ((Tag.MS_AVAILABILITY_STATUS, b"\x00"),)),
        0x00000102,
        "01 01 '85251000000' 00 00 00 'florist' 00 0422 0001 00",
    ),
]


@pytest.mark.parametrize(("body", "command_id", "after_header"), PDUS, ids=[type(pdu[0]).__name__ for pdu in PDUS])
def test_a_pdu_is_written_as_the_standard_has_it_and_read_back(
    body: smpp.Body, command_id: int, after_header: str
) -> None:
    rest = octets(after_header)
    frame = (16 + len(rest)).to_bytes(4, "big") + command_id.to_bytes(4, "big") + bytes(4) + b"\0\0\1\2" + rest
    assert encode(body, 0x102) == frame
    read = decode(frame)
    assert (read.status, read.sequence_number, read.body) == (0, 0x102, body)
    assert type(read.body) is type(body)
    assert command_of(body) == command_id


def test_every_command_of_the_standard_has_its_pdu() -> None:
    assert {command_id for _, command_id, _ in PDUS} == set(Command)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (smpp.SubmitSm(service_type="LONGER"), Status.ESME_RINVSERTYP),
        (smpp.SubmitSm(source_addr="8" * 21), Status.ESME_RINVSRCADR),
        (smpp.SubmitSm(destination_addr="8" * 21), Status.ESME_RINVDSTADR),
        (smpp.SubmitSm(destination_addr="852\x0051000000"), Status.ESME_RINVDSTADR),
        (smpp.SubmitSm(source_addr="花店"), Status.ESME_RINVSRCADR),
        (smpp.SubmitSm(schedule_delivery_time="0000000200R"), Status.ESME_RINVSCHED),
        (smpp.SubmitSm(validity_period="0000000200R"), Status.ESME_RINVEXPIRY),
        (smpp.SubmitSm(source_addr_ton=256), Status.ESME_RINVSRCTON),
        (smpp.SubmitSm(source_addr_npi=-1), Status.ESME_RINVSRCNPI),
        (smpp.SubmitSm(dest_addr_ton=-1), Status.ESME_RINVDSTTON),
        (smpp.SubmitSm(dest_addr_npi=0x4E00), Status.ESME_RINVDSTNPI),
        (smpp.SubmitSm(esm_class=256), Status.ESME_RINVESMCLASS),
        (smpp.SubmitSm(priority_flag=256), Status.ESME_RINVPRTFLG),
        (smpp.SubmitSm(registered_delivery=256), Status.ESME_RINVREGDLVFLG),
        (smpp.SubmitSm(replace_if_present_flag=256), Status.ESME_RINVREPFLAG),
        (smpp.SubmitSm(sm_default_msg_id=256), Status.ESME_RINVDFTMSGID),
        (smpp.SubmitSm(short_message=bytes(255)), Status.ESME_RINVMSGLEN),
        (smpp.SubmitSm(tlvs=((Tag.USER_MESSAGE_REFERENCE, b"\1"),)), Status.ESME_RINVPARLEN),
        (smpp.SubmitSm(tlvs=((Tag.RECEIPTED_MESSAGE_ID, bytes(66)),)), Status.ESME_RINVPARLEN),
        (smpp.SubmitSm(tlvs=((0x1400, bytes(0x10000)),)), Status.ESME_RINVPARLEN),
        (smpp.SubmitSm(tlvs=((0x10000, b""),)), Status.ESME_RINVPARLEN),
        (smpp.BindTransceiver("a" * 16), Status.ESME_RINVSYSID),
        (smpp.BindTransceiver("a", "b" * 9), Status.ESME_RINVPASWD),
        (smpp.BindTransceiver("a", "b", "c" * 13), Status.ESME_RINVSYSTYP),
        (smpp.QuerySm("1" * 65), Status.ESME_RINVMSGID),
        (smpp.SubmitMulti(), Status.ESME_RINVNUMDESTS),
        (smpp.SubmitMulti(dest_addresses=(smpp.DistributionList("l"),) * 255), Status.ESME_RINVNUMDESTS),
        (smpp.SubmitMulti(dest_addresses=(smpp.DistributionList("l" * 21),)), Status.ESME_RINVDLNAME),
        (smpp.SubmitMulti(dest_addresses=(smpp.SmeAddress(1, 1, "8" * 21),)), Status.ESME_RINVDSTADR),
        (smpp.SubmitMulti(dest_addresses=(smpp.SmeAddress(256, 1, "8"),)), Status.ESME_RINVDSTTON),
        (smpp.SubmitMultiResp("", (smpp.UnsuccessfulSme(1, 1, "8", 8),) * 255), Status.ESME_RINVNUMDESTS),
    ],
)
def test_what_breaks_a_limit_never_becomes_octets(body: smpp.Body, status: Status) -> None:
    with pytest.raises(PduError) as refusal:
        encode(body, 1)
    assert refusal.value.status == status
    assert status.name in str(refusal.value)
    with pytest.raises(PduError):
        check(body)


@pytest.mark.parametrize(("number", "status"), [(-1, 0), (2**32, 0), (1, 2**32)])
def test_a_header_that_fits_no_header_is_refused(number: int, status: int) -> None:
    with pytest.raises(PduError):
        encode(smpp.EnquireLink(), number, status)


@pytest.mark.parametrize(
    ("body", "octets_of_body"),
    [
        (smpp.SubmitSmResp("lost"), 0),
        (smpp.SubmitMultiResp("lost"), 0),
        (smpp.BindTransceiverResp("lost"), 0),
        (smpp.DeliverSmResp(), 1),
        (smpp.DataSmResp("", ((Tag.DELIVERY_FAILURE_REASON, b"\2"),)), 6),
        (smpp.QuerySmResp("1f4", "", 5, 9), 7),
    ],
)
def test_a_refusal_comes_without_the_body_where_the_standard_says_so(body: smpp.Body, octets_of_body: int) -> None:
    frame = encode(body, 1, Status.ESME_RSYSERR)
    assert len(frame) == 16 + octets_of_body
    assert decode(frame).status == Status.ESME_RSYSERR


def test_a_response_without_its_body_is_read_as_an_empty_one() -> None:
    """Refusals have none (§4.4.2), and some SMSCs leave it out of any response."""
    assert decode(bytes.fromhex("00000010 80000004 00000000 00000007")).body == smpp.SubmitSmResp("")
    assert decode(bytes.fromhex("00000010 80000021 00000058 00000007")).body == smpp.SubmitMultiResp("")


def test_an_address_of_a_peer_keeps_every_octet() -> None:
    sent = smpp.DeliverSm(source_addr="Caf\xe9\x1b", destination_addr="8" * 20)
    assert decode(encode(sent, 1)).body == sent


def test_a_peers_overlong_address_is_read_and_left_to_the_reader_to_check() -> None:
    """A client rather keeps an odd receipt than loses it; a server refuses it."""
    long = "8" * 30
    frame = bytearray(encode(smpp.DeliverSm(source_addr="X" * 20), 1))
    frame[16:] = frame[16:].replace(b"X" * 20, long.encode())
    frame[0:4] = len(frame).to_bytes(4, "big")
    body = decode(bytes(frame)).body
    assert isinstance(body, smpp.DeliverSm)
    assert body.source_addr == long
    with pytest.raises(PduError, match="at most 20"):
        check_read(body)


SUBMIT = encode(smpp.SubmitSm(destination_addr="85251000000", short_message=b"hi"), 1)


def framed(command_id: int, after_header: str) -> bytes:
    rest = octets(after_header)
    return (16 + len(rest)).to_bytes(4, "big") + command_id.to_bytes(4, "big") + bytes(8) + rest


@pytest.mark.parametrize(
    ("frame", "status"),
    [
        (b"", Status.ESME_RINVCMDLEN),
        (bytes(15), Status.ESME_RINVCMDLEN),
        (bytes.fromhex("00000011 00000015 00000000 00000001"), Status.ESME_RINVCMDLEN),
        (framed(0x0000000A, ""), Status.ESME_RINVCMDID),
        (framed(Command.ENQUIRE_LINK, "00"), Status.ESME_RINVCMDLEN),
        (framed(Command.SUBMIT_SM, ""), Status.ESME_RINVCMDLEN),
        (framed(Command.SUBMIT_SM, "'never ends'"), Status.ESME_RINVCMDLEN),
        (framed(Command.SUBMIT_SM, "00 00 00 00 00 00 00 00 00"), Status.ESME_RINVCMDLEN),
        (framed(Command.SUBMIT_SM, "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"), Status.ESME_RINVCMDLEN),
        (framed(Command.SUBMIT_SM, "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 05 'hi'"), Status.ESME_RINVMSGLEN),
        (
            framed(Command.SUBMIT_SM, "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 'hi'"),
            Status.ESME_RINVOPTPARSTREAM,
        ),
        (
            framed(Command.SUBMIT_SM, "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 0427 0002 01"),
            Status.ESME_RINVOPTPARSTREAM,
        ),
        (framed(Command.QUERY_SM, "'1' 00 00 00 00 ff"), Status.ESME_RINVCMDLEN),
        (framed(Command.SUBMIT_MULTI, "00 00 00 00"), Status.ESME_RINVCMDLEN),
        (framed(Command.SUBMIT_MULTI, "00 00 00 00 01"), Status.ESME_RINVCMDLEN),
        (framed(Command.SUBMIT_MULTI, "00 00 00 00 01 03"), Status.ESME_RINVDESTFLAG),
        (framed(Command.SUBMIT_MULTI, "00 00 00 00 02 02 'l' 00"), Status.ESME_RINVCMDLEN),
        (framed(Command.SUBMIT_MULTI_RESP, "00 01 01 01 '8' 00 0000"), Status.ESME_RINVCMDLEN),
    ],
)
def test_what_is_no_pdu_says_which_status_to_answer(frame: bytes, status: Status) -> None:
    with pytest.raises(PduError) as refusal:
        decode(frame)
    assert refusal.value.status == status


def test_what_was_read_is_checked_in_its_lists_too() -> None:
    read = decode(framed(Command.SUBMIT_MULTI_RESP, f"'9' 00 01 01 01 '{'8' * 21}' 00 0000000b"))
    with pytest.raises(PduError, match="at most 20"):
        check_read(read.body)


def test_known_optional_parameters_are_taken_out_by_kind() -> None:
    tlvs = (
        (Tag.RECEIPTED_MESSAGE_ID, b"1f4\0"),
        (Tag.USER_MESSAGE_REFERENCE, b"\1\2"),
        (Tag.SAR_MSG_REF_NUM, b"\1"),
        (Tag.ADDITIONAL_STATUS_INFO_TEXT, b"no NUL"),
        (Tag.CALLBACK_NUM, b"1234"),
        (Tag.CALLBACK_NUM, b"5678"),
    )
    assert smpp.text(tlvs, Tag.RECEIPTED_MESSAGE_ID) == "1f4"
    assert smpp.text(tlvs, Tag.ADDITIONAL_STATUS_INFO_TEXT) == "no NUL"
    assert smpp.text(tlvs, Tag.DEST_SUBADDRESS) is None
    assert smpp.integer(tlvs, Tag.USER_MESSAGE_REFERENCE) == 0x102
    assert smpp.integer(tlvs, Tag.SAR_MSG_REF_NUM) is None, "of another size than the standard's"
    assert smpp.integer(tlvs, Tag.QOS_TIME_TO_LIVE) is None
    assert smpp.tlv(tlvs, Tag.CALLBACK_NUM) == b"1234"
    sent = smpp.DeliverSm(tlvs=tuple(t for t in tlvs if t[0] != Tag.SAR_MSG_REF_NUM))
    assert decode(encode(sent, 1)).body == sent, "repeated ones are kept, in their order"
