"""The answer mail: which SMSD IDs a mail became and what they cost, or why it was not sent, in its writer's language.

It goes to a registered address alone, never to one that only stands in a From: nobody can have us write to strangers.
It is written to the outbox with the note that it was, so a mail that comes again is not answered twice.
"""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import close_old_connections, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from sampan.accounts.mail import write_mail
from sampan.billing.money import in_pips
from sampan.database import Connection, beneath_django
from sampan.interfaces.smtp_door.portions import note_answer
from sampan.interfaces.smtp_door.reading import OWN_HEADER, Heading
from sampan.interfaces.smtp_door.taking import Taken, Writer
from sampan.interfaces.tags import phone
from sampan.interfaces.words import REASONS, REFUSALS, words_of_flaw
from sampan.messages.submit import Accepted, Outcome
from sampan.messages.tables import Status
from sampan.reasons import BY_NUMBER, Reason, Refused
from sampan.routing.numbers import Flaw

MOST_LISTED = 1_000  # messages, and rows that are left out
LONGEST_REASON = 200
BATCH_PAGE = "/batches/{id}/"  # said here, as the table of addresses would load every page into this process

MESSAGES = """
    SELECT id, recipient, status, reason, price_pips FROM message
     WHERE id = ANY(%s) AND customer_id = %s ORDER BY id"""
Row = tuple[int, int, int, int, int]


def answer(heading: Heading, writer: Writer, taken: Taken, attachments: int, now: datetime) -> None:
    """Write the answer to each portion of a mail, unless that very answer was written before."""
    close_old_connections()  # Django's of this thread may have broken since the last answer
    for portion, outcome in taken.outcomes:
        with transaction.atomic(), beneath_django() as conn:
            if note_answer(conn, portion, _mark(outcome)):
                with override(writer.language), timezone.override(writer.customer.zone):
                    lines = (
                        _accepted(conn, writer, taken, outcome) if isinstance(outcome, Accepted) else _refused(outcome)
                    )
                    _write(heading, writer, [*lines, *_left_out(taken), *_attachments(attachments)], now)


def answer_refused(heading: Heading, writer: Writer, refused: Refused, now: datetime) -> None:
    """Write why nothing of a mail was sent."""
    close_old_connections()
    with override(writer.language), timezone.override(writer.customer.zone):
        _write(heading, writer, _refused(refused), now)


def _mark(outcome: Outcome) -> str:
    return f"batch {outcome.batch_id}" if isinstance(outcome, Accepted) else f"{outcome.reason.name} {outcome.value}"


def _write(heading: Heading, writer: Writer, lines: Sequence[str], now: datetime) -> None:
    threading = {"In-Reply-To": heading.message_id, "References": heading.message_id} if heading.message_id else {}
    headers = {OWN_HEADER: "yes", "Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All", **threading}
    subject = f"Re: {heading.subject}" if heading.subject else _("Your text by mail")
    write_mail(writer.answer_to, subject, "\n".join(lines) + "\n", now=now, headers=headers)


def _accepted(conn: Connection, writer: Writer, taken: Taken, accepted: Accepted) -> list[str]:
    rows: list[Row] = conn.execute(MESSAGES, [accepted.message_ids, writer.customer.id]).fetchall()
    sent = [row for row in rows if not _is_filtered(row)]
    counted = ngettext("%(count)s message", "%(count)s messages", len(sent)) % {"count": f"{len(sent):,}"}
    values = {"counted": counted, "price": in_pips(sum(price for *_, price in rows)), "at": _at(taken)}
    first = (
        _("Scheduled for %(at)s: %(counted)s, HK$%(price)s.")
        if taken.scheduled_at
        else _("Accepted: %(counted)s, HK$%(price)s.")
    )
    lines = [first % values, "", _("SMSD IDs:"), *map(_line, rows[:MOST_LISTED])]
    if settings.PUBLIC_URL:
        lines += ["", _("What becomes of them:"), settings.PUBLIC_URL + BATCH_PAGE.format(id=accepted.batch_id)]
    return lines


def _at(taken: Taken) -> str:
    return f"{timezone.localtime(taken.scheduled_at):%Y-%m-%d %H:%M}" if taken.scheduled_at else ""


def _is_filtered(row: Row) -> bool:
    _id, _recipient, status, reason, price_pips = row
    return status == Status.UNDELIVERABLE and price_pips == 0 and BY_NUMBER[reason] != Reason.NONE


def _line(row: Row) -> str:
    line = f"{row[0]}  {phone(row[1])}"
    if not _is_filtered(row):
        return line
    return f"{line}  " + _("not sent, free: %(reason)s") % {"reason": REASONS[BY_NUMBER[row[3]]]}


def _refused(refused: Refused) -> list[str]:
    flaw = getattr(refused, "flaw", None)
    if isinstance(flaw, Flaw):
        why = f"{words_of_flaw(flaw)} ({flaw.value})"
    elif words := REFUSALS.get(refused.reason):
        why = str(words).replace("{value}", refused.value[:LONGEST_REASON])
    else:
        why = f"{REASONS.get(refused.reason) or refused}"
    return [_("Not sent, and not charged."), why]


def _left_out(taken: Taken) -> list[str]:
    if not taken.bad:
        return []
    rows = [
        _("Line %(row)s, “%(value)s”: %(why)s") % {"row": row, "value": flaw.value.strip(), "why": words_of_flaw(flaw)}
        for row, flaw in taken.bad[:MOST_LISTED]
    ]
    return ["", _("Left out, as they are no mobile numbers:"), *rows]


def _attachments(count: int) -> list[str]:
    if not count:
        return []
    words = ngettext(
        "%(count)s attachment was not sent. A text carries none.",
        "%(count)s attachments were not sent. A text carries none.",
        count,
    )
    return ["", words % {"count": count}]
