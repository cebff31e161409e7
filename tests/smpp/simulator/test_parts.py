"""The simulator's rules, texts, record and agenda, each for itself."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.composing.alphabet import Coding, encode
from sampan.smpp.simulator import BEHAVIOURS, ERRORS, NUMBERS, behaviours
from sampan.smpp.simulator.agenda import Agenda
from sampan.smpp.simulator.behaviours import Rules, behaviour_with
from sampan.smpp.simulator.record import BLOCK_ENTRIES, Record
from sampan.smpp.simulator.texts import OCTETS_OF, decode_text, encode_reply, fits
from tests.smpp.peers import run


def test_the_table_gives_each_number_its_behaviour() -> None:
    assert [NUMBERS[f"852510000{nn:02}"].name for nn in range(15)] == list(BEHAVIOURS)
    assert behaviours.__doc__
    documented = behaviours.__doc__.splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in documented if line.startswith("| 852")]
    assert [(number, name) for number, name, _, _ in rows] == [(n, b.name) for n, b in NUMBERS.items()]
    for number, _, _, error in rows:
        errors = {step.error for step in NUMBERS[number].steps} - {"000"}
        assert errors == ({error} - {"000", ""}), number


def test_every_error_of_the_table_has_its_reason() -> None:
    used = {step.error for behaviour in BEHAVIOURS.values() for step in behaviour.steps}
    assert used - {"000"} == set(ERRORS)


def test_rules_are_looked_up_from_the_narrowest_to_the_widest() -> None:
    rules = Rules()
    delivered, refused, blocked, full = (BEHAVIOURS[name] for name in ("delivered", "refused", "blocked", "inbox-full"))
    assert rules.find("85261234567") is delivered
    assert rules.find("85251000005") is refused
    rules.set("8525*", blocked)
    rules.set("852510*", full)
    rules.set("85251000005", delivered)
    assert rules.find("85251000005") is delivered
    assert rules.find("85251099999") is full
    assert rules.find("85259999999") is blocked
    rules.set("852510*", None)
    rules.set("85251000005", None)
    assert rules.find("85251000005") is blocked
    rules.set("8525*", None)
    assert rules.find("85251000005") is refused
    rules.set("*", blocked)
    assert {rules.find(number) for number in ("85251000005", "12025550123", "")} == {blocked}
    rules.set("*", None)
    assert rules.find("85251000005") is refused
    assert rules.find("12025550123") is delivered


@pytest.mark.parametrize("numbers", ["", "852-5", "85*5", "**", "+852", "x*"])
def test_numbers_that_are_none_are_refused(numbers: str) -> None:
    with pytest.raises(ValueError, match="no number, no beginning"):
        Rules().set(numbers, BEHAVIOURS["blocked"])


def test_a_behaviour_can_be_changed_within_its_limits() -> None:
    late = behaviour_with("late-answer", {"answer_after_s": 0.5, "steps": [{"state": "EXPIRED", "error": "027"}]})
    assert (late.name, late.answer_after_s, late.steps[0].state) == ("late-answer", 0.5, "EXPIRED")
    for name, changes, words in (
        ("unheard", {}, "there is no behaviour 'unheard'; there are delivered"),
        ("delivered", {"answer_after_s": -1}, "answer_after_s"),
        ("delivered", {"unheard": 1}, "unheard"),
        ("delivered", {"steps": [{"state": "LOST"}]}, "LOST"),
        ("delivered", {"steps": [{"state": "UNDELIV", "error": "x"}]}, "error"),
    ):
        with pytest.raises(ValueError, match=words):
            behaviour_with(name, changes)


gsm_texts = st.text(st.sampled_from(sorted(OCTETS_OF)), max_size=200)


@given(gsm_texts)
def test_the_alphabet_typed_here_and_the_one_that_sends_agree(text: str) -> None:
    octets = encode(text, Coding.GSM7)
    assert octets == b"".join(OCTETS_OF[character] for character in text)
    assert decode_text(octets, 0) == text


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_is_read_from_ucs2(text: str) -> None:
    assert decode_text(encode(text, Coding.UCS2), 8) == text


@pytest.mark.parametrize(
    ("octets", "coding", "text"),
    [
        (b"\x1b", 0, "\ufffd"),
        (b"a\x1b\x41b\x80", 0, "a\ufffdb\ufffd"),
        (b"\x1b\x65\x1b\x28\x00", 0, "€{@"),
        (b"\x4f", 8, "\ufffd"),
        (b"Caf\xe9", 3, "Café"),
        (b"\x01\x02", 4, "0102"),
        (b"\x01\x02", 245, "0102"),
    ],
)
def test_odd_octets_are_shown_as_far_as_they_go(octets: bytes, coding: int, text: str) -> None:
    assert decode_text(octets, coding) == text


@given(gsm_texts.map(lambda text: text * 4) | st.text(st.characters(exclude_categories=["Cs"]), max_size=400))
def test_a_reply_is_cut_into_parts_that_fit_and_read_whole(text: str) -> None:
    parts = list(encode_reply(text, 7))
    long = len(parts) > 1
    read = ""
    for esm_class, coding, octets in parts:
        assert esm_class == (0x40 if long else 0)
        content = octets[6:] if long else octets
        assert fits(6 if long else 0, len(content), coding)
        read += decode_text(content, coding)
    assert read == text


def test_a_reply_of_too_many_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="256 parts"):
        list(encode_reply("x" * (153 * 255 + 1), 7))


@given(st.integers(1, 40), st.integers(0, 200), st.integers(0, 250), st.integers(0, 60))
def test_the_record_keeps_the_newest_and_forgets_in_blocks(most: int, count: int, since: int, limit: int) -> None:
    record = Record(most)
    for number in range(1, count + 1):
        assert record.append(b"%d" % number, (0.5, 1, 2, 3, -number, 4), number % 9) == number
    assert record.last == count
    kept = record.since(0, count + 1)
    assert [entry.number for entry in kept] == list(range(record.first, count + 1))
    assert len(kept) >= min(most, count)
    for entry in kept:
        assert entry == (entry.number, 0.5, 1, 2, 3, -entry.number, 4, b"%d" % entry.number, entry.number % 9)
    assert record.since(since, limit) == [entry for entry in kept if entry.number > since][:limit]


def test_the_record_goes_on_over_blocks_and_after_it_was_cleared() -> None:
    record = Record(BLOCK_ENTRIES)
    head = (0.0, 0, 0, 0, 0, 0)
    for _ in range(3 * BLOCK_ENTRIES + 1):
        record.append(b"", head, 1)
    newest_number = 3 * BLOCK_ENTRIES + 1
    assert (record.first, record.last) == (2 * BLOCK_ENTRIES + 1, newest_number)
    record.set_state(newest_number, 2)
    newest = record.get(newest_number)
    assert newest is not None
    assert newest.state == 2
    record.set_state(1, 2)
    assert record.get(1) is None
    record.clear()
    assert record.get(newest_number) is None
    number = record.append(b"again", head, 1)
    assert number == newest_number + 1
    assert [entry.octets for entry in record.since(0, 10)] == [b"again"]


def test_an_agenda_does_things_in_their_order_and_survives_a_fault() -> None:
    async def test() -> None:
        done: list[str] = []
        over = asyncio.Event()
        agenda = Agenda(lambda: done.append("round"))
        agenda.after(0.03, over.set)
        agenda.after(0.02, done.append, "second")
        agenda.after(0, done.remove, "what is not there")
        agenda.after(0.001, done.append, "first")
        agenda.after(60, done.append, "never")
        await over.wait()
        await asyncio.sleep(0)
        assert [what for what in done if what != "round"] == ["first", "second"]
        assert "round" in done
        assert len(agenda) == 1
        agenda.clear()
        assert len(agenda) == 0

    run(test)
