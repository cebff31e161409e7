"""Mails become texts, once, for those who prove who they are (spec S122, S8, S125, S136)."""

import smtplib
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sampan.accounts.blocking import MOST_FAILURES, note_failure
from sampan.accounts.keys import add_key
from sampan.accounts.tables import AllowedNetwork, ApiKey, Customer, Person, SignInFailure
from sampan.billing import ledger
from sampan.billing.tables import Account
from sampan.database import Connection, Snapshot
from sampan.interfaces.smtp_door.door import MOST_ENVELOPE_RECIPIENTS
from sampan.interfaces.smtp_door.server import MOST_OCTETS
from sampan.messages.tables import Batch, Purpose, Source
from tests.certificates import self_signed, serving, trusting
from tests.interfaces.smtp_door.running import (
    DOMAIN,
    LISTS,
    ROWS,
    TO,
    Door,
    give,
    mail,
    octets_of,
    open_door,
    texts,
)
from tests.world import NOW, PASSWORD, SENDER, make_customer, make_mallory, make_places

LINE = b"x" * 900 + b"\r\n"


@pytest.fixture
def harbour(database: Connection) -> Customer:
    make_places()
    return make_customer()


def available(conn: Connection, customer: Customer) -> int:
    return ledger.balances(conn, [customer.pk])[customer.pk, Account.Kind.AVAILABLE]


def said(door: Door, *lines: bytes) -> list[bytes]:
    """What the door says to each line of a peer that speaks by hand; what it greets with first."""
    with socket.create_connection(("127.0.0.1", door.port), timeout=30) as wire, wire.makefile("rb") as heard:
        answers = [heard.readline()]
        for line in lines:
            wire.sendall(line + b"\r\n")
            answer = heard.readline()
            while answer[3:4] == b"-":
                answer = heard.readline()
            answers.append(answer)
    return answers


def test_a_program_that_signs_in_sends_a_text_by_mail(database: Connection, harbour: Customer) -> None:
    """spec S7, S122"""
    before = available(database, harbour)
    with open_door() as door:
        reply = door.give(mail("Your roses are ready"))
    assert (reply.code, reply.refused) == (250, {})
    assert reply.ids == [id_ for (id_,) in database.execute("SELECT id FROM message")]
    assert database.execute(ROWS.encode()).fetchall() == [(85291234567, "Your roses are ready", SENDER, Source.SMTP)]
    assert available(database, harbour) == before - 2_900


def test_the_same_mail_again_gives_the_same_answer_and_sends_nothing(database: Connection, harbour: Customer) -> None:
    """spec S8"""
    with open_door() as door:
        first, again = door.give(mail()), door.give(mail())
        other = door.give(mail("Other roses"))
    assert first == again
    assert other.code == 554
    assert len(texts(database)) == 1


def test_a_mail_in_portions_that_are_cut_anew_goes_once_to_each(database: Connection, harbour: Customer) -> None:
    """Mail servers bring many recipients in portions, and after a lost answer not always in the same ones."""
    a, b, c, d = (f"6123456{number}@{DOMAIN}" for number in range(4))
    with open_door() as door:
        first, second = door.give(mail(), [a, b]), door.give(mail(), [c])
        again = door.give(mail(), [a, c, d])
    assert [recipient for recipient, _ in texts(database)] == [85261234560, 85261234561, 85261234562, 85261234563]
    assert again.ids[:3] == first.ids + second.ids
    assert len(again.ids) == 4


def test_a_key_is_as_good_as_a_password_until_it_is_revoked(database: Connection, harbour: Customer) -> None:
    key = add_key(Person.objects.get(customer=harbour), name="mail", now=NOW)
    with open_door() as door, door.connected(login="harbour", secret=key) as line:
        assert give(line, mail()).code == 250
        ApiKey.objects.update(revoked_at=NOW)
        Snapshot.forget_all()  # as the database tells a process that listens
        assert give(line, mail(name="2")).code == 535
    assert len(texts(database)) == 1


@pytest.mark.parametrize(("login", "secret"), [("harbour", "wrong"), ("nobody", PASSWORD), ("mallory", "x" * 500)])
def test_who_guesses_is_not_let_in_and_it_is_noted(
    database: Connection, harbour: Customer, login: str, secret: str
) -> None:
    """spec S125"""
    with open_door() as door, pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        door.give(mail(), login=login, secret=secret)
    assert refused.value.smtp_code == 535
    assert {failure.door for failure in SignInFailure.objects.all()} == {"SMTP"}


