"""Replies as deliver_sm, to whoever of the customer is bound and takes deliveries (spec S111, S124)."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from sampan.composing.alphabet import encode_gsm, is_gsm
from sampan.database import Connection, DatabaseThreads
from sampan.inbound import esmes
from sampan.inbound.esmes import Untold
from sampan.smpp.pdu import DataCoding, DeliverSm, Npi, Tag, Ton
from sampan.smpp.server import ServerSession
from sampan.smpp.session import SessionClosed

MOST_AT_ONCE = 500  # of a login's, or a customer's
MOST_SHORT_OCTETS = 254  # of short_message (§5.2.22); more goes as message_payload
REFUSED_AGAIN_AFTER = timedelta(seconds=60)

Receivers = Callable[[], Mapping[int, list[ServerSession]]]


def rooms_of(receivers: Mapping[int, list[ServerSession]]) -> dict[int, int]:
    """How many deliveries each takes now; who takes none is not among them."""
    rooms = {key: sum(session.room for session in sessions) for key, sessions in receivers.items()}
    return {key: min(room, MOST_AT_ONCE) for key, room in rooms.items() if room > 0}


class TellingReplies:
    """The replies of all customers who are bound; `receivers` gives their sessions by customer."""

    def __init__(self, threads: DatabaseThreads, clock: Callable[[], datetime], receivers: Receivers) -> None:
        self._threads = threads
        self._clock = clock
        self._receivers = receivers
        self._done: list[int] = []
        self._refused: list[int] = []
        self._undelivered: list[int] = []

    def answered(self, reply: Untold, status: int) -> None:
        """A session acknowledged it, or does not want it now."""
        (self._refused if status else self._done).append(reply.id)

    def undelivered(self, replies: Iterable[Untold]) -> None:
        """These had no answer."""
        self._undelivered += [reply.id for reply in replies]

    async def note(self) -> None:
        """Write down what was answered."""
        if self._done or self._refused or self._undelivered:
            lists = self._done, self._refused, self._undelivered
            self._done, self._refused, self._undelivered = [], [], []
            await self._threads.run(_note, *lists, now=self._clock())

    async def tell(self) -> bool:
        """Hand over what waits, as far as the sessions' windows go; whether there may be more at once."""
        receivers = self._receivers()
        rooms = rooms_of(receivers)
        if not rooms:
            return False
        untold = await self._threads.run(esmes.take_untold, rooms, self._clock())
        for reply in untold:
            self._deliver(receivers[reply.customer_id], reply)
        return len(untold) == sum(rooms.values())

    def _deliver(self, sessions: Iterable[ServerSession], reply: Untold) -> None:
        for session in sessions:
            if session.room:
                try:
                    return session.deliver([(reply, deliver_sm(reply))])
                except SessionClosed:
                    continue
        return self.undelivered([reply])


def deliver_sm(reply: Untold) -> DeliverSm:
    """The reply as an ESME gets it: GSM where that carries it, else UCS-2; whole, however long."""
    coding, octets = DataCoding.UCS2, reply.text.encode("utf-16-be")
    if is_gsm(reply.text):
        coding, octets = DataCoding.SMSC_DEFAULT, encode_gsm(reply.text)
    is_long = len(octets) > MOST_SHORT_OCTETS
    ton, npi = _kind(reply.handset)
    dest_ton, dest_npi = _kind(reply.number)
    return DeliverSm(
        source_addr_ton=ton,
        source_addr_npi=npi,
        source_addr=reply.handset,
        dest_addr_ton=dest_ton,
        dest_addr_npi=dest_npi,
        destination_addr=reply.number,
        data_coding=coding,
        short_message=b"" if is_long else octets,
        tlvs=((Tag.MESSAGE_PAYLOAD, octets),) if is_long else (),
    )


def _kind(address: str) -> tuple[int, int]:
    return (Ton.INTERNATIONAL, Npi.ISDN) if address.isdigit() else (Ton.ALPHANUMERIC, Npi.UNKNOWN)


def _note(conn: Connection, done: list[int], refused: list[int], undelivered: list[int], *, now: datetime) -> None:
    with conn.transaction():
        esmes.told(conn, done)
        esmes.give_back(conn, refused, now + REFUSED_AGAIN_AFTER)
        esmes.give_back(conn, undelivered, now)
