"""A customer's own data: all of it as a file, how long results are kept, and erasing it (spec S130)."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import datetime

import structlog
from django.db import transaction

from sampan.accounts import second_factor, sessions
from sampan.accounts.acts import Act, record
from sampan.accounts.tables import LONGEST_KEPT_MONTHS, ApiKey, Customer, Person
from sampan.database import Connection, beneath_django, connect
from sampan.messages.address_book import contacts
from sampan.messages.retention.closing import UNSUBSCRIBED_WITHIN, close_all_of
from sampan.messages.retention.files import FILES
from sampan.messages.tables import ComposeDraft, Purpose
from sampan.reasons import Reason, Refused
from sampan.webhooks.endpoints import remove_all

ROWS_AT_ONCE = 2_000

log = structlog.get_logger()


class _Pipe(io.RawIOBase):
    """Collects what is written until it is taken: a ZIP that is sent while it is made."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: object) -> int:
        octets = bytes(piece)  # type: ignore[call-overload]
        self._pieces.append(octets)
        return len(octets)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def export(customer_id: int, now: datetime) -> Iterator[bytes]:
    """A ZIP of CSV files with all that is kept of one customer, piece by piece; from one moment."""
    pipe = _Pipe()
    with connect("own data") as conn, conn.transaction(), zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for name, sql in FILES.items():
            with archive.open(f"{name}.csv", "w", force_zip64=True) as file:
                for lines in _lines(conn, sql, {"customer": customer_id, "now": now}):
                    file.write(lines)
                    yield pipe.take()
    yield pipe.take()


def _lines(conn: Connection, sql: str, values: dict[str, object]) -> Iterator[bytes]:
    buffer = io.StringIO("\ufeff", newline="")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    with conn.cursor("own_data") as cursor:
        cursor.execute(sql, values)
        writer.writerow([column.name for column in cursor.description or ()])
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            writer.writerows(rows)
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


@transaction.atomic
def keep_results(customer_id: int, months: int, *, by: Person, why: str, now: datetime) -> None:
    """How long this customer's results are kept after they became final: 1 to 84 months."""
    if not 1 <= months <= LONGEST_KEPT_MONTHS:
        raise Refused(Reason.BAD_MONTHS, "months", str(months))
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    before, after = {"months": customer.results_kept_months}, {"months": months}
    record(Act.KEEP_RESULTS, by=by, subject=customer, before=before, after=after, why=why, now=now)
    customer.results_kept_months = months
    customer.save(update_fields=["results_kept_months"])


# What goes of an erased customer besides its messages, drafts and address book: whole tables, those that name others
# first. What stays: KEPT in the tests says why.
ERASED = (
    "client_reference",
    "recurrence",
    "smtp_portion",
    "smpp_part",
    "smpp_receipt",
    "mail_address",
    "reply",
    "auto_answer",
    "forwarding",
    "verification",
    "low_balance_alert",
    "footer_profile",
    "invitation",
    "allowed_network",
    "refused_address",
    "application",
    "sender_request",
    "sender_id",
    "support_case",
)
OF_CASES = ("case_word", "case_test")
FORGET_OF_CASES = "DELETE FROM {} WHERE case_id IN (SELECT id FROM support_case WHERE customer_id = %s)"
# Receipts of payments belong to the books.
FORGET_DOCUMENTS = """
    DELETE FROM document d WHERE d.customer_id = %s AND NOT EXISTS (SELECT FROM top_up t WHERE t.document_id = d.id)"""
OPEN = "SELECT FROM message WHERE customer_id = %s AND final_at IS NULL LIMIT 1"
UNSUBSCRIBABLE = f"""
    SELECT FROM message m JOIN batch b ON b.id = m.batch_id
     WHERE m.customer_id = %s AND m.taken_at > %s AND b.purpose = {Purpose.PROMOTIONAL.value} LIMIT 1"""


def erase_results(*, by: Person, now: datetime) -> int:
    """The owner has the account's results, replies and sent drafts go before their time; gives how many results.

    What is on its way stays, and promotional texts while one can unsubscribe from them (spec S95); so do the statement,
    the totals, consents and unsubscribes. Raises Refused(OWNERS_ONLY).
    """
    if by.role != Person.Role.OWNER or not by.is_active or by.customer_id is None:
        raise Refused(Reason.OWNERS_ONLY, "role")
    with beneath_django() as conn:
        count = close_all_of(conn, by.customer_id, now)
        conn.execute("DELETE FROM reply WHERE customer_id = %s", [by.customer_id])
    ComposeDraft.objects.filter(customer=by.customer, batch_id__isnull=False).delete()
    log.info("results.erased", customer=by.customer_id, person=by.pk, messages=count)
    return count


@transaction.atomic
def erase(customer_id: int, *, by: Person, why: str, now: datetime) -> int:
    """A closed customer's messages, whatever their age, and all that names people or numbers go; gives how many.

    The ledger, the totals, consents, unsubscribes and the audit log stay, as the law and the books need.

    Refused while it is not closed, has messages on their way, or a promotional text of it may still be answered by an
    unsubscribe (spec S95).
    """
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    if customer.status != Customer.Status.CLOSED:
        raise Refused(Reason.NOT_CLOSED, "customer")
    record(Act.ERASE_CUSTOMER, by=by, subject=customer, why=why, now=now)
    with beneath_django() as conn:
        if conn.execute(OPEN, [customer_id]).rowcount:
            raise Refused(Reason.STILL_ON_ITS_WAY, "customer")
        if conn.execute(UNSUBSCRIBABLE, [customer_id, now - UNSUBSCRIBED_WITHIN]).rowcount:
            raise Refused(Reason.UNSUBSCRIBES_COME, "customer", str(UNSUBSCRIBED_WITHIN.days))
        count = close_all_of(conn, customer_id, now)
        contacts.delete_all(conn, customer_id)
        for table in OF_CASES:
            conn.execute(FORGET_OF_CASES.format(table), [customer_id])
        for table in ERASED:
            conn.execute(f"DELETE FROM {table} WHERE customer_id = %s", [customer_id])
        conn.execute(FORGET_DOCUMENTS, [customer_id])
        remove_all(conn, customer_id, now)
    ComposeDraft.objects.filter(customer=customer).delete()
    ApiKey.objects.filter(customer=customer, revoked_at=None).update(revoked_at=now)
    for person in customer.members.select_for_update(no_key=True):
        _forget(person)
    customer.verified_mobile = None
    customer.save(update_fields=["verified_mobile"])
    return count


def _forget(person: Person) -> None:
    """They sign in no more, and nothing says who they were but the login name, by which others know what they did."""
    person.name, person.email, person.mobile, person.is_active = "", "", None, False
    person.set_unusable_password()
    person.save()
    second_factor.remove(person)
    sessions.end_all(person)