def test_a_blocked_address_is_turned_away_before_it_says_a_word(database: Connection, harbour: Customer) -> None:
    """spec S125: by any door's failures."""
    database.execute(
        "INSERT INTO blocked_address (address, door, failures, is_crowd, login_name, since, until)"
        " VALUES ('127.0.0.1', 'HTTP', 20, false, '', now(), now() + interval '1 hour')"
    )
    with open_door() as door:
        assert said(door)[0].startswith(b"421 4.7.0")
    for _ in range(MOST_FAILURES):
        note_failure(database, "x", "SMTP", "8.8.8.8", datetime.now(UTC))
    assert database.execute("SELECT count(*) FROM blocked_address WHERE door = 'SMTP'").fetchone() == (1,)


def test_an_account_that_names_its_networks_takes_mails_from_there_alone(
    database: Connection, harbour: Customer
) -> None:
    """spec S125"""
    owner = Person.objects.get(customer=harbour)
    AllowedNetwork.objects.create(customer=harbour, network="203.0.113.0/24", added_by=owner, added_at=NOW)
    with open_door() as door, pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        door.give(mail())
    assert refused.value.smtp_code == 550
    assert texts(database) == []


def test_who_has_not_signed_in_sends_nothing(database: Connection, harbour: Customer) -> None:
    with open_door() as door:
        assert door.give(mail(), login="").code == 550
    assert texts(database) == []


@pytest.mark.parametrize("local", ["91234567", "+85291234567", "00852-9123-4567", "852.9123.4567"])
def test_a_number_may_be_written_as_people_write_it(database: Connection, harbour: Customer, local: str) -> None:
    with open_door() as door:
        assert door.give(mail(), [f"{local}@{DOMAIN.upper()}"]).code == 250
    assert [recipient for recipient, _ in texts(database)] == [85291234567]


def test_each_recipient_is_refused_by_itself_and_the_rest_go_on(database: Connection, harbour: Customer) -> None:
    bad = [f"23456789@{DOMAIN}", f"florist@{DOMAIN}", "91234567@elsewhere.example", f"{'9' * 80}@{DOMAIN}"]
    with open_door() as door:
        reply = door.give(mail(), [*bad, TO, TO])
        only_bad = door.give(mail(name="2"), bad[:1])
    assert {to: code for to, (code, _) in reply.refused.items()} == dict.fromkeys(bad, 550)
    assert "Fixed line" in reply.refused[bad[0]][1]
    assert (reply.code, len(reply.ids)) == (250, 1)
    assert only_bad.code == 550
    assert len(texts(database)) == 1


def test_a_list_in_the_first_lines(database: Connection, harbour: Customer) -> None:
    with open_door() as door:
        text = "To: 9123 4567, 6123 4567\nTo: +853 6612 0034\n\nYour roses are ready\n-- \nFlorist"
        reply = door.give(mail(text), [LISTS, TO])
        nobody = door.give(mail("No list", name="2"), [LISTS])
    assert len(reply.ids) == 3
    assert texts(database) == [(n, "Your roses are ready") for n in (85291234567, 85261234567, 85366120034)]
    assert (nobody.code, len(texts(database))) == (554, 3)


def test_lines_of_a_list_that_are_left_out_are_told(database: Connection, harbour: Customer) -> None:
    with open_door() as door:
        reply = door.give(mail("To: 9123 4567, 12345, 6\n6123 4567\nour shop\n\nYour roses are ready"), [LISTS])
    assert len(reply.ids) == 2
    assert reply.words.endswith("2.0.0 Left out, no mobile numbers: lines 1,3")


def test_a_mail_to_a_thousand(database: Connection, harbour: Customer) -> None:
    to = [f"{61000000 + number}@{DOMAIN}" for number in range(MOST_ENVELOPE_RECIPIENTS + 1)]
    with open_door() as door:
        reply = door.give(mail(), to)
        rest = door.give(mail(), list(reply.refused))
    assert {code for code, _ in reply.refused.values()} == {452}
    assert (len(reply.ids), len(rest.ids)) == (MOST_ENVELOPE_RECIPIENTS, 1)
    assert len(set(texts(database))) == MOST_ENVELOPE_RECIPIENTS + 1


