"""What would become of a draft: routes, units, price, and every refusal in its order (spec S2, S40, S83, S84)."""

from datetime import timedelta
from typing import Any

import pytest

from sampan.accounts.tables import Customer
from sampan.billing.money import pips_of
from sampan.billing.tables import Price
from sampan.composing.alphabet import Coding
from sampan.database import Connection, Snapshot
from sampan.messages.planning import MOST_RECIPIENTS
from sampan.messages.tables import Purpose, Status
from sampan.reasons import Reason, Refused
from sampan.routing.tables import Destination, Route
from tests.world import NOW, draft_of, make_customer, make_places, plan_of

HONG_KONG, MACAU, CHINA, LONDON = 85261234567, 85366123456, 8613812345678, 447911123456


def refusal(conn: Connection, customer: Customer, **changes: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        plan_of(conn, draft_of(conn, customer, **changes))
    return caught.value


def test_the_charge_is_units_times_price_by_destination(database: Connection) -> None:
    make_places()
    draft = draft_of(database, make_customer(), [HONG_KONG, MACAU, CHINA, LONDON], text="海港花店" * 20)
    plan = plan_of(database, draft)
    kinds = [plan.kinds[place] for place in plan.kind_of]
    assert [(kind.units, kind.unit_pips) for kind in kinds] == [(2, 2_900), (2, 3_400), (2, 3_600), (2, 3_700)]
    assert plan.messages == 4
    assert plan.units == 8
    assert plan.price_pips == 2 * (2_900 + 3_400 + 3_600 + 3_700)


def test_the_same_number_twice_is_one_message(database: Connection) -> None:
    make_places()
    plan = plan_of(database, draft_of(database, make_customer(), [HONG_KONG, LONDON, str(HONG_KONG)]))
    assert plan.recipients == [HONG_KONG, LONDON]
    assert plan.repeats == [0, 1, 0]


def test_the_price_is_the_one_in_force_at_the_time_of_sending(database: Connection) -> None:
    """Spec S83: effective dates; spec S81: a scheduled batch is shown at the price of its time."""
    make_places()
    harbour = make_customer()
    way = {"destination": Destination.objects.get(name="Hong Kong"), "route": Route.objects.get(code="hk-business")}
    Price.objects.create(**way, effective_from=NOW + timedelta(days=1), unit_pips=9_999)
    Snapshot.forget_all()
    assert plan_of(database, draft_of(database, harbour)).price_pips == 2_900
    later = draft_of(database, harbour, scheduled_at=NOW + timedelta(days=2))
    assert plan_of(database, later).price_pips == 9_999
    assert plan_of(database, draft_of(database, harbour), NOW + timedelta(days=1)).price_pips == 9_999


def test_the_economic_route_shows_no_sender_and_goes_to_hong_kong_only(database: Connection) -> None:
    """Spec S40: RANDOMID; elsewhere it is not possible for that recipient."""
    make_places()
    harbour = make_customer()
    economic = {"route": "hk-economic", "sender": ""}
    plan = plan_of(database, draft_of(database, harbour, **economic))
    assert plan.price_pips == 1_800
    mixed = plan_of(database, draft_of(database, harbour, [HONG_KONG, LONDON], **economic))
    assert [mixed.kinds[place].reason for place in mixed.kind_of] == [None, Reason.SENDER_NOT_POSSIBLE]
    assert mixed.messages == 1
    refused = refusal(database, harbour, recipients=[HONG_KONG, LONDON], all_or_nothing=True, **economic)
    assert refused.reason == Reason.SENDER_NOT_POSSIBLE


def test_to_china_no_sender_of_ones_own_is_needed_and_the_signature_is_noted(database: Connection) -> None:
    make_places()
    plan = plan_of(database, draft_of(database, make_customer(), [CHINA], text="你好"))
    assert plan.signature == "舢舨"
    assert plan.kinds[0].composed.parts == ("【舢舨】你好",)
    assert plan_of(database, draft_of(database, make_customer("other"), [HONG_KONG])).signature == ""


def test_what_no_route_serves_is_left_out_and_free(database: Connection) -> None:
    make_places()
    plan = plan_of(database, draft_of(database, make_customer(), [HONG_KONG, 2348031234567]))
    assert [plan.kinds[place].reason for place in plan.kind_of] == [None, Reason.NO_ROUTE]
    assert plan.price_pips == 2_900


def test_a_message_over_the_customers_limit_is_left_out_and_free(database: Connection) -> None:
    """Spec S84: the limit is for a single message."""
    make_places()
    harbour = make_customer()
    Customer.objects.filter(pk=harbour.pk).update(message_limit_pips=pips_of("0.35"))
    Snapshot.forget_all()
    plan = plan_of(database, draft_of(database, harbour, [HONG_KONG, LONDON, CHINA]))
    assert [plan.kinds[place].reason for place in plan.kind_of] == [
        None,
        Reason.OVER_MESSAGE_LIMIT,
        Reason.OVER_MESSAGE_LIMIT,
    ]
    assert plan.kinds[plan.kind_of[1]].status == Status.UNDELIVERABLE


def test_a_trial_account_sends_to_its_own_mobile_only_and_from_our_sender(database: Connection) -> None:
    """Spec S87."""
    make_places()
    trial = make_customer(status=Customer.Status.TRIAL, senders=())
    Customer.objects.filter(pk=trial.pk).update(verified_mobile=HONG_KONG)
    Snapshot.forget_all()
    plan = plan_of(database, draft_of(database, trial, [HONG_KONG, 85261111111], sender="Anything"))
    assert plan.sender == "Sampan"
    assert [plan.kinds[place].reason for place in plan.kind_of] == [None, Reason.TRIAL_RECIPIENT]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sender": "NotMine"}, Reason.SENDER_NOT_YOURS),
        ({"sender": ""}, Reason.SENDER_NOT_YOURS),
        ({"route": "pigeon"}, Reason.NO_ROUTE),
        ({"recipients": []}, Reason.NO_RECIPIENT),
        ({"recipients": ["85225550142"]}, Reason.NOT_A_MOBILE),
        ({"recipients": range(MOST_RECIPIENTS + 1)}, Reason.TOO_MANY_RECIPIENTS),
        ({"text": "  \n"}, Reason.NO_TEXT),
        ({"text": "a" * 460}, Reason.TOO_LONG),
        ({"text": "你好", "coding": Coding.GSM7}, Reason.NOT_IN_ALPHABET),
        ({"scheduled_at": NOW + timedelta(days=5 * 365 + 2)}, Reason.TOO_FAR_AHEAD),
        ({"validity_minutes": 9}, Reason.BAD_VALIDITY),
        ({"validity_minutes": 1_381}, Reason.BAD_VALIDITY),
    ],
)
def test_each_refusal_names_its_field(database: Connection, changes: dict[str, Any], reason: Reason) -> None:
    make_places()
    refused = refusal(database, make_customer(), **changes)
    assert refused.reason == reason
    assert refused.field


