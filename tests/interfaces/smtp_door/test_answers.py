"""The answer mail, by a smarthost that really listens; and what is never answered (spec S122, RFC 3834)."""

import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.db import close_old_connections
from django.test import override_settings
from django.urls import reverse

from sampan.accounts.mail import send_mails
from sampan.accounts.proofs.tables import Mail, MailAddress
from sampan.accounts.tables import Customer, Person
from sampan.database import Connection
from sampan.interfaces.smtp_door.door import utc_now
from tests.interfaces.smtp_door.running import (
    ADDRESS,
    DOMAIN,
    LISTS,
    Zone,
    mail,
    octets_of,
    open_door,
    register,
    signed,
    texts,
    vouching_zone,
)
from tests.world import make_customer, make_mallory, make_places


class Smarthost:
    """Takes mails as the mail server of this installation does; while it is `away` it takes none."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.is_away = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keep one mail."""
        if self.is_away:
            return "451 4.3.0 Not now"
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        return "250 OK"


@pytest.fixture
def smarthost() -> Iterator[Smarthost]:
    handler = Smarthost()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    backend = "django.core.mail.backends.smtp.EmailBackend"
    with override_settings(EMAIL_BACKEND=backend, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port, EMAIL_TIMEOUT=10):
        yield handler
    controller.stop()


@pytest.fixture
def harbour(database: Connection) -> Customer:
    make_places()
    customer = make_customer()
    register(customer)
    return customer


def from_florist(**changes: Any) -> EmailMessage:
    """A mail of the florist's registered address."""
    return mail(**({"sender": f"Orders <{ADDRESS}>", "subject": "Order 7"} | changes))


def believed(made: EmailMessage) -> bytes:
    """As the florist's mail server brings it: signed, and nobody signs in."""
    return signed(octets_of(made))


def sent(smarthost: Smarthost) -> list[EmailMessage]:
    """What went out by now."""
    send_mails(utc_now())
    return smarthost.mails


def text_of(answer: EmailMessage) -> str:
    """Its text, with line feeds."""
    return str(answer.get_content()).replace("\r\n", "\n")


def test_the_answer_tells_the_smsd_ids_and_the_price(
    database: Connection, harbour: Customer, smarthost: Smarthost
) -> None:
    to = [f"91234567@{DOMAIN}", f"+79123456789@{DOMAIN}"]
    with open_door(vouching_zone()) as door:
        reply = door.give(believed(from_florist()), to, login="")
    assert (reply.code, len(reply.ids)) == (250, 2)
    (answer,) = sent(smarthost)
    assert (answer["To"], answer["Subject"]) == (ADDRESS, "Re: Order 7")
    text = text_of(answer)
    assert "Accepted: 1 message, HK$0.2900." in text
    assert f"{reply.ids[0]}  9123 4567\n" in text
    assert f"{reply.ids[1]}  +7 912 345-67-89  not sent, free: No route goes there\n" in text


def test_it_leads_to_the_page_of_the_batch(database: Connection, harbour: Customer, smarthost: Smarthost) -> None:
    with open_door() as door, override_settings(PUBLIC_URL="https://sampan.example"):
        door.give(from_florist())
    ((batch_id,),) = database.execute("SELECT id FROM batch").fetchall()
    assert f"https://sampan.example{reverse('batch', args=[batch_id])}\n" in text_of(sent(smarthost)[0])


def test_it_says_that_a_program_wrote_it_and_what_it_answers(
    database: Connection, harbour: Customer, smarthost: Smarthost
) -> None:
    """RFC 3834 §3.1"""
    with open_door() as door:
        door.give(from_florist())
    (answer,) = sent(smarthost)
    assert answer["Auto-Submitted"] == "auto-replied"
    assert answer["In-Reply-To"] == answer["References"] == "<1@harbour.example>"
    assert answer["X-Sampan-Answer"] == "yes"
    assert answer["Message-ID"]


def test_an_answer_of_ours_that_comes_back_is_neither_sent_nor_answered(
    database: Connection, harbour: Customer, smarthost: Smarthost
) -> None:
    with open_door() as door:
        door.give(from_florist())
        (answer,) = sent(smarthost)
        assert door.give(answer).code == 550
    assert len(texts(database)) == 1
    assert not Mail.objects.exists()


@pytest.mark.parametrize(
    ("header", "value"),
    [("Auto-Submitted", "auto-replied"), ("X-Autoreply", "yes"), ("Content-Type", "multipart/report; boundary=x")],
)
def test_answers_by_programs_are_neither_sent_nor_answered(
    database: Connection, harbour: Customer, header: str, value: str
) -> None:
    octets = octets_of(from_florist()).replace(b"Content-Type", b"X-Was-Content-Type")
    with open_door() as door:
        assert door.give(f"{header}: {value}\r\n".encode() + octets).code == 550
    assert texts(database) == []
    assert not Mail.objects.exists()


def test_a_bounce_is_neither_sent_nor_answered(database: Connection, harbour: Customer) -> None:
    """RFC 5321 §4.5.5: it comes from nobody."""
    with open_door() as door:
        assert door.give(from_florist(), envelope_sender="<>").code == 550
    assert texts(database) == []
    assert not Mail.objects.exists()


@pytest.mark.parametrize(
    "header", [("Auto-Submitted", "auto-generated"), ("Precedence", "bulk"), ("List-Id", "<florists.example>")]
)
def test_what_a_program_wrote_is_sent_and_not_answered(
    database: Connection, harbour: Customer, header: tuple[str, str]
) -> None:
    """An alarm's mail, say."""
    with open_door() as door:
        assert door.give(from_florist(headers=dict([header]))).code == 250
        assert door.give(from_florist(name="2", text="", subject="", headers=dict([header]))).code == 554
    assert len(texts(database)) == 1
    assert not Mail.objects.exists()


