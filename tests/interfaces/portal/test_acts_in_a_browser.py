"""The buttons of a batch, pressed in a real browser (spec S10, S52, S101)."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from sampan.accounts.tables import Customer
from sampan.database import Connection
from sampan.messages.tables import Batch
from tests.interfaces.portal.test_in_a_browser import no_sideways_scroll, running, sign_in, web
from tests.interfaces.running import WebProcess
from tests.world import send

__all__ = ["running", "web"]  # fixtures


@pytest.mark.browser
def test_a_batch_is_paused_resumed_cancelled_and_sent_again(page: Page, web: WebProcess, database: Connection) -> None:
    sign_in(page, web)
    sent = send(database, Customer.objects.get(), [85261234567, 85261234568], now=timezone.now())
    page.goto(f"{web.address}/batches/{sent.batch_id}/")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("link", name="Cancel the rest").click()
    page.get_by_role("button", name="Cancel the rest").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    page.get_by_role("link", name="Resend").click()
    expect(page.get_by_role("button", name="Review")).to_be_disabled()  # nothing is ticked yet
    page.get_by_label("All reasons").check()
    page.get_by_role("button", name="Review 2 messages").click()
    page.get_by_role("button", name="Send 2 messages").click()
    expect(page.get_by_role("link", name=f"Sent again from batch {sent.batch_id}")).to_be_visible()


@pytest.mark.browser
def test_a_scheduled_batch_is_moved_on_a_phone(page: Page, web: WebProcess, database: Connection) -> None:
    sign_in(page, web)
    now = timezone.now()
    send(database, Customer.objects.get(), now=now, scheduled_at=now + timedelta(hours=3), name="Saturday")
    page.set_viewport_size({"width": 360, "height": 780})
    page.goto(f"{web.address}/scheduled/")
    no_sideways_scroll(page)
    page.get_by_role("link", name="Saturday").click()
    page.get_by_role("link", name="Change or move").click()
    no_sideways_scroll(page)
    page.get_by_label("Date").fill("2030-07-01")
    page.get_by_label("Time", exact=True).fill("09:30")
    page.get_by_role("button", name="See what it comes to").click()
    page.get_by_role("button", name="Save the changes").click()
    expect(page.get_by_text("For 1 Jul 2030 09:30, Hong Kong time")).to_be_visible()
    moved_to = Batch.objects.get().scheduled_at
    assert moved_to is not None
    assert f"{moved_to:%Y-%m-%d %H:%M}" == "2030-07-01 01:30"
