"""Mails wait in the database until they went (spec S132)."""

import socket
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.test import override_settings

from sampan.accounts.mail import TRIED_FOR, send_mails, write_mail
from sampan.accounts.proofs.tables import Mail
from sampan.database import Connection
from tests.world import NOW

TO, SUBJECT, TEXT = "wing@harbour.example", "Sampan: 新密碼", "Open this link:\nhttps://sms.example/x\n"


@pytest.fixture
def nowhere() -> override_settings:
    """A smarthost that does not answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    backend = "django.core.mail.backends.smtp.EmailBackend"
    return override_settings(EMAIL_BACKEND=backend, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port)


def test_without_a_smarthost_a_mail_becomes_a_file(database: Connection, tmp_path: Path) -> None:
    write_mail(TO, SUBJECT, TEXT, now=NOW)
    with override_settings(EMAIL_FILE_PATH=tmp_path):
        assert send_mails(NOW) == 1
    (file,) = tmp_path.iterdir()
    assert f"To: {TO}" in file.read_text()
    assert TEXT.splitlines()[1] in file.read_text()
    assert not Mail.objects.exists()


def test_a_mail_of_a_transaction_that_fails_never_goes(database: Connection) -> None:
    with transaction.atomic():
        write_mail(TO, SUBJECT, TEXT, now=NOW)
        transaction.set_rollback(True)
    assert send_mails(NOW) == 0


def test_while_the_smarthost_is_away_it_waits_longer_and_longer(
    database: Connection, nowhere: override_settings, tmp_path: Path
) -> None:
    write_mail(TO, SUBJECT, TEXT, now=NOW)
    with nowhere:
        assert send_mails(NOW) == 0
        first = Mail.objects.get()
        assert first.try_after > NOW
        assert send_mails(first.try_after) == 0
        second = Mail.objects.get()
        assert second.try_after - first.try_after > first.try_after - NOW
    with override_settings(EMAIL_FILE_PATH=tmp_path):
        assert send_mails(second.try_after) == 1


def test_after_a_day_it_is_given_up(database: Connection, nowhere: override_settings) -> None:
    write_mail(TO, SUBJECT, TEXT, now=NOW)
    with nowhere:
        send_mails(NOW + TRIED_FOR + timedelta(seconds=1))
    assert not Mail.objects.exists()


def test_a_subject_is_one_line(database: Connection) -> None:
    write_mail(TO, "Sampan\r\nBcc: all@harbour.example", TEXT, now=NOW)
    assert Mail.objects.get().subject == "Sampan Bcc: all@harbour.example"


def test_its_name_stays_when_it_is_tried_again_and_it_says_that_a_program_wrote_it(
    database: Connection, nowhere: override_settings, tmp_path: Path
) -> None:
    """So that one that goes twice is known as the same, and no holiday notice answers it (RFC 3834 §5)."""
    write_mail(TO, SUBJECT, TEXT, now=NOW)
    name = Mail.objects.get().headers["Message-ID"]
    with nowhere:
        send_mails(NOW)
    with override_settings(EMAIL_FILE_PATH=tmp_path):
        assert send_mails(NOW + timedelta(hours=1)) == 1
    (sent,) = tmp_path.iterdir()
    assert f"Message-ID: {name}" in sent.read_text()
    assert "Auto-Submitted: auto-generated" in sent.read_text()


def test_its_writer_may_give_it_headers(database: Connection, tmp_path: Path) -> None:
    write_mail(TO, SUBJECT, TEXT, now=NOW, headers={"In-Reply-To": "<a@b>"})
    with override_settings(EMAIL_FILE_PATH=tmp_path):
        send_mails(NOW)
    (sent,) = tmp_path.iterdir()
    assert "In-Reply-To: <a@b>" in sent.read_text()
