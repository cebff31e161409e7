"""The simulator itself: takes submits, decides by its rules and faults what becomes of them, and answers."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from hmac import compare_digest
from random import Random
from secrets import randbits

import structlog

from sampan.smpp.concatenation import content_of
from sampan.smpp.pdu import (
    Bind,
    CancelSm,
    DataSm,
    DeliverSm,
    DistributionList,
    MessageState,
    PduError,
    QuerySm,
    QuerySmResp,
    Status,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    UnsuccessfulSme,
    encode,
)
from sampan.smpp.server import DoorSettings, Request, Server, ServerSession
from sampan.smpp.session import Answer as Acknowledgement
from sampan.smpp.session import Limits
from sampan.smpp.simulator.answers import Answer, Answers
from sampan.smpp.simulator.behaviours import Behaviour, Rules
from sampan.smpp.simulator.faults import Armed, Ending, Fault, Faults, SlowReader
from sampan.smpp.simulator.journal import Journal
from sampan.smpp.simulator.line import Line
from sampan.smpp.simulator.outbox import Account, Outbound, may_try_again
from sampan.smpp.simulator.receipts import Receipts
from sampan.smpp.simulator.settings import SimulatorSettings
from sampan.smpp.simulator.submissions import Message, content_hash, refusal, waits

MOST_AGENDA = 500_000  # answers and receipts to come; beyond, ESME_RMSGQFUL
MOST_ACCOUNTS = 1000
TRY_AGAIN_AFTER_S = 1.0
SEED_BITS = 32
LISTEN_AGAIN_TRIES = 100
LISTEN_AGAIN_EVERY_S = 0.1

log = structlog.get_logger()


class IsDown(Exception):
    """The simulator is restarting already."""


class Simulator:
    """An SMSC. `start` it, `stop` it; between, `control` may look and change. `clock`: seconds since 1970."""

    def __init__(self, settings: SimulatorSettings, clock: Callable[[], float] = time.time) -> None:
        seed = randbits(SEED_BITS) if settings.seed is None else settings.seed
        chance = Random(seed)  # noqa: S311 - makes faults, guards nothing
        self.settings = settings
        self.port = 0
        self.rules = Rules()
        self.faults = Faults(seed)
        self.journal = Journal(settings.most_recorded, clock, settings.memory)
        self.accounts: dict[str, Account] = {}
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._bound: dict[ServerSession, tuple[Line, Account]] = {}
        self._lines_before = 0
        self._receipts = Receipts(settings, self.journal, self.accounts, clock=clock, chance=chance)
        self._agenda = self._receipts.agenda
        self._answers = Answers(self.journal, self._agenda, chance)
        self._moments: list[asyncio.TimerHandle] = []
        self._coming_up: asyncio.Task[None] | None = None
        limits = Limits(
            window=settings.receipt_window,
            most_requests=settings.window,
            response_timeout_s=settings.response_timeout_s,
            enquire_link_s=settings.enquire_link_s,
        )
        self._server = Server(self, DoorSettings(system_id=settings.system_id, limits=limits), Line)

    async def start(self) -> None:
        """Listen; `port` says where. OSError where the port is taken."""
        self.port = await self._server.start(self.settings.host, self.settings.port)

    async def stop(self, timeout_s: float = 5.0) -> None:
        """Unbind everybody, within the time-out, and listen no more."""
        if self._coming_up is not None:
            self._coming_up.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._coming_up
        self.set_faults(())
        self._agenda.clear()
        await self._server.stop(timeout_s)
        self.journal.close()

    def restart(self, down_s: float, *, keep_receipts: bool = True) -> int:
        """End all sessions without a word, and listen again after `down_s`; how many sessions there were.

        Rules, faults, record and figures stay, and no id is given twice. Without `keep_receipts` messages on their way
        come no further and receipts that wait are forgotten. IsDown where it has not come up from the last time.
        """
        if self.is_down:
            raise IsDown
        ended = len(self._bound)
        self._coming_up = self._loop.create_task(self._come_up(down_s, keep_receipts=keep_receipts))
        self.journal.stats.restarts += 1
        return ended

    @property
    def is_down(self) -> bool:
        """Whether it is restarting."""
        return self._coming_up is not None and not self._coming_up.done()

    @property
    def sessions(self) -> int:
        """Sessions that are bound."""
        return len(self._bound)

    @property
    def lines(self) -> list[Line]:
        """These sessions, oldest first."""
        return [line for line, _ in self._bound.values()]

    @property
    def to_come(self) -> int:
        """Answers, turns of messages and receipts that are still to come."""
        return len(self._agenda)

    def reset(self) -> None:
        """As new, but for the sessions: no rules, no faults, no record, nothing on its way."""
        self.rules = Rules()
        self.set_faults(())
        self.journal.clear()
        self._receipts.forget()

    def set_faults(self, faults: Sequence[Fault], seed: int | None = None) -> None:
        """These faults and no others; what those before did to sessions that still stand is undone."""
        for moment in self._moments:
            moment.cancel()
        for line in self.lines:
            line.recover()
        now = self._loop.time()
        armed = self.faults.set(faults, now=now, seed=seed)
        self._moments = [
            self._loop.call_at(each.begins_at, self._strike, each, each.fault)
            for each in armed
            if isinstance(each.fault, Ending) and each.fault.at_a_moment
        ]
        self._moments += [
            self._loop.call_at(each.ends_at, self._speed_up, each)
            for each in armed
            if isinstance(each.fault, SlowReader) and each.ends_at is not None
        ]

    def reply(self, account: Account, parts: Iterable[DeliverSm]) -> None:
        """Hand a handset's message to whoever is bound with this account, or keep it for them."""
        for body in parts:
            self._receipts.put(account.outbox, Outbound(body, is_receipt=False))
        self._receipts.pump()

    # What the server calls.

    async def authenticate(self, _: ServerSession, bind: Bind) -> int:
        """ESME_ROK for a system_id that may bind, with its password."""
        status = self._let_in(bind) or self.faults.at_bind(bind.system_id, now=self._loop.time())
        if status:
            self.journal.stats.binds_refused += 1
        return status

    def on_bound(self, session: ServerSession) -> None:
        """A session may submit, be delivered to, or both."""
        assert isinstance(session, Line)
        self.journal.stats.binds += 1
        self._lines_before += 1
        session.number = self._lines_before
        account = self.accounts.setdefault(session.system_id, Account(len(self.accounts), session.system_id))
        self._bound[session] = session, account
        if session.state.may_deliver:
            account.outbox.open(session)
            self._receipts.pump_soon(account.outbox)
            self._receipts.pump()

    def on_requests(self, session: ServerSession, asked: list[Request]) -> None:
        """Take, refuse, ask after, call back."""
        (line, account), now = self._bound[session], self._clock()
        answers: list[Answer] = []
        for number, body, octets in asked:
            if isinstance(body, SubmitSm):
                behaviour = self.rules.find(body.destination_addr)
                if self.faults.in_force:
                    self._answers.give_right(line, answers)  # they were before whatever happens now
                    answers = []
                    behaviour = self._troubled(line, behaviour)
                    if line.is_gone:
                        return  # this, and what stands behind it, was never read
                message_id, status = self._submit(line, account, body, octets, behaviour=behaviour, now=now)
                answer: Answer = (number, status, str(message_id) if not status else "")
                if behaviour.answer_form == "right" and behaviour.answer_after_s == 0 and not line.withholds:
                    answers.append(answer)
                else:
                    self._answers.give_right(line, answers)
                    answers = []
                    self._answers.give(line, behaviour.unscaled(self.settings.time_scale), answer)
                    if line.is_gone:
                        return
            elif isinstance(body, QuerySm | SubmitMulti):
                self._answer_with_body(line, account, number, body, now)
            else:
                answers.append((number, *self._answer_without_body(line, account, body, now)))
        self._answers.give_right(line, answers)

    def on_answers(self, session: ServerSession, answers: list[Acknowledgement]) -> None:
        """Deliveries were acknowledged, or refused."""
        (_, account), stats = self._bound[session], self.journal.stats
        for delivery, status, _ in answers:
            if status:
                stats.deliveries_refused += 1
                if may_try_again(delivery, status):
                    self._agenda.after(TRY_AGAIN_AFTER_S, self._receipts.put, account.outbox, delivery)
            elif delivery.is_receipt:
                stats.receipts_acknowledged += 1
            else:
                stats.replies_acknowledged += 1
        self._receipts.pump_soon(account.outbox)
        self._receipts.pump()

    def on_expired(self, session: ServerSession, tokens: list[Outbound]) -> None:
        """Deliveries had no answer in time: they go out again."""
        _, account = self._bound[session]
        for delivery in tokens:
            if may_try_again(delivery, Status.ESME_RX_T_APPN):
                self._receipts.put(account.outbox, delivery)
        self._receipts.pump()

    def on_closed(self, session: ServerSession, _: str, undelivered: list[Outbound]) -> None:
        """A session is gone; what it did not acknowledge goes to the next."""
        account = self._bound.pop(session)[1]
        account.outbox.close(session, undelivered)
        self.journal.stats.throttled += session.counts.beyond_window
        self._receipts.pump_soon(account.outbox)
        self._receipts.pump()

    # Faults.

    def _troubled(self, line: Line, behaviour: Behaviour) -> Behaviour:
        """What the faults a submit meets make of its behaviour; what they do to its session is done."""
        behaviour = behaviour.unscaled(self.settings.time_scale)
        for armed in self.faults.at_submit(line.system_id, line.number, now=self._loop.time()):
            fault = armed.fault
            if isinstance(fault, Ending):
                line.leave(fault)
            elif isinstance(fault, SlowReader):
                line.read_slowly(fault.octets_per_s)
            else:
                behaviour = fault.change(behaviour, armed.chance)
        return behaviour

    def _strike(self, armed: Armed, ending: Ending) -> None:
        """The moment of this ending has come."""
        now = max(self._loop.time(), armed.begins_at)
        for line in self.lines:
            if armed.is_meant_for(line.system_id, line.number) and armed.happens(now):
                line.leave(ending)
        armed.end(now)

    def _speed_up(self, armed: Armed) -> None:
        for line in self.lines:
            if armed.is_meant_for(line.system_id, line.number):
                line.read_freely()

    async def _come_up(self, down_s: float, *, keep_receipts: bool) -> None:
        await self._server.crash()
        if not keep_receipts:
            self.journal.stats.receipts_forgotten += self._receipts.forget()
        await asyncio.sleep(down_s)
        for _ in range(LISTEN_AGAIN_TRIES):
            try:
                await self._server.start(self.settings.host, self.port)
                return
            except OSError as error:
                log.warning("simulator.restart", error=str(error))
                await asyncio.sleep(LISTEN_AGAIN_EVERY_S)
        log.error("simulator.restart.given_up", port=self.port)

    # Requests.

    def _let_in(self, bind: Bind) -> int:
        passwords = self.settings.accounts
        if passwords is not None and bind.system_id not in passwords:
            return Status.ESME_RINVSYSID
        if passwords is not None and not compare_digest(passwords[bind.system_id].encode(), bind.password.encode()):
            return Status.ESME_RINVPASWD
        if bind.system_id not in self.accounts and len(self.accounts) >= MOST_ACCOUNTS:
            return Status.ESME_RBINDFAIL
        return Status.ESME_ROK

    def _submit(
        self, line: Line, account: Account, body: SubmitSm, octets: bytes, *, behaviour: Behaviour, now: float
    ) -> tuple[int, int]:
        """Take one part or refuse it: its id, and the command_status to answer."""
        content = content_of(body)
        key = content_hash(body, content)
        status: int = refusal(body, content) or behaviour.status
        begins_s, validity_s = 0.0, 0.0
        if not status:
            try:
                begins_s, validity_s = waits(body, now)
            except ValueError:
                status = Status.ESME_RINVSCHED if body.schedule_delivery_time else Status.ESME_RINVEXPIRY
        if not status and behaviour.refuse_first:
            tries = self.journal.tried(key)
            status = behaviour.refuse_first[tries] if tries < len(behaviour.refuse_first) else Status.ESME_ROK
        if not status and len(self._agenda) >= MOST_AGENDA:
            status = Status.ESME_RMSGQFUL
        number, message_id = self.journal.write(
            octets, now=now, account=account.index, behaviour=behaviour, status=status, key=key
        )
        if not status:
            self._receipts.plan(Message(number, message_id, body, line, now, validity_s), behaviour, begins_s)
        return message_id, status

    def _answer_without_body(self, line: Line, account: Account, body: object, now: float) -> tuple[int, str]:
        """The command_status and message_id to answer data_sm, cancel_sm or replace_sm with."""
        if isinstance(body, DataSm):
            submit = SubmitSm(
                *body[:8],
                registered_delivery=body.registered_delivery,
                data_coding=body.data_coding,
                tlvs=body.tlvs,
            )
            try:
                octets = encode(submit, 1)
            except PduError as error:
                return error.status, ""
            behaviour = self.rules.find(submit.destination_addr)
            message_id, status = self._submit(line, account, submit, octets, behaviour=behaviour, now=now)
            return status, "" if status else str(message_id)
        if isinstance(body, CancelSm):
            entry = self.journal.find(account.index, body.message_id, body.source_addr)
            if entry is None or entry.state != MessageState.ENROUTE:
                return Status.ESME_RCANCELFAIL, ""
            self._receipts.cancel(entry.number)
            return Status.ESME_ROK, ""
        return Status.ESME_RREPLACEFAIL, ""

    def _answer_with_body(
        self, line: Line, account: Account, number: int, body: QuerySm | SubmitMulti, now: float
    ) -> None:
        if isinstance(body, SubmitMulti):
            line.respond_with(number, self._submit_many(line, account, body, now))
            return
        entry = self.journal.find(account.index, body.message_id, body.source_addr)
        if entry is None:
            line.respond_with(number, QuerySmResp(), Status.ESME_RQUERYFAIL)
        else:
            line.respond_with(number, QuerySmResp(body.message_id, "", entry.state))

    def _submit_many(self, line: Line, account: Account, body: SubmitMulti, now: float) -> SubmitMultiResp:
        """One part for each destination, taken at once; the answer's id is that of the first."""
        first_id = ""
        unsuccessful: list[UnsuccessfulSme] = []
        for to in body.dest_addresses:
            if isinstance(to, DistributionList):
                unsuccessful.append(UnsuccessfulSme(0, 0, to.name, Status.ESME_RINVDLNAME))
                continue
            submit = SubmitSm._make((*body[:4], *to, *body[5:]))
            behaviour = self.rules.find(submit.destination_addr)
            message_id, status = self._submit(line, account, submit, encode(submit, 1), behaviour=behaviour, now=now)
            if status:
                unsuccessful.append(UnsuccessfulSme(*to, status))
            else:
                first_id = first_id or str(message_id)
        return SubmitMultiResp(first_id, tuple(unsuccessful))
