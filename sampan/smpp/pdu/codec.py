"""PDUs to octets and back, by the tables in `bodies`.

What we write obeys every limit of the standard. What we read must be framed right, to the last octet; its limits are
for the reader to ask (`check_read`): a server refuses what breaks them, a client rather keeps an odd receipt than to
lose it.
"""

import struct
from collections.abc import Callable
from itertools import groupby
from typing import Any, NamedTuple, TypeVar, get_type_hints

from sampan.smpp.pdu.codes import RESPONSE, Command, Status
from sampan.smpp.pdu.fields import Number, Part, PduError, Run, Text

HEADER = struct.Struct(">IIII")  # command_length, command_id, command_status, sequence_number
HEADER_OCTETS = 16

Body = tuple[Any, ...]
BodyType = TypeVar("BodyType", bound=type[tuple[Any, ...]])


class Pdu(NamedTuple):
    """A PDU as it was read; `body` is one of the classes in `bodies`."""

    status: int
    sequence_number: int
    body: Body


class Layout:
    """How one PDU lies on the wire."""

    def __init__(self, command: Command, body_type: type[Any], body_with_error: bool) -> None:
        self.command = command
        self.body_type = body_type
        self.body_with_error = body_with_error
        self.parts = _parts(body_type)
        self._make: Callable[[list[Any]], Body] = body_type._make
        # A response may come without its body (§4.4.2: when it says an error; some peers, always).
        self._empty: Body | None = body_type() if command & RESPONSE or not self.parts else None

    def check(self, body: Body) -> None:
        """PduError where a field that was read breaks a limit of the standard."""
        for first, part in self.parts:
            part.check(body, first)

    def encode(self, body: Body) -> bytes:
        """The octets after the header. PduError where a field breaks a limit of the standard."""
        return b"".join([part.encode(body, first) for first, part in self.parts])

    def decode(self, frame: bytes) -> Body:
        """The body of a whole frame."""
        position = HEADER_OCTETS
        if self._empty is not None and len(frame) == position:
            return self._empty
        values: list[Any] = []
        for _, part in self.parts:
            position = part.decode(frame, position, values)
        if position != len(frame):
            raise PduError(Status.ESME_RINVCMDLEN, "the PDU is longer than its fields")
        return self._make(values)


LAYOUTS: dict[int, Layout] = {}
_OF_TYPE: dict[type[Any], Layout] = {}


def layout(command: Command, *, body_with_error: bool = True) -> Callable[[BodyType], BodyType]:
    """Register a class of `bodies` as the body of `command`; `body_with_error` False: none beside an error status."""

    def register(body_type: BodyType) -> BodyType:
        LAYOUTS[command] = _OF_TYPE[body_type] = Layout(command, body_type, body_with_error)
        return body_type

    return register


def _parts(body_type: type[Any]) -> list[tuple[int, Part]]:
    hints = get_type_hints(body_type, include_extras=True)
    kinds = [(name, hints[name].__metadata__[0]) for name in body_type._fields]
    parts: list[tuple[int, Part]] = []
    first = 0
    for plain, group in groupby(kinds, lambda named: isinstance(named[1], Text | Number)):
        fields = tuple(group)
        parts += [(first, Run(fields))] if plain else [(first + i, kind) for i, (_, kind) in enumerate(fields)]
        first += len(fields)
    return parts


def command_of(body: Body) -> Command:
    """The command_id of a body."""
    return _OF_TYPE[type(body)].command


def check(body: Body) -> None:
    """Raise PduError where `encode` would: a field breaks a limit of the standard."""
    _OF_TYPE[type(body)].encode(body)


def check_read(body: Body) -> None:
    """The same for a body that was decoded, whose characters and integers are octets by that: what a server asks."""
    _OF_TYPE[type(body)].check(body)


def encode(body: Body, sequence_number: int, status: int = Status.ESME_ROK) -> bytes:
    """The whole PDU. PduError where a field breaks a limit of the standard: nothing of it may go on the wire."""
    its = _OF_TYPE[type(body)]
    octets = its.encode(body) if not status or its.body_with_error else b""
    try:
        return HEADER.pack(HEADER_OCTETS + len(octets), its.command, status, sequence_number) + octets
    except struct.error as error:
        raise PduError(Status.ESME_RSYSERR, f"status {status} or sequence number {sequence_number}: {error}") from None


def decode_body(command_id: int, frame: bytes) -> Body:
    """The body of a whole frame whose header has been read. PduError, and nothing else, where it is malformed."""
    its = LAYOUTS.get(command_id)
    if its is None:
        raise PduError(Status.ESME_RINVCMDID, f"command_id {command_id:#010x} is not in SMPP 3.4")
    return its.decode(frame)


def decode(frame: bytes) -> Pdu:
    """A whole PDU. PduError, and nothing else, where it is malformed."""
    if len(frame) < HEADER_OCTETS:
        raise PduError(Status.ESME_RINVCMDLEN, f"{len(frame)} octets are no header")
    octets, command_id, status, sequence_number = HEADER.unpack_from(frame)
    if octets != len(frame):
        raise PduError(Status.ESME_RINVCMDLEN, f"command_length is {octets}, the PDU has {len(frame)} octets")
    return Pdu(status, sequence_number, decode_body(command_id, frame))


def read_message_id(frame: bytes) -> str:
    """The message_id a response begins with, read as leniently as can be: without its NUL or its body, too."""
    return frame[HEADER_OCTETS:].partition(b"\0")[0].decode("latin-1")
