"""SMPP's own words: which command_status each refusal has, which message_state each status (docs/api/smpp.md)."""

from sampan.messages.tables import Status
from sampan.reasons import Reason
from sampan.smpp.pdu import MessageState
from sampan.smpp.pdu import Status as CommandStatus

# 0x400 to 0x4FF are the SMSC's own (SMPP 3.4 §5.1.3): ours are 0x400 and the number the HTTP API has for it.
OWN = 0x400
ACCOUNT_DISABLED, NO_FOOTER, BALANCE_TOO_LOW, ILLEGAL_WORD = OWN + 3, OWN + 6, OWN + 16, OWN + 18
REFERENCE_REUSED, BAD_TEXT = OWN + 40, OWN + 41

STATUSES: dict[Reason, int] = {
    Reason.UNEXPECTED: CommandStatus.ESME_RSYSERR,
    Reason.OVERLOADED: CommandStatus.ESME_RTHROTTLED,
    Reason.ADDRESS_NOT_ALLOWED: CommandStatus.ESME_RBINDFAIL,
    Reason.BAD_CREDENTIALS: CommandStatus.ESME_RINVPASWD,
    Reason.ACCOUNT_DISABLED: ACCOUNT_DISABLED,
    Reason.BALANCE_TOO_LOW: BALANCE_TOO_LOW,
    Reason.SENDER_NOT_YOURS: CommandStatus.ESME_RINVSRCADR,
    Reason.SENDER_NOT_POSSIBLE: CommandStatus.ESME_RINVSRCADR,
    Reason.NOT_A_MOBILE: CommandStatus.ESME_RINVDSTADR,
    Reason.NO_ROUTE: CommandStatus.ESME_RINVDSTADR,
    Reason.NO_RECIPIENT: CommandStatus.ESME_RINVDSTADR,
    Reason.TOO_MANY_RECIPIENTS: CommandStatus.ESME_RINVNUMDESTS,
    Reason.NO_TEXT: CommandStatus.ESME_RINVMSGLEN,
    Reason.TOO_LONG: CommandStatus.ESME_RINVMSGLEN,
    Reason.NOT_IN_ALPHABET: BAD_TEXT,
    Reason.BAD_TEXT: BAD_TEXT,
    Reason.ILLEGAL_WORD: ILLEGAL_WORD,
    Reason.NO_FOOTER: NO_FOOTER,
    Reason.BAD_TIME: CommandStatus.ESME_RINVSCHED,
    Reason.TOO_FAR_AHEAD: CommandStatus.ESME_RINVSCHED,
    Reason.BAD_VALIDITY: CommandStatus.ESME_RINVEXPIRY,
    Reason.REFERENCE_REUSED: REFERENCE_REUSED,
    Reason.UNKNOWN_MESSAGE: CommandStatus.ESME_RINVMSGID,
}

STATES = {
    Status.DELIVERED: MessageState.DELIVERED,
    Status.EXPIRED: MessageState.EXPIRED,
    Status.UNDELIVERABLE: MessageState.UNDELIVERABLE,
    Status.UPLOAD_FAILED: MessageState.REJECTED,
}
# Ends of 21 that SMPP has a finer word for: we refused it ourselves, or it was called back.
FINER = {
    Reason.CANCELLED: MessageState.DELETED,
    **dict.fromkeys(
        (
            Reason.NOT_A_MOBILE,
            Reason.DO_NOT_CALL,
            Reason.BALANCE_TOO_LOW,
            Reason.ILLEGAL_WORD,
            Reason.BLOCKED,
            Reason.OVER_MESSAGE_LIMIT,
            Reason.NO_ROUTE,
            Reason.SENDER_NOT_POSSIBLE,
            Reason.UNSUBSCRIBED,
            Reason.SENDER_WITHDRAWN,
            Reason.TRIAL_RECIPIENT,
            Reason.NO_FOOTER,
        ),
        MessageState.REJECTED,
    ),
}


class NotServed(Exception):
    """A request that this door does not serve; the argument is its command_status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def status_of(reason: Reason) -> int:
    """The command_status of a refusal."""
    return STATUSES.get(reason, CommandStatus.ESME_RSUBMITFAIL)


def state_of(status: Status, reason: Reason, *, is_final: bool) -> MessageState:
    """The message_state of a message; a route without receipts ends in ACCEPTED, which promises nothing (spec S74)."""
    if not is_final:
        return MessageState.ENROUTE
    if status == Status.UNDELIVERABLE:
        return FINER.get(reason, MessageState.UNDELIVERABLE)
    return STATES.get(status, MessageState.ACCEPTED)


def error_of(reason: Reason) -> str:
    """`err` of a receipt: the reason as customers know it (spec S72), 000 for none."""
    return "000" if reason.shown in (None, Reason.NONE.number) else f"{reason.shown:03}"