def test_the_subject_says_how_and_is_the_text_where_there_is_none(database: Connection, harbour: Customer) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    subject = f"[sender=85298765432] [at={tomorrow:%Y-%m-%dT%H:%MZ}] [purpose=transactional] [validity=60] Door 7 opens"
    with open_door() as door:
        assert door.give(mail("", subject=subject)).code == 250
        assert door.give(mail("Cheap", subject="[sender=RANDOMID]", name="2")).code == 250
        slip = door.give(mail(subject="[sendr=x]", name="3"))
    batch, economic = Batch.objects.order_by("id")
    assert (batch.text, batch.sender, batch.purpose, batch.validity_minutes) == (
        "Door 7 opens",
        "85298765432",
        Purpose.TRANSACTIONAL,
        60,
    )
    assert batch.scheduled_at == tomorrow.replace(second=0, microsecond=0)
    assert (economic.sender, economic.route) == ("", "hk-economic")
    assert (slip.code, "[sendr=x]" in slip.words) == (554, True)


@pytest.mark.parametrize(
    ("text", "subject", "code"),
    [
        ("", "", 554),
        ("x" * 500, "", 554),
        ("Roses", "[sender=Mallory]", 550),
        ("Roses", "[route=moon]", 550),
        ("Roses", "[at=2999-01-01 09:00]", 554),
        ("Roses", "[validity=5]", 554),
    ],
)
def test_what_cannot_be_sent_is_refused_with_why(
    database: Connection, harbour: Customer, text: str, subject: str, code: int
) -> None:
    with open_door() as door:
        reply = door.give(mail(text, subject=subject))
    assert (reply.code, reply.ids) == (code, [])
    assert texts(database) == []


def test_without_the_money_it_is_refused_and_after_the_top_up_the_same_mail_goes(database: Connection) -> None:
    """spec S81"""
    make_places()
    make_customer("poor", senders=("Poor",), balance="0.10")
    with open_door() as door:
        assert door.give(mail(), login="poor").code == 552
        make_customer("rich", senders=("Rich",))
        assert door.give(mail(), login="rich").code == 250, "another's mail of the same name is another"
    assert len(texts(database)) == 1


def test_mallory_cannot_send_as_another_nor_see_their_ids(database: Connection, harbour: Customer) -> None:
    make_mallory()
    with open_door() as door:
        theirs = door.give(mail())
        reply = door.give(mail(subject=f"[sender={SENDER}]"), login="mallory")
        own = door.give(mail(), login="mallory")
    assert reply.code == 550
    assert own.code == 250
    assert not set(own.ids) & set(theirs.ids)


