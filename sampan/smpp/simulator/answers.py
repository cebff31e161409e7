"""Answers to submits that are not given right and at once: late, withheld, under another number, as garbage."""

from random import Random

from sampan.smpp.pdu import HEADER, HEADER_OCTETS, MOST_SEQUENCE_NUMBER, Command, SubmitSmResp, encode
from sampan.smpp.simulator.agenda import Agenda
from sampan.smpp.simulator.behaviours import AnswerForm, Behaviour
from sampan.smpp.simulator.journal import Journal
from sampan.smpp.simulator.line import Line

Answer = tuple[int, int, str]  # sequence_number, command_status, message_id

FAR_AWAY = 0x4000_0000  # between a sequence number and one that nobody waits for
UNKNOWN_COMMAND = 0x0000_0FFF
TWO_GIBIBYTES = 0x7FFF_FFFF
LEAST_GARBAGE_OCTETS = 70  # longer than any message_id
MOST_GARBAGE_OCTETS = 5000


class Answers:
    """What leaves another way than at once and right. What never leaves the journal knows as unanswered."""

    def __init__(self, journal: Journal, agenda: Agenda, chance: Random) -> None:
        self._journal = journal
        self._agenda = agenda
        self._chance = chance

    def give(self, line: Line, behaviour: Behaviour, answer: Answer) -> None:
        """Answer as the behaviour (unscaled) says, or not where the line is about to end."""
        self._journal.note_unanswered(answer[2])
        if line.withholds:
            line.withhold()
        elif behaviour.answer_after_s is not None:
            if behaviour.answer_after_s:
                self._agenda.after(behaviour.answer_after_s, self._write, line, behaviour.answer_form, answer)
            else:
                self._write(line, behaviour.answer_form, answer)

    def give_right(self, line: Line, answers: list[Answer]) -> None:
        """Answer now, right."""
        if answers and not line.respond(answers):
            for _, _, message_id in answers:
                self._journal.note_unanswered(message_id)

    def _write(self, line: Line, form: AnswerForm, answer: Answer) -> None:
        if line.is_gone:
            return
        if form in {"right", "twice", "unknown-command"}:
            if form == "unknown-command":
                (number,) = line.sequence_numbers(1)
                line.write_octets(HEADER.pack(HEADER_OCTETS, UNKNOWN_COMMAND, 0, number))
            if line.respond([answer]):
                self._journal.note_answered(answer[2])
            if form == "twice":
                line.write_octets(_encode(answer))
            return
        line.forget()
        match form:
            case "previous-number":
                line.write_octets(_encode(answer, (answer[0] - 2) % MOST_SEQUENCE_NUMBER + 1))
            case "unknown-number":
                line.write_octets(_encode(answer, answer[0] ^ FAR_AWAY))
            case "garbage-before":
                line.write_octets(b"\xff" + garbage(self._chance) + _encode(answer))
            case "garbage-inside":
                line.write_octets(garbled(Command.SUBMIT_SM_RESP, answer[0], self._chance))
                self._journal.note_answered(answer[2])
            case "endless":
                line.write_octets(HEADER.pack(TWO_GIBIBYTES, Command.SUBMIT_SM_RESP, answer[1], answer[0]))
            case "cut-short":
                octets = _encode(answer)
                line.write_octets(octets[: len(octets) // 2])
                line.finish("cut short by a fault")


def garbled(command: Command, number: int, chance: Random) -> bytes:
    """A PDU whose header is right and whose body is garbage."""
    body = garbage(chance)
    return HEADER.pack(HEADER_OCTETS + len(body), command, 0, number) + body


def garbage(chance: Random) -> bytes:
    """Octets that mean nothing. No zero is among them: it would end a string."""
    count = chance.randint(LEAST_GARBAGE_OCTETS, MOST_GARBAGE_OCTETS)
    return chance.randbytes(count).replace(b"\0", b"\1")


def _encode(answer: Answer, number: int | None = None) -> bytes:
    own_number, status, message_id = answer
    return encode(SubmitSmResp(message_id), own_number if number is None else number, status)