def test_nobody_is_written_to_who_has_not_registered(database: Connection, harbour: Customer) -> None:
    """A From alone would have us write to strangers, and to Mallory's victim."""
    mallory = make_mallory()
    register(mallory, "m@mallory.example")
    with open_door() as door:
        assert door.give(mail(sender="stranger@elsewhere.example")).code == 250
        assert door.give(from_florist(name="2"), login="mallory").code == 250
    assert not Mail.objects.exists()


def test_a_refusal_is_told_to_the_program_that_signed_in_and_to_its_writer(
    database: Connection, harbour: Customer, smarthost: Smarthost
) -> None:
    with open_door() as door:
        assert door.give(from_florist(subject="[sender=Mallory]")).code == 550
    (answer,) = sent(smarthost)
    assert "Not sent, and not charged.\nThis sender ID is not one of yours" in text_of(answer)


def test_a_mail_server_is_not_told_to_bounce_what_our_answer_tells(
    database: Connection, harbour: Customer, smarthost: Smarthost
) -> None:
    with open_door(vouching_zone()) as door:
        reply = door.give(believed(from_florist(subject="[colour=red]")), login="")
    assert (reply.code, reply.ids) == (250, [])
    (answer,) = sent(smarthost)
    assert "“[colour=red]” is no option." in text_of(answer)
    assert texts(database) == []


def test_a_list_with_a_slip_and_an_attachment_is_told_of_both(
    database: Connection, harbour: Customer, smarthost: Smarthost
) -> None:
    made = from_florist(text="To: 9123 4567\n9123 456\n\nReady")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="x.pdf")
    with open_door() as door:
        assert door.give(made, [LISTS]).code == 250
    text = text_of(sent(smarthost)[0])
    assert "Line 2, “9123 456”: 7 digits. A Hong Kong number has 8." in text
    assert "1 attachment was not sent." in text


def test_a_scheduled_mail_is_told_its_time_by_the_accounts_clock(
    database: Connection, harbour: Customer, smarthost: Smarthost
) -> None:
    with open_door() as door:
        assert door.give(from_florist(subject="[at=2030-12-01 09:00]")).code == 250
    assert "Scheduled for 2030-12-01 09:00: 1 message" in text_of(sent(smarthost)[0])


def test_a_mail_that_comes_again_is_answered_once(
    database: Connection, harbour: Customer, smarthost: Smarthost
) -> None:
    with open_door() as door:
        door.give(from_florist())
        door.give(from_florist())
    assert len(sent(smarthost)) == 1


def test_while_the_smarthost_is_away_the_answer_waits(
    database: Connection, harbour: Customer, smarthost: Smarthost
) -> None:
    smarthost.is_away = True
    with open_door() as door:
        door.give(from_florist())
    assert sent(smarthost) == []
    smarthost.is_away = False
    send_mails(Mail.objects.get().try_after)
    assert len(smarthost.mails) == 1
    assert not Mail.objects.exists()


@pytest.mark.parametrize("zone", [Zone(), vouching_zone("elsewhere.example")])
def test_a_from_that_is_not_true_sends_nothing_and_its_owner_sees_why(
    database: Connection, harbour: Customer, zone: Zone
) -> None:
    with open_door(zone) as door:
        spoofed = door.give(believed(from_florist()), login="")
        unknown = door.give(believed(mail(sender="stranger@harbour.example")), login="")
    assert (spoofed.code, spoofed.words) == (unknown.code, unknown.words), "nobody learns who is registered"
    assert spoofed.words.startswith("5.7.26")
    assert texts(database) == []
    assert not Mail.objects.exists()
    assert "SPF" in MailAddress.objects.get().refused_why


def test_while_name_servers_are_away_the_mail_is_asked_for_again(database: Connection, harbour: Customer) -> None:
    zone = vouching_zone()
    zone.is_away = True
    with open_door(zone) as door:
        assert door.give(believed(from_florist()), login="").code == 451
        zone.is_away = False
        assert door.give(believed(from_florist()), login="").code == 250
    assert len(texts(database)) == 1


def test_an_address_that_is_off_sends_nothing(database: Connection, harbour: Customer) -> None:
    MailAddress.objects.update(is_on=False)
    with open_door(vouching_zone()) as door:
        assert door.give(believed(from_florist()), login="").code == 550
    assert texts(database) == []


@pytest.mark.parametrize(
    ("language", "accepted", "refused"),
    [
        ("zh-hant", "已接受：1 條短訊，HK$0.2900。", "沒有發送，也沒有收費。"),
        ("zh-hans", "已接受：1 条短信，HK$0.2900。", "没有发送，也没有收费。"),
    ],
)
def test_the_answer_is_in_its_readers_language(
    database: Connection, harbour: Customer, smarthost: Smarthost, language: str, accepted: str, refused: str
) -> None:
    """spec S135"""
    Person.objects.filter(customer=harbour).update(language=language)
    with open_door() as door:
        door.give(from_florist(subject="玫瑰"))
        door.give(from_florist(name="2", subject="[at=soon] 玫瑰"))
    first, second = sent(smarthost)
    assert (first["Subject"], second["Subject"]) == ("Re: 玫瑰", "Re: [at=soon] 玫瑰")
    assert accepted in text_of(first)
    assert refused in text_of(second)


def test_it_outlives_the_connections_that_it_is_written_by(
    database: Connection, harbour: Customer, smarthost: Smarthost
) -> None:
    """Spec S122: the database was restarted, say."""
    with open_door() as door:
        for number in range(12):
            reply = door.give(from_florist(name=f"{number}"))
            assert reply.code == 250
            database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'sampan django'"
            )
    close_old_connections()
    assert len(sent(smarthost)) == 12
