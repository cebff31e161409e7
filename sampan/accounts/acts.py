"""What staff may do, who of them may do it, and the log of what they did (spec S134).

A function that carries out an act of staff takes `by: Person`, and calls `record` in the transaction of its change: so
nothing is done by somebody who may not, and nothing is done without its line in the log.
"""

from datetime import datetime
from enum import Enum
from typing import Any

from django.db.models import Model

from sampan.accounts.tables import AuditEntry, Customer, Person
from sampan.reasons import Reason, Refused

SUPPORT, COMPLIANCE, FINANCE, ADMIN = Person.StaffRole
LONGEST_WHY = 500


class Act(Enum):
    """One kind of act: its name in the log, and the roles that may do it. `admin` may not do all: see the money."""

    roles: frozenset[Person.StaffRole]

    def __new__(cls, code: str, *roles: Person.StaffRole) -> "Act":
        act = object.__new__(cls)
        act._value_ = code
        act.roles = frozenset(roles)
        return act

    # The log and the staff
    READ_AUDIT = "audit.read", COMPLIANCE, ADMIN
    ADD_STAFF = "staff.add", ADMIN
    CHANGE_STAFF = "staff.change", ADMIN
    LET_STAFF_OUT = "staff.let_out", ADMIN
    RESET_STAFF_FACTOR = "staff.reset_second_factor", ADMIN
    # Customers and their people
    APPROVE_CUSTOMER = "customer.approve", SUPPORT, COMPLIANCE, ADMIN
    SEND_BACK_CUSTOMER = "customer.send_back", SUPPORT, COMPLIANCE, ADMIN
    SUSPEND_CUSTOMER = "customer.suspend", COMPLIANCE, FINANCE, ADMIN
    REOPEN_CUSTOMER = "customer.reopen", COMPLIANCE, FINANCE, ADMIN
    CLOSE_CUSTOMER = "customer.close", ADMIN
    READ_DOCUMENT = "document.read", SUPPORT, COMPLIANCE, FINANCE, ADMIN
    RESET_SECOND_FACTOR = "member.reset_second_factor", SUPPORT, ADMIN
    GRANT_SENDER = "sender.grant", COMPLIANCE, ADMIN
    SEND_BACK_SENDER = "sender.send_back", COMPLIANCE, ADMIN
    WITHDRAW_SENDER = "sender.withdraw", COMPLIANCE, ADMIN
    # What customers sent, and to whom (spec S133)
    SEE_CUSTOMERS = "customer.see", SUPPORT, COMPLIANCE, FINANCE, ADMIN
    LOOK = "customer.look", SUPPORT, COMPLIANCE
    OPEN_ABUSE_CASE = "abuse_case.open", COMPLIANCE
    CLOSE_ABUSE_CASE = "abuse_case.close", COMPLIANCE
    # Support cases (spec S137)
    ANSWER_CASE = "case.answer", SUPPORT
    CLOSE_CASE = "case.close", SUPPORT
    SEND_TEST = "case.test", SUPPORT
    KEEP_RESULTS = "results.keep", COMPLIANCE, ADMIN
    ERASE_CUSTOMER = "customer.erase", COMPLIANCE
    # Sending
    HOLD_SENDING = "sending.hold", SUPPORT, ADMIN
    RELEASE_SENDING = "sending.release", ADMIN
    DELETE_SCHEDULE = "batch.delete", SUPPORT, ADMIN
    RELEASE_SCHEDULE = "batch.release", SUPPORT, ADMIN
    RUN_OPERATOR = "operator.run", SUPPORT, ADMIN
    CHANGE_OPERATOR = "operator.change", ADMIN
    CHANGE_ROUTES = "route.change", ADMIN
    # Replies (spec S110, S112)
    SET_UP_NUMBER = "number.set_up", SUPPORT, ADMIN
    RENT_NUMBER = "number.rent", SUPPORT, ADMIN
    SET_REPLIES = "replies.set", COMPLIANCE, ADMIN
    MATCH_REPLY = "reply.match", SUPPORT
    # What no evidence settles
    SETTLE_UNKNOWN = "message.settle", SUPPORT, ADMIN
    ATTACH_RECEIPT = "receipt.attach", SUPPORT, ADMIN
    DISMISS_RECEIPT = "receipt.dismiss", SUPPORT, ADMIN
    # Money: whoever keeps the machines does not move it
    SEE_MONEY = "money.see", SUPPORT, FINANCE, ADMIN
    FILE_TOP_UP = "top_up.file", SUPPORT, FINANCE
    CREDIT_TOP_UP = "top_up.credit", FINANCE
    REFUSE_TOP_UP = "top_up.refuse", FINANCE
    REVERSE_TOP_UP = "top_up.reverse", FINANCE
    GIVE_BONUS = "money.bonus", FINANCE
    CHARGE_SERVICE = "money.service", FINANCE
    REFUND = "money.refund", FINANCE
    MOVE_MONEY = "money.move", FINANCE
    DECIDE_MONEY = "money.decide", FINANCE
    LINK_SUB_ACCOUNT = "customer.link", SUPPORT, FINANCE
    RECORD_CERTIFICATE = "certificate.record", COMPLIANCE, FINANCE
    CHANGE_PRICES = "prices.change", FINANCE
    # The law
    IMPORT_REGISTER = "register.import", COMPLIANCE, ADMIN
    SET_COMPLIANCE = "compliance.set", COMPLIANCE, ADMIN
    FIX_PURPOSE = "customer.fix_purpose", COMPLIANCE, ADMIN
    SEE_TO_CONTENT = "content_refusal.see_to", COMPLIANCE, ADMIN
    CHANGE_WORDS = "china_words.change", COMPLIANCE, ADMIN
    LIST_CHINA_NUMBER = "china_number.list", SUPPORT, COMPLIANCE, ADMIN
    DECIDE_SIGNATURE = "signature.decide", COMPLIANCE, ADMIN
    UNBLOCK_ADDRESS = "address.unblock", SUPPORT, ADMIN


