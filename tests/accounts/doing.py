"""Every act of staff as it is really done: by the function that the console's page calls, on a platform with all of it.

`test_acts.py` has each role do each of them.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypedDict

from sampan.accounts import applications, blocking, members, senders, staff_people
from sampan.accounts.acts import Act, NotAllowed
from sampan.accounts.privacy import windows
from sampan.accounts.tables import Application, Customer, Document, Person, SenderId, SenderRequest
from sampan.billing import charities, entries, groups, tiers, top_ups
from sampan.billing.money import pips_of
from sampan.billing.tables import StaffEntry, TopUp
from sampan.compliance import china_numbers, purposes, settings, signatures, words
from sampan.compliance.register import import_register
from sampan.compliance.tables import ChinaNumber, ChinaSignature, RegisterImport
from sampan.database import Connection
from sampan.dispatch import doubts, operating
from sampan.dispatch.tables import InboxReceipt
from sampan.inbound import numbers, unmatched
from sampan.inbound import settings as reply_settings
from sampan.inbound.tables import RentedNumber, Reply
from sampan.messages import batches, holding
from sampan.messages.cases import desk
from sampan.messages.cases.tables import SupportCase
from sampan.messages.content_refusals import noting
from sampan.messages.content_refusals.tables import ContentRefusal
from sampan.messages.platform import make_platform_account
from sampan.messages.retention import own
from sampan.messages.schedule import STALE_AFTER, start_one
from sampan.reasons import Reason
from sampan.routing.tables import Operator, Route
from sampan.settings import PLATFORM_SENDER
from sampan.webhooks import sender_ids
from tests.billing.money import credited, entered, filed
from tests.dispatch.test_unknown import in_doubt, receipt
from tests.inbound.renting import SHARED, make_number, make_rental, take, write
from tests.interfaces.portal.pages import signed_in
from tests.uploads.papers import PDF
from tests.world import NOW, make_customer, make_staff, send, terms

GROUNDS = "the tests' grounds"
FORBIDDEN = 403
STRANGER = "8.8.8.8"
ANOTHER = 85261234568


@dataclass(frozen=True)
class Scene:
    """A platform on which each act has something to be done to. Made once; what is done to it is rolled back."""

    conn: Connection
    harbour: Customer
    grower: Customer  # on trial, with its registration filed
    gone: Customer  # closed
    suspended: Customer  # with an abuse case open
    branch: Customer  # a sub account of Harbour
    pat: Person  # of our own people, whom administrators change
    in_doubt: int  # a message
    taken: int  # another
    scheduled: int  # a batch
    late: int  # another, that is held
    credited: TopUp
    filed: TopUp
    waiting: StaffEntry


def set_the_scene(conn: Connection) -> Scene:
    """Everything that waits for staff, once."""
    owner, harbour, (doubtful,) = in_doubt(conn)
    make_platform_account(NOW)
    operator = Operator.objects.get()
    fanny = make_staff("fanny", role=Person.StaffRole.FINANCE)
    grower = make_customer("grower", name="Grower", status=Customer.Status.TRIAL, senders=())
    Customer.objects.filter(pk=grower.pk).update(verified_mobile=ANOTHER)
    applications.apply(grower.members.get(), PDF, file_name="br.pdf", registration_number="39120447", now=NOW)
    taken, refused = send(conn, harbour, [ANOTHER, ANOTHER + 1]).message_ids
    owner.hand_over(harbour)
    owner.taken(taken, ref="r1")
    owner.refused(refused, reason=Reason.ILLEGAL_WORD)
    desk.open_case(taken, "The phone is on", by=harbour.members.get(), now=NOW)
    receipt(owner, operator_ref="0A3F")
    InboxReceipt.objects.update(tries=4)
    scheduled = send(conn, harbour, scheduled_at=NOW + timedelta(minutes=30)).batch_id
    late = send(conn, harbour, scheduled_at=NOW + timedelta(minutes=1)).batch_id
    start_one(conn, terms(conn), NOW + timedelta(minutes=2) + STALE_AFTER)
    make_rental(make_number(operator, SHARED, is_shared=True), harbour, keyword="flowers")
    write(conn, operator, "roses", to=SHARED)
    take()
    senders.request_name(
        harbour.members.get(),
        "HarbourVIP",
        grounds=senders.Grounds.REGISTRATION,
        octets=PDF,
        file_name="br.pdf",
        now=NOW,
    )
    signatures.request_signature(harbour, "海港花店", grounds="the shop", by=harbour.members.get(), now=NOW)
    windows.open_window(hours=1, why="", by=harbour.members.get(), now=NOW)
    for _ in range(blocking.MOST_FAILURES):
        blocking.note_failure(conn, "harbour", "HTTP", STRANGER, NOW)
    suspended = make_customer("owing", name="Owing", status=Customer.Status.SUSPENDED, senders=())
    cora = make_staff("cora", role=Person.StaffRole.COMPLIANCE)
    windows.open_abuse_case(suspended, why=GROUNDS, by=cora, now=NOW)
    branch = make_customer("branch", name="Harbour Florist Kowloon", senders=())
    groups.link(branch.pk, harbour.pk, why=GROUNDS, by=fanny, now=NOW)
    return Scene(
        conn=conn,
        harbour=harbour,
        grower=grower,
        gone=make_customer("gone", name="Gone", status=Customer.Status.CLOSED, senders=()),
        suspended=suspended,
        branch=branch,
        pat=make_staff("pat", role=Person.StaffRole.SUPPORT),
        in_doubt=doubtful,
        taken=taken,
        scheduled=scheduled,
        late=late,
        credited=credited(harbour, "300", by=fanny),
        filed=filed(harbour, reference="FPS 389"),
        waiting=entered(StaffEntry.Kind.REFUND, harbour, "100", by=fanny),
    )


class How(TypedDict):
    """By whom, and when."""

    by: Person
    now: datetime


class Why(How):
    """And on what grounds."""

    why: str


def opened(path: str, by: Person) -> None:
    """A page that shows something of others; nothing is logged. Raises NotAllowed where the page says so."""
    if signed_in(by.login_name).get(path).status_code == FORBIDDEN:
        raise NotAllowed(by, Act.SEE_CUSTOMERS)


PAGES = {
    Act.READ_AUDIT: "/staff/audit/",
    Act.SEE_CUSTOMERS: "/staff/customers/",
    Act.SEE_MONEY: "/staff/books/",
}
"""Acts that only look: they leave no line."""


def do(scene: Scene, act: Act, by: Person) -> None:
    """One act, by one of our people. Raises NotAllowed."""
    if act in PAGES:
        opened(PAGES[act], by)
        return
    how = How(by=by, now=NOW)
    for acts in (OF_PEOPLE, OF_CUSTOMERS, OF_SENDING, OF_REPLIES, OF_MONEY, OF_LAW):
        if act in acts:
            acts[act](scene, how, Why(**how, why=GROUNDS))
            return
    raise AssertionError(f"nobody has written down how {act.value} is done")


Doing = Callable[[Scene, How, Why], object]
Kind = StaffEntry.Kind

OF_PEOPLE: dict[Act, Doing] = {
    Act.ADD_STAFF: lambda s, how, why: staff_people.add("quinn", name="Q", email="q@x.example", role="support", **why),
    Act.CHANGE_STAFF: lambda s, how, why: staff_people.change_role(s.pat.pk, "finance", **why),
    Act.LET_STAFF_OUT: lambda s, how, why: staff_people.let_out(s.pat.pk, **why),
    Act.RESET_STAFF_FACTOR: lambda s, how, why: staff_people.remove_second_factor(s.pat.pk, **why),
    Act.RESET_SECOND_FACTOR: lambda s, how, why: members.reset_second_factor(s.harbour.members.get(), **why),
    Act.UNBLOCK_ADDRESS: lambda s, how, why: blocking.unblock(STRANGER, **why),
}
OF_CUSTOMERS: dict[Act, Doing] = {
    Act.APPROVE_CUSTOMER: lambda s, how, why: applications.approve(Application.objects.get().pk, **why),
    Act.SEND_BACK_CUSTOMER: lambda s, how, why: applications.send_back(
        Application.objects.get().pk, words=GROUNDS, **how
    ),
    Act.SUSPEND_CUSTOMER: lambda s, how, why: applications.suspend(s.harbour.pk, words=GROUNDS, **how),
    Act.REOPEN_CUSTOMER: lambda s, how, why: applications.reopen(s.suspended.pk, words=GROUNDS, **how),
    Act.CLOSE_CUSTOMER: lambda s, how, why: applications.close(s.harbour.pk, words=GROUNDS, **how),
    Act.READ_DOCUMENT: lambda s, how, why: applications.read_as_staff(Document.objects.earliest("pk"), **how),
    Act.GRANT_SENDER: lambda s, how, why: sender_ids.grant(
        SenderRequest.objects.get().pk, grounds=GROUNDS, registered_on=None, **how
    ),
    Act.SEND_BACK_SENDER: lambda s, how, why: sender_ids.send_back(
        SenderRequest.objects.get().pk, words=GROUNDS, **how
    ),
    Act.WITHDRAW_SENDER: lambda s, how, why: sender_ids.withdraw(
        SenderId.objects.filter(customer=s.harbour).earliest("pk").pk, **why
    ),
    Act.LOOK: lambda s, how, why: windows.look(s.harbour.pk, f"message {s.taken}", **how),
    Act.OPEN_ABUSE_CASE: lambda s, how, why: windows.open_abuse_case(s.harbour, **why),
    Act.CLOSE_ABUSE_CASE: lambda s, how, why: windows.close_abuse_case(s.suspended, **why),
    Act.ANSWER_CASE: lambda s, how, why: desk.answer(SupportCase.objects.get().pk, "We look", **how),
    Act.CLOSE_CASE: lambda s, how, why: desk.close_case(SupportCase.objects.get().pk, **how),
    Act.SEND_TEST: lambda s, how, why: desk.send_test(
        SupportCase.objects.get().pk, sender=PLATFORM_SENDER, route="", text="A test", **how
    ),
    Act.KEEP_RESULTS: lambda s, how, why: own.keep_results(s.harbour.pk, 12, **why),
    Act.ERASE_CUSTOMER: lambda s, how, why: own.erase(s.gone.pk, **why),
    Act.LINK_SUB_ACCOUNT: lambda s, how, why: groups.link(s.gone.pk, s.harbour.pk, **why),
}
OF_SENDING: dict[Act, Doing] = {
    Act.HOLD_SENDING: lambda s, how, why: holding.stop_sending(**why),
    Act.RELEASE_SENDING: lambda s, how, why: holding.go_on_sending(**why),
    Act.DELETE_SCHEDULE: lambda s, how, why: batches.delete_late(s.scheduled, **why),
    Act.RELEASE_SCHEDULE: lambda s, how, why: batches.release_held(s.late, terms(s.conn), **why),
    Act.RUN_OPERATOR: lambda s, how, why: operating.run_operator(
        Operator.objects.get().pk, Operator.State.PAUSED, **why
    ),
    Act.CHANGE_OPERATOR: lambda s, how, why: operating.change_operator(
        Operator.objects.get().pk, {"rate_parts_per_s": 7}, **why
    ),
    Act.CHANGE_ROUTES: lambda s, how, why: operating.set_carrier(
        Route.objects.get(code="macau").pk, Operator.objects.get().pk, (2, 1), **why
    ),
    Act.SETTLE_UNKNOWN: lambda s, how, why: doubts.settle(s.in_doubt, doubts.Word.DELIVERED, **why),
    Act.ATTACH_RECEIPT: lambda s, how, why: doubts.attach(InboxReceipt.objects.get().pk, s.in_doubt, **why),
    Act.DISMISS_RECEIPT: lambda s, how, why: doubts.dismiss(InboxReceipt.objects.get().pk, **why),
}
OF_REPLIES: dict[Act, Doing] = {
    Act.SET_UP_NUMBER: lambda s, how, why: numbers.add_number(
        Operator.objects.get(), "85264478999", is_shared=False, **why
    ),
    Act.RENT_NUMBER: lambda s, how, why: numbers.rent(
        RentedNumber.objects.get().pk, s.harbour.pk, keyword="gold", monthly_pips=0, **why
    ),
    Act.SET_REPLIES: lambda s, how, why: reply_settings.change_settings(
        ["STOP"], [], number_pips=1, keyword_pips=1, **why
    ),
    Act.MATCH_REPLY: lambda s, how, why: unmatched.dismiss(Reply.objects.get(customer=None).pk, **why),
}
OF_MONEY: dict[Act, Doing] = {
    Act.CREDIT_TOP_UP: lambda s, how, why: entries.enter_for_top_up(Kind.TOP_UP, s.filed.pk, **why),
    Act.FILE_TOP_UP: lambda s, how, why: top_ups.file_as_staff(
        s.harbour.pk, amount_pips=pips_of("400"), way=TopUp.Way.CHEQUE, reference="cheque 12", **why
    ),
    Act.REFUSE_TOP_UP: lambda s, how, why: top_ups.refuse_top_up(s.filed.pk, words=GROUNDS, **how),
    Act.REVERSE_TOP_UP: lambda s, how, why: entries.enter_for_top_up(Kind.REVERSAL, s.credited.pk, **why),
    Act.GIVE_BONUS: lambda s, how, why: entered(Kind.BONUS, s.harbour, "20", by=how["by"]),
    Act.CHARGE_SERVICE: lambda s, how, why: entered(Kind.SERVICE, s.harbour, "20", by=how["by"]),
    Act.REFUND: lambda s, how, why: entered(Kind.REFUND, s.harbour, "20", by=how["by"]),
    Act.MOVE_MONEY: lambda s, how, why: entered(
        Kind.MOVE, s.harbour, "20", by=how["by"], other_customer_id=s.branch.pk
    ),
    Act.DECIDE_MONEY: lambda s, how, why: entries.confirm(s.waiting.pk, **how),
    Act.RECORD_CERTIFICATE: lambda s, how, why: charities.record_certificate(
        s.harbour, "91/4711", valid_from=date(2026, 1, 1), valid_until=None, **why
    ),
    Act.CHANGE_PRICES: lambda s, how, why: tiers.change_tiers({1: 0, 2: pips_of("9000")}, **why),
}
OF_LAW: dict[Act, Doing] = {
    Act.IMPORT_REGISTER: lambda s, how, why: import_register(
        io.BytesIO(b"61234567,2026-11-01"),
        kind=RegisterImport.Kind.REPLACE,
        register_date=date(2026, 11, 20),
        file_name="register.csv",
        today=date(2026, 11, 23),
        **how,
    ),
    Act.SET_COMPLIANCE: lambda s, how, why: settings.change_settings(register_waits=True, footer_refuses=True, **why),
    Act.FIX_PURPOSE: lambda s, how, why: purposes.fix_purpose(s.harbour, promotional_only=True, **why),
    Act.SEE_TO_CONTENT: lambda s, how, why: noting.see_to(ContentRefusal.objects.get().pk, **why),
    Act.CHANGE_WORDS: lambda s, how, why: words.add_words(["发票"], **why),
    Act.LIST_CHINA_NUMBER: lambda s, how, why: china_numbers.list_numbers(
        ["8613812345678"], ChinaNumber.Kind.BLOCK, grounds=GROUNDS, **how
    ),
    Act.DECIDE_SIGNATURE: lambda s, how, why: signatures.approve_signature(
        ChinaSignature.objects.get().pk, words=GROUNDS, **how
    ),
}
