"""The simulator itself: takes submits, decides by its rules what becomes of them, and says so in receipts."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest

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
from sampan.smpp.receipt import STATES
from sampan.smpp.server import DoorSettings, Request, Server, ServerSession
from sampan.smpp.session import Answer, Limits
from sampan.smpp.simulator.agenda import Agenda
from sampan.smpp.simulator.behaviours import Behaviour, Rules, Step
from sampan.smpp.simulator.journal import Journal
from sampan.smpp.simulator.outbox import Outbound, Outbox, may_try_again
from sampan.smpp.simulator.submissions import Message, content_hash, receipt_pdu, refusal, waits, wants_receipt

MOST_AGENDA = 500_000  # answers and receipts to come; beyond, ESME_RMSGQFUL
MOST_ACCOUNTS = 1000
TRY_AGAIN_AFTER_S = 1.0


@dataclass(frozen=True, kw_only=True)
class SimulatorSettings:
    """How a simulator is set up. `accounts`: system_id to password; None: whoever comes may bind.

    `window`: submits of a session without an answer; beyond, ESME_RTHROTTLED. `receipt_window`: deliveries of ours.
    """

    host: str = "127.0.0.1"
    port: int = 2775
    accounts: Mapping[str, str] | None = None
    system_id: str = "sampan-smsc"
    window: int = 1000
    receipt_window: int = 500
    time_scale: float = 1.0
    text_receipts: bool = True
    tlv_receipts: bool = True
    response_timeout_s: float = 30.0
    enquire_link_s: float | None = 30.0
    most_recorded: int = 1_000_000


@dataclass(eq=False)
class Account:
    """A system_id that has been let in, and what is on its way to it."""

    index: int
    system_id: str
    outbox: Outbox = field(default_factory=Outbox)


class Simulator:
    """An SMSC. `start` it, `stop` it; between, `control` may look and change. `clock`: seconds since 1970."""

    def __init__(self, settings: SimulatorSettings, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.port = 0
        self.rules = Rules()
        self.journal = Journal(settings.most_recorded, clock)
        self.accounts: dict[str, Account] = {}
        self._clock = clock
        self._account_of: dict[ServerSession, Account] = {}
        self._agenda = Agenda(self._pump)
        self._to_pump: dict[Outbox, None] = {}
        self._cancelled: set[int] = set()
        limits = Limits(
            window=settings.receipt_window,
            most_requests=settings.window,
            response_timeout_s=settings.response_timeout_s,
            enquire_link_s=settings.enquire_link_s,
        )
        self._server = Server(self, DoorSettings(system_id=settings.system_id, limits=limits))

    async def start(self) -> None:
        """Listen; `port` says where. OSError where the port is taken."""
        self.port = await self._server.start(self.settings.host, self.settings.port)

    async def stop(self, timeout_s: float = 5.0) -> None:
        """Unbind everybody, within the time-out, and listen no more."""
        self._agenda.clear()
        await self._server.stop(timeout_s)

    @property
    def sessions(self) -> int:
        """Sessions that are bound."""
        return len(self._account_of)

    def reset(self) -> None:
        """As new, but for the sessions: no rules, no record, nothing on its way."""
        self.rules = Rules()
        self.journal.clear()
        self._agenda.clear()
        self._cancelled.clear()
        for account in self.accounts.values():
            account.outbox.clear()

    def reply(self, account: Account, parts: Iterable[DeliverSm]) -> None:
        """Hand a handset's message to whoever is bound with this account, or keep it for them."""
        for body in parts:
            account.outbox.put(Outbound(body, is_receipt=False))
        self._pump_soon(account.outbox)
        self._pump()

    # What the server calls.

    async def authenticate(self, _: ServerSession, bind: Bind) -> int:
        """ESME_ROK for a system_id that may bind, with its password."""
        status = self._let_in(bind)
        if status:
            self.journal.stats.binds_refused += 1
        return status

    def on_bound(self, session: ServerSession) -> None:
        """A session may submit, be delivered to, or both."""
        self.journal.stats.binds += 1
        account = self.accounts.setdefault(session.system_id, Account(len(self.accounts), session.system_id))
        self._account_of[session] = account
        if session.state.may_deliver:
            account.outbox.open(session)
            self._pump_soon(account.outbox)
            self._pump()

    def on_requests(self, session: ServerSession, asked: list[Request]) -> None:
        """Take, refuse, ask after, call back."""
        account, now = self._account_of[session], self._clock()
        answers: list[tuple[int, int, str]] = []
        for number, body, octets in asked:
            if isinstance(body, SubmitSm):
                message_id, behaviour, status = self._submit(session, account, body, octets, now)
                answer = (number, status, str(message_id) if not status else "")
                if behaviour.answer_after_s == 0 or status:
                    answers.append(answer)
                elif behaviour.answer_after_s is not None:
                    self._agenda.after(behaviour.answer_after_s / self._scale(behaviour), session.respond, [answer])
            elif isinstance(body, QuerySm | SubmitMulti):
                self._answer_with_body(session, account, number, body, now)
            else:
                answers.append((number, *self._answer(session, account, body, now)))
        session.respond(answers)

    def on_answers(self, session: ServerSession, answers: list[Answer]) -> None:
        """Deliveries were acknowledged, or refused."""
        outbox, stats = self._account_of[session].outbox, self.journal.stats
        for delivery, status, _ in answers:
            if status:
                stats.deliveries_refused += 1
                if may_try_again(delivery, status):
                    self._agenda.after(TRY_AGAIN_AFTER_S, self._put_again, outbox, delivery)
            elif delivery.is_receipt:
                stats.receipts_acknowledged += 1
            else:
                stats.replies_acknowledged += 1
        self._pump_soon(outbox)
        self._pump()

    def on_expired(self, session: ServerSession, tokens: list[Outbound]) -> None:
        """Deliveries had no answer in time: they go out again."""
        for delivery in tokens:
            if may_try_again(delivery, Status.ESME_RX_T_APPN):
                self._put_again(self._account_of[session].outbox, delivery)
        self._pump()

    def on_closed(self, session: ServerSession, _: str, undelivered: list[Outbound]) -> None:
        """A session is gone; what it did not acknowledge goes to the next."""
        account = self._account_of.pop(session)
        account.outbox.close(session, undelivered)
        self.journal.stats.throttled += session.counts.beyond_window
        self._pump_soon(account.outbox)
        self._pump()

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
        self, session: ServerSession, account: Account, body: SubmitSm, octets: bytes, now: float
    ) -> tuple[int, Behaviour, int]:
        """Take one part or refuse it: its id, the behaviour it met, the command_status to answer."""
        content = content_of(body)
        key = content_hash(body, content)
        behaviour = self.rules.find(body.destination_addr)
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
            self._plan(Message(number, message_id, body, session, now, validity_s), behaviour, begins_s)
        return message_id, behaviour, status

    def _answer(self, session: ServerSession, account: Account, body: object, now: float) -> tuple[int, str]:
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
            message_id, _, status = self._submit(session, account, submit, octets, now)
            return status, "" if status else str(message_id)
        if isinstance(body, CancelSm):
            entry = self.journal.find(account.index, body.message_id, body.source_addr)
            if entry is None or entry.state != MessageState.ENROUTE:
                return Status.ESME_RCANCELFAIL, ""
            self._cancelled.add(entry.number)
            self.journal.record.set_state(entry.number, MessageState.DELETED)
            return Status.ESME_ROK, ""
        return Status.ESME_RREPLACEFAIL, ""

    def _answer_with_body(
        self, session: ServerSession, account: Account, number: int, body: QuerySm | SubmitMulti, now: float
    ) -> None:
        if isinstance(body, SubmitMulti):
            session.respond_with(number, self._submit_many(session, account, body, now))
            return
        entry = self.journal.find(account.index, body.message_id, body.source_addr)
        if entry is None:
            session.respond_with(number, QuerySmResp(), Status.ESME_RQUERYFAIL)
        else:
            session.respond_with(number, QuerySmResp(body.message_id, "", entry.state))

    def _submit_many(self, session: ServerSession, account: Account, body: SubmitMulti, now: float) -> SubmitMultiResp:
        """One part for each destination, taken at once; the answer's id is that of the first."""
        first_id = ""
        unsuccessful: list[UnsuccessfulSme] = []
        for to in body.dest_addresses:
            if isinstance(to, DistributionList):
                unsuccessful.append(UnsuccessfulSme(0, 0, to.name, Status.ESME_RINVDLNAME))
                continue
            submit = SubmitSm._make((*body[:4], *to, *body[5:]))
            message_id, _, status = self._submit(session, account, submit, encode(submit, 1), now)
            if status:
                unsuccessful.append(UnsuccessfulSme(*to, status))
            else:
                first_id = first_id or str(message_id)
        return SubmitMultiResp(first_id, tuple(unsuccessful))

    # What comes after.

    def _scale(self, behaviour: Behaviour) -> float:
        return self.settings.time_scale if behaviour.scaled else 1.0

    def _plan(self, message: Message, behaviour: Behaviour, begins_s: float) -> None:
        hours_scale = self.settings.time_scale
        for step in behaviour.steps:
            wait_s = message.validity_s / hours_scale if step.at_expiry else step.after_s / self._scale(behaviour)
            self._agenda.after(begins_s / hours_scale + wait_s, self._turn, message, step)

    def _turn(self, message: Message, step: Step) -> None:
        if message.number in self._cancelled:
            return
        state = STATES[step.state]
        self.journal.record.set_state(message.number, state)
        if step.silent or not wants_receipt(message.body.registered_delivery, state):
            return
        settings = self.settings
        body = receipt_pdu(message, step, state, self._clock(), text=settings.text_receipts, tlvs=settings.tlv_receipts)
        outbox = self.accounts[message.session.system_id].outbox
        outbox.put(Outbound(body, is_receipt=True), message.session)
        self._pump_soon(outbox)

    def _put_again(self, outbox: Outbox, delivery: Outbound) -> None:
        outbox.put(delivery)
        self._pump_soon(outbox)

    def _pump_soon(self, outbox: Outbox) -> None:
        self._to_pump[outbox] = None

    def _pump(self) -> None:
        for outbox in self._to_pump:
            receipts, replies = outbox.pump()
            self.journal.stats.receipts += receipts
            self.journal.stats.replies += replies
        self._to_pump.clear()
