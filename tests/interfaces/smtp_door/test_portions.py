"""Each recipient of a mail stays in the portion where it first was (spec S8)."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sampan.accounts.tables import Customer
from sampan.database import Connection
from sampan.interfaces.smtp_door.portions import KEPT_FOR, forget_old, note_answer, portions_of
from tests.world import NOW, make_customer, make_mallory

NAME = "<1@harbour.example>"


def test_the_first_portion_has_the_mails_own_name(database: Connection) -> None:
    harbour, mallory = make_customer(), make_mallory()
    (first,) = portions_of(database, harbour.pk, NAME, [1, 2, 2], NOW)
    (second,) = portions_of(database, harbour.pk, NAME, [3], NOW)
    assert (first.reference, first.recipients) == (NAME, (1, 2))
    assert (second.reference, second.recipients) == (f"{NAME}#2", (3,))
    assert portions_of(database, harbour.pk, NAME, [2, 3], NOW) == [first, second]
    assert portions_of(database, mallory.pk, NAME, [1], NOW)[0].recipients == (1,)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.uuids(), brought=st.lists(st.lists(st.integers(0, 9), min_size=1), max_size=8))
def test_however_it_is_cut_nobody_is_in_two(database: Connection, name: object, brought: list[list[int]]) -> None:
    customer = Customer.objects.first() or make_customer()
    references: dict[int, str] = {}
    for recipients in brought:
        found = portions_of(database, customer.pk, f"{name}", recipients, NOW)
        assert {number for portion in found for number in portion.recipients} >= set(recipients)
        for portion in found:
            for number in portion.recipients:
                assert references.setdefault(number, portion.reference) == portion.reference


def test_an_answer_is_noted_once_and_another_one_is_new(database: Connection) -> None:
    (portion,) = portions_of(database, make_customer().pk, NAME, [1], NOW)
    assert [note_answer(database, portion, words) for words in ("too poor", "too poor", "sent")] == [True, False, True]


def test_they_go_after_as_long_as_client_references(database: Connection) -> None:
    customer = make_customer()
    portions_of(database, customer.pk, NAME, [1], NOW)
    assert forget_old(database, NOW + KEPT_FOR) == 0
    assert forget_old(database, NOW + KEPT_FOR + timedelta(seconds=1)) == 1
