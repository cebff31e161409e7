"""The kinds of fields PDUs are made of, and how each is checked, written and read (SMPP 3.4 §3.1, §3.2).

A PDU's class annotates its fields with these kinds in wire order; `codec.Layout` turns the annotations into parts. Runs
of strings and single octets are written by one `%` format and read by one loop, which is what makes a table fast.

Text is held as `str`, one character for each octet (ISO 8859-1): nothing a peer sends is lost or refused for its bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Protocol

from sampan.smpp.pdu.codes import Status
from sampan.smpp.pdu.tlvs import Tlv, check_tlvs, read_tlvs, write_tlvs

MOST_SHORT_MESSAGE_OCTETS = 254  # sm_length (§5.2.21)
MOST_DESTINATIONS = 254  # number_of_dests (§5.2.24)


class PduError(Exception):
    """A PDU that breaks SMPP 3.4. `status` is the command_status to answer it with."""

    def __init__(self, status: Status, words: str) -> None:
        super().__init__(status, words)
        self.status = status
        self.words = words

    def __str__(self) -> str:
        return f"{self.words} ({self.status.name})"


@dataclass(frozen=True)
class Text:
    """A C-octet string: at most `most` characters before its NUL; `fixed`: none or just that many."""

    most: int
    status: Status
    fixed: bool = False

    def check(self, name: str, value: str) -> None:
        """Raise PduError where the value cannot go on the wire."""
        if "\0" in value:
            raise PduError(self.status, f"{name} has a NUL inside")
        if len(value) > self.most:
            raise PduError(self.status, f"{name} has {len(value)} octets, at most {self.most} are allowed")
        if self.fixed and len(value) not in {0, self.most}:
            raise PduError(self.status, f"{name} has {len(value)} octets, it must have {self.most} or none")
        if not value.isascii() and any(character > "\xff" for character in value):
            raise PduError(self.status, f"{name} has a character that is no octet")


@dataclass(frozen=True)
class Number:
    """An integer of one octet."""

    status: Status = Status.ESME_RSYSERR

    def check(self, name: str, value: int) -> None:
        """Raise PduError where the value cannot go on the wire."""
        if not 0 <= value <= 0xFF:
            raise PduError(self.status, f"{name} is {value}, it must be 0 to 255")


class Part(Protocol):
    """One or more consecutive fields that are written and read together; `first` is the first one's place."""

    def check(self, body: Sequence[Any], first: int) -> None:
        """PduError where a value that was read breaks a limit of the standard."""

    def encode(self, body: Sequence[Any], first: int) -> bytes:
        """The fields' octets. PduError where a value breaks a limit of the standard."""

    def decode(self, frame: bytes, position: int, values: list[Any]) -> int:
        """Append the values found from `position` on; where they end. PduError where the frame ends before."""


class Run:
    """Strings and single octets in a row."""

    def __init__(self, kinds: Sequence[tuple[str, Text | Number]]) -> None:
        self._kinds = kinds
        self._width = len(kinds)
        self._format = "".join("%s\0" if isinstance(kind, Text) else "%c" for _, kind in kinds)
        self._texts = tuple((i, kind.most, kind.fixed) for i, (_, kind) in enumerate(kinds) if isinstance(kind, Text))
        shape = "".join("t" if isinstance(kind, Text) else "n" for _, kind in kinds).split("t")
        self._numbers_before_texts = len(shape[0])
        self._numbers_after_texts = tuple(len(numbers) for numbers in shape[1:])

    def check(self, body: Sequence[Any], first: int) -> None:
        """PduError where a value that was read breaks a limit of the standard."""
        for i, most, fixed in self._texts:
            value = body[first + i]
            if value and (len(value) > most or "\0" in value or (fixed and len(value) != most)):
                name, kind = self._kinds[i]
                kind.check(name, value)

    def encode(self, body: Sequence[Any], first: int) -> bytes:
        """The fields' octets. PduError where a value breaks a limit of the standard."""
        self.check(body, first)
        values = body[first : first + self._width]
        try:
            return (self._format % values).encode("latin-1")
        except (UnicodeEncodeError, OverflowError):
            for (name, kind), value in zip(self._kinds, values, strict=True):
                kind.check(name, value)
            raise

    def decode(self, frame: bytes, position: int, values: list[Any]) -> int:
        """Append the values found from `position` on; where they end."""
        if self._numbers_before_texts:
            start, position = position, position + self._numbers_before_texts
            values += frame[start:position]
        text = frame.decode("latin-1")
        find = text.index
        try:
            for numbers in self._numbers_after_texts:
                end = find("\0", position)
                values.append(text[position:end])
                end += 1
                position = end + numbers
                if numbers:
                    values += frame[end:position]
        except ValueError:
            raise PduError(Status.ESME_RINVCMDLEN, "a string has no end") from None
        if position > len(frame):
            raise PduError(Status.ESME_RINVCMDLEN, "the PDU ends inside its mandatory fields")
        return position


class Message:
    """sm_length and short_message."""

    def check(self, body: Sequence[Any], first: int) -> None:
        """PduError where a value that was read breaks a limit of the standard."""
        octets = len(body[first])
        if octets > MOST_SHORT_MESSAGE_OCTETS:
            words = f"short_message has {octets} octets, at most {MOST_SHORT_MESSAGE_OCTETS} are allowed"
            raise PduError(Status.ESME_RINVMSGLEN, words)

    def encode(self, body: Sequence[Any], first: int) -> bytes:
        """The fields' octets. PduError where a value breaks a limit of the standard."""
        self.check(body, first)
        message: bytes = body[first]
        return b"%c%b" % (len(message), message)

    def decode(self, frame: bytes, position: int, values: list[Any]) -> int:
        """Append the values found from `position` on; where they end."""
        start = position + 1
        end = start + _octet(frame, position)
        if end > len(frame):
            raise PduError(Status.ESME_RINVMSGLEN, "sm_length reaches beyond the end of the PDU")
        values.append(frame[start:end])
        return end