# What says of itself why: a case has its words, a look its window, a document or a test the thing that it is about.
WITHOUT_GROUNDS = frozenset({Act.LOOK, Act.READ_DOCUMENT, Act.ANSWER_CASE, Act.CLOSE_CASE, Act.SEND_TEST})


class NotAllowed(Exception):
    """This person's role does not do this act."""

    def __init__(self, by: Person, act: Act) -> None:
        super().__init__(f"{by.login_name} ({by.staff_role or 'no staff'}) may not {act.value}")
        self.act = act


def may(person: Person, act: Act) -> bool:
    """Whether their role does this act."""
    return person.is_active and person.staff_role in act.roles


def require(by: Person, act: Act) -> None:
    """Raises NotAllowed where their role does not do this act: for what is refused before anything is looked at."""
    if not may(by, act):
        raise NotAllowed(by, act)


def record(
    act: Act,
    *,
    by: Person,
    subject: Model | str,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    why: str = "",
    customer_id: int | None = None,
    address: str | None = None,
) -> AuditEntry:
    """The line in the log that somebody did this, in the caller's transaction. Raises NotAllowed, Refused(NO_GROUNDS).

    `subject` is the row that was acted on, or words for what is no row. `before` and `after` hold what changed, as JSON
    has it, and no numbers of handsets, texts or secrets. The customer concerned is found by the row, where it has one.
    """
    require(by, act)
    if not why.strip() and act not in WITHOUT_GROUNDS:
        raise Refused(Reason.NO_GROUNDS, "why")
    return AuditEntry.objects.create(
        at=now,
        act=act.value,
        by=by,
        role=by.staff_role,
        subject=subject if isinstance(subject, str) else f"{subject._meta.db_table} {subject.pk}",
        customer_id=customer_id or _customer_of(subject),
        before=before or {},
        after=after or {},
        why=why[:LONGEST_WHY],
        address=address or by.acting_from,
    )


def _customer_of(subject: Model | str) -> int | None:
    if isinstance(subject, Customer):
        return subject.pk
    customer_id: int | None = getattr(subject, "customer_id", None)
    return customer_id
