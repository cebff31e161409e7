"""Home: only what there is, and figures that are those of the results (spec S5, S80, S81, S102)."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from sampan.accounts.tables import Customer
from sampan.database import Connection, Snapshot
from sampan.messages.reports.shown import Shown
from sampan.messages.tables import Source
from tests.interfaces.portal.pages import html, signed_in, words
from tests.messages.one_of_each import make_one_of_each
from tests.world import make_customer, make_places, send


def test_a_new_account_is_shown_the_way_to_its_first_message(database: Connection) -> None:
    make_customer("newone", name="新花店", status=Customer.Status.TRIAL, balance="5")
    page = signed_in("newone").get("/")
    assert "Welcome, 新花店 A trial account with HK$5.00." in words(page)
    assert "Nothing sent yet" in words(page)
    assert '<span class="wide" lang="zh-Hant-HK">新花店</span>' in html(page)


def test_the_figures_of_today_are_those_of_the_messages(database: Connection) -> None:
    make_one_of_each(database, timezone.now())
    said = words(signed_in().get("/"))
    assert "Balance HK$995.22 and HK$1.74 held for messages on the way" in said
    assert "Messages today 9 still to go: 1" in said
    assert "Delivered 33.3% 1 of 3 that have ended" in said
    assert "Charged today HK$3.04 charge units: 10" in said


def test_what_is_being_sent_has_its_progress(database: Connection) -> None:
    """spec S102"""
    one = make_one_of_each(database, timezone.now())
    for path in ("/", "/sending-now/"):
        page = signed_in().get(path)
        assert f"Christmas market · {one.batch_id} 8 of 9" in words(page)
        assert '<progress max="9" value="8"' in html(page)
        assert f'href="/batches/{one.batch_id}/"' in html(page)
    assert 'data-live="/sending-now/"' in html(signed_in().get("/"))


def test_earlier_today_has_a_line_for_each_batch_and_each_api(database: Connection) -> None:
    make_places()
    florist = make_customer()
    now = timezone.now()
    send(database, florist, now=now, source=Source.PORTAL, name="Staff roster")
    for _ in range(3):
        send(database, florist, now=now, source=Source.HTTP)
    database.execute("DELETE FROM queued")
    page = signed_in().get("/")
    said = words(page)
    assert "Nothing is waiting for an operator." in said
    assert f"Staff roster 10001, {timezone.localtime(now):%H:%M} 1 0 HK$0.00" in said
    assert f"HTTP API since {timezone.localtime(now):%H:%M} 3 0 HK$0.00" in said
    assert f'href="/results/?source=2&amp;from={timezone.localtime(now):%Y-%m-%d}' in html(page)


def test_what_comes_up_is_listed_and_a_balance_too_short_for_it_is_told(database: Connection) -> None:
    """spec S81"""
    make_places()
    florist = make_customer(balance="10")
    due = timezone.now() + timedelta(days=2)
    for name in ("Pick-ups", "Deliveries"):
        send(database, florist, range(85261000000, 85261000020), now=timezone.now(), scheduled_at=due, name=name)
    said = words(signed_in().get("/"))
    assert "Coming up Pick-ups" in said
    assert "messages: 20 HK$5.80" in said
    assert "HK$1.60 short for what is scheduled" in said


def test_a_suspended_customer_is_told(database: Connection) -> None:
    make_places()
    send(database, make_customer(), now=timezone.now())
    Customer.objects.update(status=Customer.Status.SUSPENDED)
    Snapshot.forget_all()
    assert "The account is suspended Nothing is sent for it." in words(signed_in().get("/"))


@pytest.mark.parametrize("path", ["/", "/compose/", "/results/"])
def test_no_page_links_to_what_is_not_there(database: Connection, path: str) -> None:
    """Every address on the pages answers."""
    one = make_one_of_each(database, timezone.now())
    member = signed_in()
    pages = [path, f"/batches/{one.batch_id}/", *(f"/messages/{id_}/" for id_ in one.ids.values())]
    links = {link for page in pages for link in hrefs(html(member.get(page)))}
    assert {f"/batches/{one.batch_id}/", "/", "/results/"} <= links
    for link in links:
        assert member.get(link, follow=True).status_code == 200, link


def hrefs(page: str) -> set[str]:
    found = {link.replace("&amp;", "&") for link in re.findall(r'<a [^>]*href="([^"]*)"', page)}
    return {link for link in found if not link.startswith("#") and not link.startswith("?")}


def test_every_status_has_a_word(database: Connection) -> None:
    """design: a status is a shape, a word and a colour"""
    one = make_one_of_each(database, timezone.now())
    page = html(signed_in().get("/results/"))
    for name in one.ids:
        shown = one.shown(name)
        assert f'id="{shown}"' not in page
        assert page.count(f'<option value="{shown}"') == 1
    assert {shown for shown in Shown if f'<option value="{shown}"' in page} == set(Shown)
