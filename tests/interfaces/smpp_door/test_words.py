"""Each refusal and each end has SMPP's own word."""

import pytest

from sampan.interfaces.http_api import CODES
from sampan.interfaces.smpp_door.words import OWN, STATUSES, error_of, state_of, status_of
from sampan.messages.tables import Status
from sampan.reasons import Reason
from sampan.smpp.pdu import MessageState
from sampan.smpp.pdu import Status as CommandStatus


def test_every_refusal_that_a_draft_can_meet_has_a_command_status() -> None:
    assert CODES.keys() - STATUSES.keys() == set()


def test_every_reason_is_a_command_status_of_the_standard_or_of_our_own_range() -> None:
    statuses = {status_of(reason) for reason in Reason}
    assert CommandStatus.ESME_ROK not in statuses
    assert all(OWN < status < OWN + 0x100 for status in statuses - set(CommandStatus))


@pytest.mark.parametrize("status", Status)
def test_every_end_has_a_final_state_and_everything_else_is_on_its_way(status: Status) -> None:
    reasons = [reason for reason in Reason if reason.shown]
    assert {state_of(status, reason, is_final=False) for reason in reasons} == {MessageState.ENROUTE}
    ends = {state_of(status, reason, is_final=True) for reason in reasons}
    assert not ends & {MessageState.ENROUTE, MessageState.UNKNOWN}


def test_a_route_without_receipts_never_claims_delivery() -> None:
    """Spec S74."""
    assert state_of(Status.PROCESSING, Reason.ROUTE_WITHOUT_RECEIPTS, is_final=True) == MessageState.ACCEPTED


def test_err_is_the_reason_as_customers_know_it() -> None:
    assert [error_of(reason) for reason in (Reason.NONE, Reason.UNKNOWN_SUBSCRIBER, Reason.NOT_SENT_IN_TIME)] == [
        "000",
        "303",
        "315",
    ]