def test_too_long_for_one_destination_refuses_the_whole_and_names_it(database: Connection) -> None:
    """Spec S20, S24: 459 characters fit China's 8 units and not 3 Unicode parts to Hong Kong."""
    make_places()
    refused = refusal(database, make_customer(), recipients=[CHINA, HONG_KONG], text="花" * 202)
    assert refused.reason == Reason.TOO_LONG
    assert refused.value.startswith("Hong Kong")


def test_the_account_is_asked_before_the_sender_the_sender_before_the_numbers_and_so_on(database: Connection) -> None:
    """http_api.md: 3, 8, 17, 6, 5."""
    make_places()
    harbour = make_customer()
    wrong: dict[str, Any] = {
        "sender": "NotMine",
        "recipients": ["1"],
        "text": "",
        "scheduled_at": NOW + timedelta(days=3_000),
    }
    right: dict[str, Any] = {"sender": "HarbourFlo", "recipients": [HONG_KONG], "text": "Hello"}
    met = []
    for field in ("sender", "recipients", "text"):
        met.append(refusal(database, harbour, **wrong).reason)
        wrong[field] = right[field]
    met.append(refusal(database, harbour, **wrong).reason)
    assert met == [Reason.SENDER_NOT_YOURS, Reason.NOT_A_MOBILE, Reason.NO_TEXT, Reason.TOO_FAR_AHEAD]


@pytest.mark.parametrize("status", [Customer.Status.SUSPENDED, Customer.Status.CLOSED])
def test_a_suspended_or_closed_account_sends_nothing(database: Connection, status: Customer.Status) -> None:
    make_places()
    assert refusal(database, make_customer(status=status)).reason == Reason.ACCOUNT_DISABLED


def test_a_time_that_has_passed_means_now_and_five_years_ahead_is_allowed(database: Connection) -> None:
    """Spec S50."""
    make_places()
    harbour = make_customer()
    assert plan_of(database, draft_of(database, harbour, scheduled_at=NOW - timedelta(days=9))).scheduled_at is None
    ahead = NOW.replace(year=NOW.year + 5)
    assert plan_of(database, draft_of(database, harbour, scheduled_at=ahead)).scheduled_at == ahead
    refused = refusal(database, harbour, scheduled_at=ahead + timedelta(seconds=1))
    assert refused.reason == Reason.TOO_FAR_AHEAD


def test_send_by_is_the_validity_for_a_code_and_a_day_for_promotion(database: Connection) -> None:
    """Spec S70."""
    make_places()
    harbour = make_customer()
    code = plan_of(database, draft_of(database, harbour, validity_minutes=15))
    promotion = plan_of(database, draft_of(database, harbour, purpose=Purpose.PROMOTIONAL))
    assert code.send_by == NOW + timedelta(minutes=15)
    assert promotion.send_by == NOW + timedelta(hours=24)