class OptionalParameters:
    """The TLVs that end a PDU, all kept, in their order."""

    def check(self, body: Sequence[Any], first: int) -> None:
        """PduError where a value that was read breaks a limit of the standard."""
        if body[first] and (words := check_tlvs(body[first])):
            raise PduError(Status.ESME_RINVPARLEN, words)

    def encode(self, body: Sequence[Any], first: int) -> bytes:
        """The fields' octets. PduError where a value breaks a limit of the standard."""
        if not body[first]:
            return b""
        self.check(body, first)
        return write_tlvs(body[first])

    def decode(self, frame: bytes, position: int, values: list[Any]) -> int:
        """Append the values found from `position` on; where they end."""
        tlvs = read_tlvs(frame, position) if position < len(frame) else ()
        if tlvs is None:
            raise PduError(Status.ESME_RINVOPTPARSTREAM, "the optional parameters do not end with the PDU")
        values.append(tlvs)
        return len(frame)


class SmeAddress(NamedTuple):
    """A handset among the destinations of a submit_multi (§4.5.1.1)."""

    ton: int
    npi: int
    address: str


class DistributionList(NamedTuple):
    """A list kept by the SMSC among the destinations of a submit_multi (§4.5.1.2)."""

    name: str


class UnsuccessfulSme(NamedTuple):
    """A destination a submit_multi did not reach, and why (§4.5.2.1)."""

    ton: int
    npi: int
    address: str
    status: int


DESTINATION_ADDRESS = Text(20, Status.ESME_RINVDSTADR)
LIST_NAME = Text(20, Status.ESME_RINVDLNAME)
A_HANDSET, A_LIST = 1, 2  # dest_flag (§5.2.25)

_SME = Run(
    (("ton", Number(Status.ESME_RINVDSTTON)), ("npi", Number(Status.ESME_RINVDSTNPI)), ("", DESTINATION_ADDRESS))
)
_LIST = Run((("dl_name", LIST_NAME),))


class Destinations:
    """number_of_dests and dest_address(es)."""

    def check(self, body: Sequence[Any], first: int) -> None:
        """PduError where a value that was read breaks a limit of the standard."""
        if not 1 <= len(body[first]) <= MOST_DESTINATIONS:
            words = f"{len(body[first])} destinations, 1 to {MOST_DESTINATIONS} are allowed"
            raise PduError(Status.ESME_RINVNUMDESTS, words)
        for destination in body[first]:
            (_LIST if isinstance(destination, DistributionList) else _SME).check(destination, 0)

    def encode(self, body: Sequence[Any], first: int) -> bytes:
        """The fields' octets. PduError where a value breaks a limit of the standard."""
        self.check(body, first)
        destinations = body[first]
        return bytes((len(destinations),)) + b"".join(
            b"\2" + _LIST.encode(to, 0) if isinstance(to, DistributionList) else b"\1" + _SME.encode(to, 0)
            for to in destinations
        )

    def decode(self, frame: bytes, position: int, values: list[Any]) -> int:
        """Append the values found from `position` on; where they end."""
        destinations: list[SmeAddress | DistributionList] = []
        count, position = _octet(frame, position), position + 1
        for _ in range(count):
            flag, found = _octet(frame, position), list[Any]()
            if flag not in {A_HANDSET, A_LIST}:
                raise PduError(Status.ESME_RINVDESTFLAG, f"dest_flag is {flag}, it must be 1 or 2")
            position = (_SME if flag == A_HANDSET else _LIST).decode(frame, position + 1, found)
            destinations.append(SmeAddress(*found) if flag == A_HANDSET else DistributionList(*found))
        values.append(tuple(destinations))
        return position


class Unsuccessful:
    """no_unsuccess and unsuccess_sme(s)."""

    def check(self, body: Sequence[Any], first: int) -> None:
        """PduError where a value that was read breaks a limit of the standard."""
        if len(body[first]) > MOST_DESTINATIONS:
            raise PduError(Status.ESME_RINVNUMDESTS, f"{len(body[first])} destinations, at most {MOST_DESTINATIONS}")
        for sme in body[first]:
            _SME.check(sme, 0)

    def encode(self, body: Sequence[Any], first: int) -> bytes:
        """The fields' octets. PduError where a value breaks a limit of the standard."""
        self.check(body, first)
        return bytes((len(body[first]),)) + b"".join(
            _SME.encode(sme, 0) + sme.status.to_bytes(4, "big") for sme in body[first]
        )

    def decode(self, frame: bytes, position: int, values: list[Any]) -> int:
        """Append the values found from `position` on; where they end."""
        found: list[UnsuccessfulSme] = []
        count, position = _octet(frame, position), position + 1
        for _ in range(count):
            sme: list[Any] = []
            start = _SME.decode(frame, position, sme)
            position = start + 4
            if position > len(frame):
                raise PduError(Status.ESME_RINVCMDLEN, "the PDU ends inside unsuccess_sme")
            found.append(UnsuccessfulSme(sme[0], sme[1], sme[2], int.from_bytes(frame[start:position], "big")))
        values.append(tuple(found))
        return position


def _octet(frame: bytes, position: int) -> int:
    if position >= len(frame):
        raise PduError(Status.ESME_RINVCMDLEN, "the PDU ends inside its mandatory fields")
    return frame[position]


Octet = Annotated[int, Number()]
Tlvs = Annotated[tuple[Tlv, ...], OptionalParameters()]
ShortText = Annotated[bytes, Message()]
