"""What ESMEs write is read as they mean it."""

from datetime import UTC, datetime, timedelta

import pytest

from sampan.composing.alphabet import encode_gsm
from sampan.interfaces.smpp_door.reading import decode, number_of, read_submit
from sampan.interfaces.smpp_door.words import NotServed
from sampan.reasons import Reason, Refused
from sampan.smpp.concatenation import write_elements
from sampan.smpp.pdu import DataSm, EsmClass, Status, Tag
from tests.interfaces.smpp_door.running import message

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("octets", "data_coding", "text"),
    [
        (encode_gsm("Roses €5 @ {x}"), 0, "Roses €5 @ {x}"),
        (b"Roses $5 @ {x}", 1, "Roses $5 @ {x}"),
        (encode_gsm("Roses €5 @ {x}"), 1, "Roses €5 @ {x}"),  # as npm smpp does
        (b"line\r\nline", 1, "line\r\nline"),
        ("Crème brûlée".encode("latin-1"), 3, "Crème brûlée"),
        ("玫瑰🌹".encode("utf-16-be"), 8, "玫瑰🌹"),
    ],
)
def test_each_data_coding_is_read(octets: bytes, data_coding: int, text: str) -> None:
    assert decode(octets, data_coding) == text


@pytest.mark.parametrize(
    ("octets", "data_coding"),
    [
        (b"x", 2),
        (b"x", 4),
        (b"x", 0xF5),
        (b"\xe9", 1),
        (b"\x00\xe9", 1),
        ("Crème".encode(), 0),
        ("Crème".encode("latin-1"), 0),
        (b"odd", 8),
    ],
)
def test_what_is_no_text_is_refused(octets: bytes, data_coding: int) -> None:
    with pytest.raises(Refused) as refused:
        decode(octets, data_coding)
    assert refused.value.reason == Reason.BAD_TEXT


PORTS, SHIFT_TABLE, SECOND_OF_TWO = (0x05, b"\x0b\x84\x23\xf0"), (0x25, b"\x01"), (0x00, b"\x07\x02\x02")


@pytest.mark.parametrize(
    "octets",
    [write_elements([PORTS]), write_elements([SHIFT_TABLE]), write_elements([SECOND_OF_TWO, PORTS]), b"\x07", b""],
    ids=["ports", "another alphabet", "ports beside the place", "cut off", "none"],
)
def test_a_header_that_says_more_than_the_place_in_a_long_text_is_refused(octets: bytes) -> None:
    """Its text, without what the header says of it, would show a person what is meant for a program."""
    with pytest.raises(NotServed) as refused:
        read_submit(message(octets and octets + b"text", esm_class=EsmClass.UDHI), NOW)
    assert refused.value.status == Status.ESME_RINVESMCLASS


@pytest.mark.parametrize(
    ("validity_period", "minutes"),
    [
        ("", None),
        ("000000020000000R", 120),
        ("000001000000000R", 1380),  # a day, as many ESMEs say: as long as there is
        ("000000000100000R", 10),
        ("261123040000000+", 120),
    ],
)
def test_a_validity_is_cut_to_what_there_is(validity_period: str, minutes: int | None) -> None:
    assert read_submit(message(validity_period=validity_period), NOW).validity_minutes == minutes


def test_an_absolute_validity_of_a_scheduled_text_begins_with_it() -> None:
    body = message(schedule_delivery_time="261124020000000+", validity_period="261124030000000+")
    submitted = read_submit(body, NOW)
    assert submitted.times == (NOW + timedelta(days=1), 60)


def test_data_sm_says_its_validity_in_seconds() -> None:
    body = DataSm(tlvs=((Tag.QOS_TIME_TO_LIVE, (1800).to_bytes(4, "big")),))
    assert read_submit(body, NOW).times == (None, 30)


@pytest.mark.parametrize("written", ["85261234567", "+85261234567", "0085261234567"])
def test_a_number_may_begin_as_people_write_it(written: str) -> None:
    assert number_of(written) == "85261234567"
