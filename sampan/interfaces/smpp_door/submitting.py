"""Submits become drafts and go the way of all drafts; what an ESME is told of them is committed."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sampan.accounts.customers import CustomerFacts, customers, remembered
from sampan.accounts.tables import Customer
from sampan.database import Connection, DatabaseThreads
from sampan.interfaces.smpp_door import joining
from sampan.interfaces.smpp_door.joining import Part, Whole
from sampan.interfaces.smpp_door.logins import Login
from sampan.interfaces.smpp_door.reading import ECONOMIC_SENDER, Submitted, decode, number_of, read_submit
from sampan.interfaces.smpp_door.receipts import NEVER_WHOLE, Wanted, want
from sampan.interfaces.smpp_door.words import NotServed, status_of
from sampan.messages.intake import Intake
from sampan.messages.planning import Draft
from sampan.messages.submit import Accepted
from sampan.messages.tables import Source
from sampan.reasons import Reason, Refused
from sampan.routing.directory import ECONOMIC_ROUTE
from sampan.routing.numbers import parse_international
from sampan.smpp.pdu import DataSm, SubmitMulti, SubmitMultiResp, SubmitSm
from sampan.smpp.pdu import Status as CommandStatus
from sampan.smpp.pdu.fields import SmeAddress, UnsuccessfulSme

PASSING = {Reason.OVERLOADED, Reason.UNEXPECTED}  # the same may be accepted a moment later


class Submitting:
    """From the requests of all sessions to the one intake of the process. Made on its event loop."""

    def __init__(self, intake: Intake, threads: DatabaseThreads, clock: Callable[[], datetime]) -> None:
        self._intake = intake
        self._threads = threads
        self._clock = clock
        self._wanted: list[Wanted] = []
        self._noting: asyncio.Future[None] | None = None

    async def one(self, login: Login, body: SubmitSm | DataSm) -> int:
        """The id of an accepted submit_sm or data_sm. Raises Refused."""
        now = self._clock()
        submitted = read_submit(body, now)
        destination = number_of(body.destination_addr)
        if submitted.part is not None:
            return await self._part(login, submitted, destination, now)
        text = decode(submitted.octets, submitted.data_coding)
        accepted = await self._submit(login, submitted.sender, [destination], text, times=submitted.times)
        (message_id,) = accepted.message_ids
        await self._want([_wanted(login, submitted, message_id, told_id=message_id, destination=destination, now=now)])
        return message_id

    async def many(self, login: Login, body: SubmitMulti) -> SubmitMultiResp:
        """The answer to a submit_multi; its receipts all bring its one id. Raises Refused, NotServed."""
        now = self._clock()
        submitted = read_submit(body, now)
        if submitted.part is not None:
            raise NotServed(CommandStatus.ESME_RINVESMCLASS)  # to many a long text goes as message_payload
        good, bad = _destinations(body)
        if not good:
            raise Refused(Reason.NO_RECIPIENT, "dest_address")
        text = decode(submitted.octets, submitted.data_coding)
        accepted = await self._submit(login, submitted.sender, good, text, times=submitted.times)
        first, *_ = accepted.message_ids
        await self._want(
            _wanted(login, submitted, message_id, told_id=first, destination=str(number), now=now)
            for message_id, number in zip(accepted.message_ids, good, strict=True)
        )
        return SubmitMultiResp(str(first), tuple(bad))

    async def finish(self, whole: Whole, *, told: int | None = None) -> None:
        """Submit a long text whose parts are all there. Raises Refused.

        `told` is the part that is not answered yet: where the text is refused its ESME learns it by that answer, and
        of the other parts by receipts.
        """
        now, first = self._clock(), whole.parts[0]
        try:
            accepted = await self._submit(
                whole.login,
                whole.source,
                [whole.destination],
                whole.text,
                times=(first.scheduled_at, first.validity_minutes),
                reference=whole.reference,
            )
        except Refused as refused:
            if refused.reason not in PASSING:
                others = [part for part in whole.parts if part.id != told]
                await self._threads.run(_end_parts, whole, others, reason=refused.reason, now=now)
            raise
        await self._threads.run(_end_parts, whole, whole.parts, message_id=accepted.message_ids[0], now=now)

    async def lose(self, whole: Whole) -> None:
        """The parts of this text did not all come in time."""
        await self._threads.run(_end_parts, whole, whole.parts, reason=NEVER_WHOLE, now=self._clock())

    async def _part(self, login: Login, submitted: Submitted, destination: str, now: datetime) -> int:
        """What can be told of one part alone is told of it; the rest of the whole."""
        parse_international(destination)
        customer = await self._customer(login)
        shows_its_own = customer.status != Customer.Status.TRIAL and submitted.sender != ECONOMIC_SENDER
        if shows_its_own and submitted.sender not in customer.senders:
            raise Refused(Reason.SENDER_NOT_YOURS, "sender", submitted.sender)
        id_, whole = await self._threads.run(joining.keep_part, login, submitted, destination, now)
        if whole is not None:
            await self.finish(whole, told=id_)
        return id_

    async def _submit(
        self,
        login: Login,
        sender: str,
        recipients: Sequence[str | int],
        text: str,
        *,
        times: tuple[datetime | None, int | None],
        reference: str = "",
    ) -> Accepted:
        economic = sender == ECONOMIC_SENDER
        outcome = await self._intake.submit(
            Draft(
                customer=await self._customer(login),
                person_id=login.person_id,
                source=Source.SMPP,
                recipients=recipients,
                text=text,
                sender="" if economic else sender,
                route=ECONOMIC_ROUTE if economic else "",
                scheduled_at=times[0],
                validity_minutes=times[1],
                client_reference=reference,
                all_or_nothing=len(recipients) == 1,
            )
        )
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    async def _customer(self, login: Login) -> CustomerFacts:
        """As the account is now, not as it was at the bind."""
        known = remembered(login.customer_id)
        return known if known is not None else await self._threads.run(_facts, login.customer_id)

    async def _want(self, wanted: Iterable[Wanted]) -> None:
        """Keep that receipts are wanted: in one statement for all submits that one commit of the intake accepted."""
        rows = [each for each in wanted if each.registered]
        if not rows:
            return
        if self._noting is None:
            self._noting = asyncio.ensure_future(self._note())
        self._wanted += rows
        await asyncio.shield(self._noting)

    async def _note(self) -> None:
        await asyncio.sleep(0)  # what this turn of the loop brings comes along
        self._noting, rows, self._wanted = None, self._wanted, []
        await self._threads.run(want, rows)


def _facts(conn: Connection, customer_id: int) -> CustomerFacts:
    return customers(conn, {customer_id})[customer_id]


def _wanted(
    login: Login, submitted: Submitted, message_id: int, *, told_id: int, destination: str, now: datetime
) -> Wanted:
    return Wanted(
        login.person_id,
        login.customer_id,
        message_id,
        told_id,
        None,
        submitted.registered,
        submitted.source_ton_npi,
        submitted.sender,
        destination,
        now,
    )


def _end_parts(
    conn: Connection,
    whole: Whole,
    told: Iterable[Part],
    *,
    message_id: int | None = None,
    reason: Reason | None = None,
    now: datetime,
) -> None:
    """The parts wait no more; receipts tell what becomes of those that were answered."""
    login = whole.login
    wanted = [
        Wanted(
            login.person_id,
            login.customer_id,
            message_id,
            part.id,
            reason,
            part.registered,
            part.source_ton_npi,
            whole.source,
            whole.destination,
            now,
        )
        for part in told
    ]
    with conn.transaction():
        want(conn, wanted)
        ids = [part.id for part in whole.parts]
        if message_id is None:
            joining.forget_parts(conn, ids)
        else:
            joining.note_message(conn, ids, message_id)


def _destinations(body: SubmitMulti) -> tuple[list[int], list[UnsuccessfulSme]]:
    """The mobiles among the destinations, each once; and those that are none, with why."""
    good: dict[int, None] = {}
    bad: list[UnsuccessfulSme] = []
    for address in body.dest_addresses:
        if not isinstance(address, SmeAddress):
            bad.append(UnsuccessfulSme(0, 0, "", CommandStatus.ESME_RINVDLNAME))
            continue
        try:
            good[parse_international(number_of(address.address))] = None
        except Refused as refused:
            bad.append(UnsuccessfulSme(*address, status_of(refused.reason)))
    return list(good), bad
