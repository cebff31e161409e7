"""The check of the books finds what is off (spec S89)."""

import pytest

from sampan.accounts.tables import Person
from sampan.database import Connection
from sampan.messages.reconcile import CHECKS, discrepancies
from tests.billing.money import credited
from tests.dispatch.steps import Owner
from tests.world import make_customer, make_places, make_staff, send

CHARGE = "a charge is what its messages were charged"
# What a fault would leave behind, and the check that finds it. Triggers are switched off to get that far.
FAULTS = {
    "UPDATE account SET balance_pips = balance_pips + 2 WHERE kind = 3": "a customer's accounts sum to 0",
    "UPDATE account SET balance_pips = 1 WHERE kind = 8": "what accounts of groups sent others received",
    "UPDATE transfer SET kind = 13 WHERE kind = 2": "a transfer is between its customer's accounts of its kind",
    "UPDATE top_up SET amount_pips = amount_pips + 1": "a top-up was credited as it was filed, and taken back whole",
    "UPDATE top_up SET state = 4": "a top-up was credited as it was filed, and taken back whole",
    "UPDATE account SET balance_pips = balance_pips + 1 WHERE kind = 4": "all accounts sum to 0",
    "UPDATE account SET balance_pips = balance_pips - 1 WHERE kind = 1": "a balance is the sum of its transfers",
    "UPDATE message SET price_pips = price_pips + 1 WHERE id = 100002": "a hold is the prices of its messages",
    "UPDATE message SET charged_pips = charged_pips - 1 WHERE id = 100001": CHARGE,
    "UPDATE transfer SET amount_pips = amount_pips + 1 WHERE kind = 2": CHARGE,
    "UPDATE message SET hold_id = NULL WHERE id = 100002": "what is held is the price of unsettled messages",
    "UPDATE message SET final_at = now(), status = 20 WHERE id = 100002": "an unsettled message is on its way",
    "DELETE FROM queued WHERE message_id = 100002": (
        "an open message is in the queue, with an operator, or its batch waits"
    ),
    "DELETE FROM attempt": "an open message is in the queue, with an operator, or its batch waits",
    "INSERT INTO closed_share (transfer_id, amount_pips) SELECT id, 1 FROM transfer WHERE kind = 2": (
        "what closed messages were charged is their share of the charges"
    ),
    "DELETE FROM message WHERE id = 100002": "what waits or flies belongs to an open or unsettled message",
}


def make_messages(conn: Connection) -> None:
    """One taken and charged, one in the queue; and a top-up by staff."""
    operator, harbour = make_places(), make_customer()
    credited(harbour, "300", by=make_staff("fanny", role=Person.StaffRole.FINANCE))
    send(conn, harbour)
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.taken(100_001)
    send(conn, harbour)


def test_books_that_balance_say_nothing(database: Connection) -> None:
    make_messages(database)
    assert discrepancies(database) == []


@pytest.mark.parametrize(("fault", "check"), FAULTS.items())
def test_a_fault_is_found_and_named(
    database: Connection, migrated_database: Connection, fault: str, check: str
) -> None:
    make_messages(database)
    with migrated_database.transaction():
        migrated_database.execute("SET LOCAL session_replication_role = replica")
        migrated_database.execute(fault.encode())
    assert check in {each.check for each in discrepancies(database)}


def test_every_check_is_tried() -> None:
    untried = CHECKS.keys() - set(FAULTS.values())
    assert untried == {"a release is what its messages were not charged"}  # its twin is that of charges
