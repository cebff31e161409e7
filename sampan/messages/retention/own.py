"""A customer's own data: all of it as a file, how long results are kept, and erasing it (spec S130)."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from sampan.accounts.acts import Act, record
from sampan.accounts.tables import LONGEST_KEPT_MONTHS, ApiKey, Customer, Person
from sampan.database import Connection, beneath_django, connect
from sampan.messages.address_book import contacts
from sampan.messages.retention.closing import close_all_of
from sampan.messages.tables import ComposeDraft
from sampan.reasons import Reason, Refused
from sampan.webhooks.endpoints import remove_all

ROWS_AT_ONCE = 2_000
# One file each: its name, and what is in it, of one customer. Money as whole pips (HK$0.0001), times in UTC.
FILES = {
    "account": """
        SELECT id, name, created_at, time_zone, validity_minutes, verified_mobile, registration_number, tier,
               results_kept_months FROM customer WHERE id = %(customer)s""",
    "members": """
        SELECT login_name, name, email, mobile, role, language, is_active, created_at, last_login
          FROM person WHERE customer_id = %(customer)s ORDER BY id""",
    "sender-ids": "SELECT text, created_at, withdrawn_at FROM sender_id WHERE customer_id = %(customer)s ORDER BY id",
    "mail-addresses": """
        SELECT address, asked_at, verified_at, is_on, removed_at FROM mail_address WHERE customer_id = %(customer)s
         ORDER BY id""",
    "batches": """
        SELECT id, name, created_at, scheduled_at, started_at, source, purpose, sender, route, recipients, price_pips,
               text FROM batch WHERE customer_id = %(customer)s ORDER BY created_at, id""",
    "messages": """
        SELECT m.id, m.batch_id, m.created_at, m.recipient, m.status, m.reason, m.units, m.price_pips, m.charged_pips,
               m.taken_at, m.final_at, m.text FROM message m WHERE m.customer_id = %(customer)s
         ORDER BY m.created_at, m.id""",
    "contacts": """
        SELECT c.number, c.name, c.fields::text, c.created_at, c.updated_at, ARRAY(
               SELECT g.name FROM contact_group_member m JOIN contact_group g ON g.id = m.group_id
                WHERE m.contact_id = c.id ORDER BY g.name) AS groups
          FROM contact c WHERE c.customer_id = %(customer)s ORDER BY c.id""",
    "replies": """
        SELECT id, received_at, handset, number, keyword, text, message_id, unsubscribed, answer
          FROM reply WHERE customer_id = %(customer)s ORDER BY id""",
    "answers-to-words": "SELECT word, text, changed_at FROM auto_answer WHERE customer_id = %(customer)s ORDER BY word",
    "closed-totals": """
        SELECT day, source, purpose, destination_id, route_id, status, reason, messages, units, charged_pips
          FROM closed_total WHERE customer_id = %(customer)s ORDER BY day, id""",
    "transfers": """
        SELECT id, at, kind, amount_pips, note FROM transfer WHERE customer_id = %(customer)s ORDER BY id""",
    "looks-of-staff": """
        SELECT e.at, p.name, e.subject, e.why FROM audit_entry e JOIN person p ON p.id = e.by_id
         WHERE e.customer_id = %(customer)s AND e.act = 'customer.look' AND NOT EXISTS (
               SELECT FROM support_window w WHERE w.id = (e.after ->> 'window')::int8 AND w.is_abuse_case
                  AND w.closed_at IS NULL AND w.until > %(now)s) ORDER BY e.id""",
}


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
    customer = Customer.objects.select_for_update().get(pk=customer_id)
    before, after = {"months": customer.results_kept_months}, {"months": months}
    record(Act.KEEP_RESULTS, by=by, subject=customer, before=before, after=after, why=why, now=now)
    customer.results_kept_months = months
    customer.save(update_fields=["results_kept_months"])


ERASED = (
    "client_reference",
    "recurrence",
    "smtp_portion",
    "mail_address",
    "reply",
    "auto_answer",
    "forwarding",
    "verification",
)
OPEN = "SELECT FROM message WHERE customer_id = %s AND final_at IS NULL LIMIT 1"


@transaction.atomic
def erase(customer_id: int, *, by: Person, why: str, now: datetime) -> int:
    """A closed customer's messages, drafts, series, address book, keys, webhooks, addresses and names of people go.

    Whatever their age.

    Gives how many messages. The ledger, the totals, consents, unsubscribes and the audit log stay, as the law and the
    books need.

    Refused while it is not closed, or has messages on their way.
    """
    if not why.strip():
        raise Refused(Reason.NO_GROUNDS, "why")
    customer = Customer.objects.select_for_update().get(pk=customer_id)
    if customer.status != Customer.Status.CLOSED:
        raise Refused(Reason.NOT_CLOSED, "customer")
    record(Act.ERASE_CUSTOMER, by=by, subject=customer, why=why, now=now)
    with beneath_django() as conn:
        if conn.execute(OPEN, [customer_id]).rowcount:
            raise Refused(Reason.STILL_ON_ITS_WAY, "customer")
        count = close_all_of(conn, customer_id)
        contacts.delete_all(conn, customer_id)
        for table in ERASED:
            conn.execute(f"DELETE FROM {table} WHERE customer_id = %s", [customer_id])
        remove_all(conn, customer_id, now)
    ComposeDraft.objects.filter(customer=customer).delete()
    ApiKey.objects.filter(customer=customer, revoked_at=None).update(revoked_at=now)
    for person in customer.members.select_for_update():
        person.name, person.email, person.mobile, person.is_active = "", "", None, False
        person.set_unusable_password()
        person.save()
    customer.verified_mobile = None
    customer.save(update_fields=["verified_mobile"])
    return count
