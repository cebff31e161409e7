"""A stream cut into PDUs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.smpp.framing import Framer
from sampan.smpp.pdu import HEADER, EnquireLink, encode
from tests.smpp.strategies import bodies


@given(st.lists(bodies, max_size=6), st.data())
def test_however_a_stream_comes_in_the_pdus_are_the_same(sent: list[tuple[object, ...]], data: st.DataObject) -> None:
    frames = [encode(body, number) for number, body in enumerate(sent, 1)]
    stream, framer, found = b"".join(frames), Framer(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += framer.feed(stream[:size])
        stream = stream[size:]
    assert [frame[3] for frame in found] == frames
    assert [frame[2] for frame in found] == list(range(1, len(frames) + 1))


@pytest.mark.parametrize("length", [0, 15, 1001, 0xFFFFFFFF])
def test_a_length_no_pdu_has_breaks_the_stream_after_the_pdus_before_it(length: int) -> None:
    framer = Framer(most_octets=1000)
    good = encode(EnquireLink(), 1)
    assert [frame[3] for frame in framer.feed(good + HEADER.pack(length, 4, 0, 77) + good)] == [good]
    assert framer.broken_at == 77
    assert framer.feed(good) == []


def test_a_pdu_of_just_the_limit_passes() -> None:
    framer = Framer(most_octets=16)
    assert len(framer.feed(encode(EnquireLink(), 1))) == 1
    assert framer.broken_at is None


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_random_octets_are_held_to_one_pdu_at_most(chunks: list[bytes]) -> None:
    framer = Framer(most_octets=300)
    for chunk in chunks:
        for frame in framer.feed(chunk):
            assert 16 <= len(frame[3]) <= 300
        assert len(framer._rest) < 300
