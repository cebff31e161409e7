"""Mails become texts, once, for those who prove who they are (spec S122, S8, S125, S136)."""


import pytest

from sampan.accounts.tables import Customer
from sampan.billing import ledger
from sampan.billing.tables import Account
from sampan.database import Connection
from sampan.messages.tables import Source
from tests.interfaces.smtp_door.running import ROWS, mail, open_door, texts
from tests.world import SENDER, make_customer, make_places


@pytest.fixture
def harbour(database: Connection) -> Customer:
    make_places()
    return make_customer()


def available(conn: Connection, customer: Customer) -> int:
    return ledger.balances(conn, [customer.pk])[customer.pk, Account.Kind.AVAILABLE]


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
