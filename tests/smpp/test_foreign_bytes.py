"""PDUs as other implementations wrote them, taken from the wire by hand: each is read, and written back octet by octet.

Peers: Kannel 1.4.5, npm smpp 0.5.1 as client and as server, smpplib 2.2.4, aiosmpplib 0.7.4, smpp34 1.5.0.
"""

from datetime import UTC, datetime

import pytest

from sampan.smpp import pdu as smpp
from sampan.smpp.concatenation import Concatenation, content_of
from sampan.smpp.pdu import MessageState, Tag, decode, encode
from sampan.smpp.receipt import read_receipt
from sampan.smpp.time_format import parse

KANNEL_BIND = "0000002500000009000000000000000162656e63680073656372657400564d410034000000"
KANNEL_SUBMIT = (
    "00000057000000040000000000000006000500466c6f72697374000201383532353130303030303000030000003236313132"
    "323138343035373030302b00110000001448656c6c6f2066726f6d204b616e6e656c201b65"
)
KANNEL_PART = (
    "000000d7000000040000000000000009000500466c6f726973740002013835323531303030303939004300000000110000009f"
    "050003030201" + "6c6f6e6720" * 30 + "6c6f6e0426000101"
)
NPM_SUBMIT = (
    "0000004a000000040000000000000002000500466c6f726973740001013835323531303030303030000000000000010001001148656c6c"
    "6f201b6575726f201b28781b29020400020102"
)
NPM_UCS2 = (
    "0000004200000004000000000000000300000000000038353235313030303030310000000000303030303030303230303030303030"
    "520001000800064f60597d55ce"
)
NPM_DATA = "0000003200000103000000000000000700000000000038353235313030303030300000010104240009646174612074657874"
NPM_MULTI = (
    "000000470000002100000000000000080000000003010101383532353130303030303000010101383532353130303030303500"
    "02616c6c00000000000000000100056d756c7469"
)
NPM_RECEIPT = (
    "0000009f0000000500000000000000010000003835323531303030303030000000466c6f72697374000400000000000001005f"
    "69643a313031207375623a30303120646c7672643a303031207375626d697420646174653a3236313132323135333020646f6e652064"
    "6174653a3236313132323135333120737461743a44454c49565244206572723a30303020746578743a001e0004313031000427000102"
)
NPM_QUERIED = "00000027800000030000000000000008313031003236313132323135333030303030302b000200"
SMPPLIB_PART = (
    "0000008100000004000000000000000400050041434d4500010138353235313030303030300040000000000100000051050003630202"
    "656c6c6f2066726f6d20736d70706c69622048656c6c6f2066726f6d20736d70706c69622048656c6c6f2066726f6d20736d70706c69"
    "622048656c6c6f2066726f6d20736d70706c696220"
)
SMPPLIB_QUERY = "000000190000000300000000000000093500050041434d4500"
AIOSMPPLIB_LONG = (
    "0000016000000004000000000000000500000041434d45000000383532353130303030303000000000000001000000000424"
    "012c" + "6c6f6e6720" * 60
)
SMPP34_SUBMIT = (
    "0000007100000004000000000000000200050041434d450001013434373730303030303030300000000000000000000040596f75722063"
    "6f6465206973203132333435362e2049742069732076616c696420666f722035206d696e757465732e20446f206e6f74207368617265"
    "2069742e"
)
ALL = {name: value for name, value in globals().items() if isinstance(value, str) and name.isupper()}


@pytest.mark.parametrize("name", sorted(ALL))
def test_what_others_write_is_read_and_written_back_octet_by_octet(name: str) -> None:
    frame = bytes.fromhex(ALL[name])
    read = decode(frame)
    assert encode(read.body, read.sequence_number, read.status) == frame
    smpp.check(read.body)


def test_kannel_binds_and_submits() -> None:
    assert decode(bytes.fromhex(KANNEL_BIND)).body == smpp.BindTransceiver("bench", "secret", "VMA")
    submit = decode(bytes.fromhex(KANNEL_SUBMIT)).body
    assert isinstance(submit, smpp.SubmitSm)
    assert (submit.source_addr_ton, submit.source_addr) == (5, "Florist")
    assert (submit.dest_addr_ton, submit.destination_addr) == (2, "85251000000")
    assert (submit.esm_class, submit.registered_delivery, submit.data_coding) == (3, 0x11, 0)
    assert submit.short_message == b"Hello from Kannel \x1be"
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert parse(submit.validity_period, now=now) == datetime(2026, 11, 22, 18, 40, 57, tzinfo=UTC)


def test_parts_of_kannel_and_smpplib_have_their_places() -> None:
    first, second = decode(bytes.fromhex(KANNEL_PART)).body, decode(bytes.fromhex(SMPPLIB_PART)).body
    assert isinstance(first, smpp.SubmitSm)
    assert isinstance(second, smpp.SubmitSm)
    assert content_of(first).concatenation == Concatenation(3, 2, 1)
    assert smpp.integer(first.tlvs, Tag.MORE_MESSAGES_TO_SEND) == 1
    assert content_of(second).concatenation == Concatenation(0x63, 2, 2)
    assert content_of(second).octets == b"ello from smpplib Hello from smpplib Hello from smpplib Hello from smpplib "


def test_the_npm_client_submits_in_its_ways() -> None:
    plain, unicode_ = decode(bytes.fromhex(NPM_SUBMIT)).body, decode(bytes.fromhex(NPM_UCS2)).body
    assert isinstance(plain, smpp.SubmitSm)
    assert isinstance(unicode_, smpp.SubmitSm)
    assert (plain.data_coding, plain.short_message) == (1, b"Hello \x1beuro \x1b(x\x1b)"), "GSM 7-bit, called IA5"
    assert smpp.integer(plain.tlvs, Tag.USER_MESSAGE_REFERENCE) == 258
    assert unicode_.short_message.decode("utf-16-be") == "你好嗎"
    assert unicode_.validity_period == "000000020000000R"
    many = decode(bytes.fromhex(NPM_MULTI)).body
    assert isinstance(many, smpp.SubmitMulti)
    sme = smpp.SmeAddress
    assert many.dest_addresses == (sme(1, 1, "85251000000"), sme(1, 1, "85251000005"), smpp.DistributionList("all"))


def test_the_npm_servers_receipt_is_read() -> None:
    delivery = decode(bytes.fromhex(NPM_RECEIPT)).body
    assert isinstance(delivery, smpp.DeliverSm)
    receipt = read_receipt(delivery)
    assert receipt is not None
    assert (receipt.id, receipt.id_in_text, receipt.state) == ("101", "101", MessageState.DELIVERED)
    assert receipt.done_at == datetime(2026, 11, 22, 15, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("frame", "message_octets"), [(NPM_DATA, 9), (AIOSMPPLIB_LONG, 300), (SMPP34_SUBMIT, 64), (KANNEL_PART, 153)]
)
def test_the_text_is_found_wherever_others_put_it(frame: str, message_octets: int) -> None:
    body = decode(bytes.fromhex(frame)).body
    assert isinstance(body, smpp.SubmitSm | smpp.DataSm)
    assert len(content_of(body).octets) == message_octets
