"""The page behind the link in a promotional text (spec S95, S96)."""

import pytest

from sampan.accounts.tables import Customer
from sampan.compliance.links import token_of
from sampan.compliance.screening import Asked, screen
from sampan.compliance.tables import Preference
from sampan.database import Connection
from sampan.reasons import Reason
from tests.interfaces.portal.pages import visitor, words
from tests.world import NOW, make_customer, make_places, send

ANNA = 85261234567


@pytest.fixture
def link(database: Connection) -> str:
    make_places()
    accepted = send(database, make_customer(), [ANNA])
    return f"/u/{token_of(accepted.message_ids[0])}"


def test_it_asks_in_both_languages_and_nothing_happens_before_the_press(link: str) -> None:
    page = visitor().get(link)
    assert page.status_code == 200
    assert "不再接收 Harbour Florist 發給 …4567 的推廣短訊" in words(page)
    assert "No more promotional texts from Harbour Florist to …4567?" in words(page)
    assert str(ANNA) not in words(page)
    visitor().head(link)
    assert not Preference.objects.exists()


def test_one_press_unsubscribes_with_its_evidence(link: str, database: Connection) -> None:
    page = visitor().post(link)
    assert "sends no more promotional texts to …4567" in words(page)
    (row,) = Preference.objects.all()
    assert (row.number, row.kind, row.way) == (ANNA, Preference.Kind.UNSUBSCRIBED, Preference.Way.LINK)
    assert row.evidence.startswith("link in message 100001, pressed from 127.0.0.1")
    (screened,) = screen(database, [Asked(row.customer_id, [ANNA], True, None, has_china=False)], NOW)
    assert screened.reasons == {ANNA: Reason.UNSUBSCRIBED}


def test_it_works_after_the_account_was_closed(link: str) -> None:
    """Spec S95: for at least 30 days."""
    Customer.objects.update(status=Customer.Status.CLOSED)
    assert visitor().post(link).status_code == 200
    assert Preference.objects.count() == 1


def test_it_wants_a_token_of_its_own_page(link: str) -> None:
    """Another site's form does not press for anybody."""
    assert visitor(enforce_csrf_checks=True).post(link).status_code == 403
    assert not Preference.objects.exists()


@pytest.mark.parametrize("token", ["0" * 16, "x", token_of(999_999), "a" * 500])
def test_a_link_that_we_did_not_send_leads_nowhere(database: Connection, token: str) -> None:
    assert visitor().get(f"/u/{token}").status_code == 404
    assert visitor().post(f"/u/{token}").status_code == 404