def test_what_is_too_large_is_refused_before_and_after_it_is_sent(harbour: Customer) -> None:
    with open_door() as door, door.connected(login="harbour") as line:
        assert give(line, octets_of(mail()) + LINE * (MOST_OCTETS // len(LINE))).code == 552
        line.rset()
        line.mail("a@b.example")
        line.rcpt(TO)
        code, _ = line.data(octets_of(mail()) + LINE * (MOST_OCTETS // len(LINE)))
        assert code == 552
        assert give(line, mail()).code == 250, "the session goes on"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\r\n",
        b"nothing\r\n",
        b"From: x\r\n\r\nhi\r\n",
        b"\xff\xfe\x00\r\n",
        b"From: a@b.example\r\n\r\nhi\r\n",
        b"From: a@b.example\r\nMessage-ID: <1@b>\r\n\r\n\x80\x81\r\n",
        b"Message-ID: <1@b>\r\nFrom: a@b.example\r\nX: " + b"y\r\n z" * 100_000 + b"\r\n\r\nhi\r\n",
    ],
)
def test_garbage_is_refused_politely(database: Connection, harbour: Customer, octets: bytes) -> None:
    with open_door() as door:
        reply = door.give(octets)
    assert reply.code == 554
    assert reply.words.startswith("5.6.0")
    assert texts(database) == []


def test_a_peer_that_speaks_nonsense_is_told_so_and_hurts_nobody(database: Connection, harbour: Customer) -> None:
    with open_door() as door:
        long = b"MAIL FROM:<" + b"a" * 5_000 + b"@b.example>"
        answers = said(
            door, b"EHLO x", b"DATA", b"RCPT TO:<" + TO.encode() + b">", b"MAIL FROM:a@b@c", long, b"\xff\xfe"
        )
        assert [answer[:3] for answer in answers[:2]] == [b"220", b"250"]
        assert all(answer[:1] == b"5" for answer in answers[2:])
        assert door.give(mail()).code == 250


def test_passwords_are_taken_only_under_tls(harbour: Customer) -> None:
    """spec S136; on this machine a setting allows it, for trying."""
    with open_door(plain_on_loopback=False) as door:
        with pytest.raises(smtplib.SMTPNotSupportedError):
            door.give(mail())
        assert said(door, b"EHLO x", b"AUTH PLAIN AGEAYg==")[2].startswith(b"538")


def test_under_tls_it_takes_passwords_and_mails(database: Connection, harbour: Customer, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    with open_door(tls=serving(certificate), plain_on_loopback=False) as door:
        with door.connected(login="harbour", trusts=trusting(certificate)) as line:
            assert give(line, mail()).code == 250
        with pytest.raises(ssl.SSLCertVerificationError), door.connected(trusts=ssl.create_default_context()):
            pass
        assert door.give(mail(name="2"), login="").code == 550, "mail servers need none, and nobody is believed yet"
    assert len(texts(database)) == 1


def test_what_was_said_before_tls_is_not_heard_under_it(harbour: Customer, tmp_path: Path) -> None:
    """RFC 3207 §6: who stands between could say something before (CVE-2024-34083)."""
    certificate = self_signed(tmp_path)
    with open_door(tls=serving(certificate), plain_on_loopback=False) as door:
        wire = socket.create_connection(("127.0.0.1", door.port), timeout=30)
        for line in (b"HELO x\r\n", b"STARTTLS\r\nNOOP\r\n"):
            assert wire.recv(1000).startswith((b"220", b"250"))
            wire.sendall(line)
        assert wire.recv(1000).startswith(b"220 Ready")
        with trusting(certificate).wrap_socket(wire, server_hostname="localhost") as secured:
            secured.sendall(b"HELO x\r\n")
            assert secured.recv(1000) == f"250 {DOMAIN}\r\n".encode(), "the first answer is HELO's"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (b"AUTH PLAIN !!!", b"501"),
        (b"AUTH PLAIN AGE=", b"501"),
        (b"AUTH LOGIN !!!", b"501"),
        (b"AUTH CRAM-MD5", b"504"),
    ],
)
def test_a_malformed_sign_in_is_told_from_a_wrong_one(harbour: Customer, given: bytes, code: bytes) -> None:
    with open_door() as door:
        assert said(door, b"EHLO x", given)[2].startswith(code)


def test_a_sixth_try_in_one_session_ends_it(harbour: Customer) -> None:
    with open_door() as door:
        assert said(door, b"EHLO x", *[b"AUTH PLAIN AGEAYg=="] * 6)[-1].startswith(b"421")


def test_login_is_spoken_too_for_old_programs(database: Connection, harbour: Customer) -> None:
    with open_door() as door, door.connected() as line:
        line.ehlo()
        line.user, line.password = "harbour", PASSWORD
        assert line.auth("LOGIN", line.auth_login)[0] == 235
        assert give(line, mail()).code == 250


def test_one_address_has_so_many_connections(harbour: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """spec S125"""
    monkeypatch.setattr("sampan.interfaces.smtp_door.server.MOST_OF_ADDRESS", 2)
    with open_door() as door, door.connected(), door.connected():
        assert said(door)[0].startswith(b"421 4.3.2")


def test_so_many_mails_are_on_their_way_in_at_once(
    database: Connection, harbour: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is kept in memory until it is whole; strangers take no place of those who have signed in."""
    monkeypatch.setattr("sampan.interfaces.smtp_door.server.MOST_MAILS_AT_ONCE", 1)
    with open_door() as door, door.connected() as slow:
        slow.ehlo()
        slow.mail("stranger@elsewhere.example")
        slow.rcpt(TO)
        assert slow.docmd("DATA")[0] == 354
        with pytest.raises(smtplib.SMTPDataError) as refused:
            door.give(mail(), login="")
        assert refused.value.smtp_code == 451
        assert door.give(mail()).code == 250
        slow.close()  # what it would say to end is read as its mail


def test_a_customer_in_a_hurry_is_asked_to_come_again(
    database: Connection, harbour: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sampan.interfaces.smtp_door.door.MOST_MAILS_A_MINUTE", 2)
    with open_door() as door, door.connected(login="harbour") as line:
        codes = [give(line, mail(name=f"{number}")).code for number in range(3)]
    assert codes == [250, 250, 451]
