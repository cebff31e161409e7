"""A stream of octets cut into PDUs (SMPP 3.4 §2.6). It holds one unfinished PDU at most, none beyond its limit."""

from sampan.smpp.pdu import HEADER, HEADER_OCTETS

# message_payload may have 65,535 octets; the rest of a PDU, with some TLVs, fits in what is left.
MOST_PDU_OCTETS = 70 * 1024

Frame = tuple[int, int, int, bytes]  # command_id, command_status, sequence_number, the whole PDU with its header


class Framer:
    """Cuts a stream as it comes in."""

    def __init__(self, most_octets: int = MOST_PDU_OCTETS) -> None:
        self._most_octets = most_octets
        self._rest = b""
        # The sequence number beside a command_length no PDU can have. From there on the stream cannot be cut.
        self.broken_at: int | None = None

    def feed(self, octets: bytes) -> list[Frame]:
        """The PDUs these octets complete, in order. After a broken one (`broken_at`) there are no more."""
        if self.broken_at is not None:
            return []
        stream = self._rest + octets if self._rest else octets
        position, end, most = 0, len(stream), self._most_octets
        frames: list[Frame] = []
        while end - position >= HEADER_OCTETS:
            length, command_id, status, number = HEADER.unpack_from(stream, position)
            if not HEADER_OCTETS <= length <= most:
                self.broken_at, self._rest = number, b""
                return frames
            if end - position < length:
                break
            frames.append((command_id, status, number, stream[position : position + length]))
            position += length
        self._rest = stream[position:]
        return frames
