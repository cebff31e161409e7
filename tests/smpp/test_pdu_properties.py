"""The codec against random PDUs and random octets: all round trips hold, and nothing but PduError comes out."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sampan.smpp.pdu import (
    HEADER,
    HEADER_OCTETS,
    LAYOUTS,
    Body,
    PduError,
    Status,
    check,
    check_read,
    decode,
    decode_body,
    encode,
)
from tests.smpp.strategies import bodies, sequence_numbers


@given(bodies, sequence_numbers)
def test_every_pdu_comes_back_as_it_went(body: Body, sequence_number: int) -> None:
    frame = encode(body, sequence_number)
    read = decode(frame)
    assert (read.status, read.sequence_number, read.body) == (Status.ESME_ROK, sequence_number, body)
    assert type(read.body) is type(body)
    assert HEADER.unpack_from(frame)[0] == len(frame)


@given(bodies)
def test_what_was_written_passes_its_own_check(body: Body) -> None:
    check(body)
    check_read(decode(encode(body, 1)).body)


@given(st.sampled_from(sorted(LAYOUTS)), st.binary(max_size=400))
def test_random_octets_are_a_pdu_or_a_pdu_error(command_id: int, rest: bytes) -> None:
    frame = HEADER.pack(HEADER_OCTETS + len(rest), command_id, 0, 1) + rest
    with contextlib.suppress(PduError):
        body = decode(frame).body
        with contextlib.suppress(PduError):
            assert decode(encode(body, 1)).body == body


@given(st.integers(0, 0xFFFFFFFF), st.binary(max_size=60))
def test_no_command_id_and_no_header_brings_it_down(command_id: int, frame: bytes) -> None:
    with contextlib.suppress(PduError):
        decode(frame)
    with contextlib.suppress(PduError):
        decode_body(command_id, frame.ljust(HEADER_OCTETS, b"\0"))


@given(bodies, st.data())
def test_a_mutated_pdu_is_a_pdu_or_a_pdu_error(body: Body, data: st.DataObject) -> None:
    frame = bytearray(encode(body, 1))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PduError):
        decode(bytes(frame))


@given(bodies, st.data())
def test_a_truncated_pdu_whose_length_agrees_is_a_pdu_or_a_pdu_error(body: Body, data: st.DataObject) -> None:
    whole = encode(body, 1)
    frame = whole[: data.draw(st.integers(HEADER_OCTETS, len(whole)))]
    with contextlib.suppress(PduError):
        decode(len(frame).to_bytes(4, "big") + frame[4:])


@given(bodies, st.integers(0, 0xFFFFFFFF))
def test_a_length_that_lies_is_refused(body: Body, length: int) -> None:
    frame = encode(body, 1)
    assume(length != len(frame))
    with pytest.raises(PduError) as refusal:
        decode(length.to_bytes(4, "big") + frame[4:])
    assert refusal.value.status == Status.ESME_RINVCMDLEN


@given(st.sampled_from(sorted(LAYOUTS)), st.binary(max_size=300))
def test_what_was_read_is_checked_as_what_is_written(command_id: int, rest: bytes) -> None:
    try:
        body = decode(HEADER.pack(HEADER_OCTETS + len(rest), command_id, 0, 1) + rest).body
    except PduError:
        return
    refusals = [refusal_of(check, body), refusal_of(check_read, body)]
    assert refusals[0] == refusals[1]


def refusal_of(checked: Callable[[Body], None], body: Body) -> Status | None:
    try:
        checked(body)
    except PduError as error:
        return error.status
    return None
