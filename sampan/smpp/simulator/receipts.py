"""What becomes of messages that were taken, and the receipts that say so."""

from collections.abc import Callable, Mapping
from random import Random

from sampan.smpp.pdu import Command, MessageState
from sampan.smpp.receipt import STATES
from sampan.smpp.simulator.agenda import Agenda
from sampan.smpp.simulator.answers import garbled
from sampan.smpp.simulator.behaviours import Behaviour, Step
from sampan.smpp.simulator.journal import Journal
from sampan.smpp.simulator.outbox import Account, Outbound, Outbox
from sampan.smpp.simulator.settings import SimulatorSettings
from sampan.smpp.simulator.submissions import Message, receipt_pdu, wants_receipt


class Receipts:
    """Leads each message through the steps of its behaviour, and writes what its account is to be told."""

    def __init__(
        self,
        settings: SimulatorSettings,
        journal: Journal,
        accounts: Mapping[str, Account],
        *,
        clock: Callable[[], float],
        chance: Random,
    ) -> None:
        self.agenda = Agenda(self.pump)
        self._settings = settings
        self._journal = journal
        self._accounts = accounts
        self._clock = clock
        self._chance = chance
        self._to_pump: dict[Outbox, None] = {}
        self._cancelled: set[int] = set()

    def plan(self, message: Message, behaviour: Behaviour, begins_s: float) -> None:
        """Each step in its time; `begins_s`: how long until it may be delivered."""
        scale = self._settings.time_scale
        for step in behaviour.unscaled(scale).steps:
            wait_s = message.validity_s / scale if step.at_expiry else step.after_s
            self.agenda.after(begins_s / scale + wait_s, self._turn, message, step)

    def cancel(self, number: int) -> None:
        """This message goes no further."""
        self._cancelled.add(number)
        self._journal.record.set_state(number, MessageState.DELETED)

    def put(self, outbox: Outbox, delivery: Outbound) -> None:
        """Send this, at the next pump."""
        outbox.put(delivery)
        self._to_pump[outbox] = None

    def pump_soon(self, outbox: Outbox) -> None:
        """There may be something to write, or room for it."""
        self._to_pump[outbox] = None

    def pump(self) -> None:
        """Write what the sessions have room for."""
        for outbox in self._to_pump:
            receipts, replies = outbox.pump()
            self._journal.stats.receipts += receipts
            self._journal.stats.replies += replies
        self._to_pump.clear()

    def forget(self) -> int:
        """Nothing is on its way any more, neither messages nor what waits to be written; how much waited."""
        self.agenda.clear()
        self._cancelled.clear()
        return sum(account.outbox.clear() for account in self._accounts.values())

    def _turn(self, message: Message, step: Step) -> None:
        if message.number in self._cancelled:
            return
        state = STATES[step.state]
        if not step.receipt_only:
            self._journal.record.set_state(message.number, state)
        if step.silent or not wants_receipt(message.body.registered_delivery, state):
            return
        if step.receipt_after_s:
            self.agenda.after(step.receipt_after_s, self._tell, message, step, state, self._clock())
        else:
            self._tell(message, step, state, self._clock())

    def _tell(self, message: Message, step: Step, state: MessageState, now: float) -> None:
        if step.garbled:
            self._tell_garbage(message)
            return
        settings, session = self._settings, message.session
        body = receipt_pdu(message, step, state, now, text=settings.text_receipts, tlvs=settings.tlv_receipts)
        outbox = self._accounts[session.system_id].outbox
        for _ in range(step.copies):
            outbox.put(Outbound(body, is_receipt=True), session, elsewhere=step.elsewhere)
        self._journal.stats.receipts_due += step.copies
        self._to_pump[outbox] = None

    def _tell_garbage(self, message: Message) -> None:
        line = message.session
        if line.state.may_deliver and not line.is_gone:
            (number,) = line.sequence_numbers(1)
            line.write_octets(garbled(Command.DELIVER_SM, number, self._chance))
