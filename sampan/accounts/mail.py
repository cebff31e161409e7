"""Mails to people: written in their writer's transaction, sent by the worker, tried again for a day.

They go by Django's mail backend: to the smarthost of SAMPAN_SMARTHOST, or without one as files into DATA/mail.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import make_msgid, parseaddr
from smtplib import SMTPException, SMTPRecipientsRefused

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction

from sampan.accounts.proofs.tables import Mail

MOST_AT_ONCE = 50
TRIED_FOR = timedelta(days=1)
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=2)

LONGEST_SUBJECT = 200
BY_A_PROGRAM = {"Auto-Submitted": "auto-generated"}  # so that nobody's holiday notice answers it (RFC 3834 §5)

log = structlog.get_logger()


def write_mail(to: str, subject: str, text: str, *, now: datetime, headers: Mapping[str, str] = BY_A_PROGRAM) -> None:
    """A mail that goes when the caller's transaction is committed.

    It is named here, once: should it go twice, its reader's programs know it as the same.
    """
    _, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    named = {"Message-ID": make_msgid(domain=sender.rpartition("@")[2] or None), **headers}
    Mail.objects.create(
        to=to,
        subject=" ".join(subject.split())[:LONGEST_SUBJECT],
        text=text,
        headers=named,
        created_at=now,
        try_after=now,
    )


def send_mails(now: datetime) -> int:
    """Send what waits; how many went. What cannot go now is tried again later, and given up after a day.

    A mail may go twice, where the smarthost took it and the line broke before we noted that: no mail is lost.
    """
    sent = 0
    with transaction.atomic():
        waiting = (
            Mail.objects.select_for_update(skip_locked=True).filter(try_after__lte=now).order_by("try_after", "id")
        )
        mails = list(waiting[:MOST_AT_ONCE])
        if not mails:
            return 0
        line = get_connection()
        try:
            line.open()
        except (SMTPException, OSError) as error:  # once, not once a mail: each may take EMAIL_TIMEOUT
            for mail in mails:
                _try_later(mail, error, now)
            return 0
        for mail in mails:
            try:
                EmailMessage(mail.subject, mail.text, to=[mail.to], headers=mail.headers, connection=line).send()
            except (SMTPException, OSError) as error:
                _try_later(mail, error, now)
            else:
                sent += 1
                mail.delete()
        line.close()
    return sent


def _try_later(mail: Mail, error: Exception, now: datetime) -> None:
    is_for_good = isinstance(error, SMTPRecipientsRefused) and all(
        code >= 500 for code, _said in error.recipients.values()
    )
    if is_for_good or now - mail.created_at > TRIED_FOR:
        log.error("mail.given_up", mail=mail.pk, tries=mail.tries + 1, error=type(error).__name__)
        mail.delete()
        return
    log.warning("mail.waits", mail=mail.pk, tries=mail.tries + 1, error=type(error).__name__)
    mail.tries += 1
    mail.try_after = now + min(FIRST_WAIT * 2 ** min(mail.tries, 10), LONGEST_WAIT)
    mail.save()
