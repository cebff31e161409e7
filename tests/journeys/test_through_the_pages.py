"""What a customer and our people do together, pressed in real browsers on a platform that runs (spec S131, S85–S92)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.people import Member, Staff, mail_to, text_on
from tests.journeys.platform import Platform, running_platform

FIRST, SECOND = "61230001", "61230002"
IN_CHINA = "+86 138 1234 5678"
BARRED = "发票"  # of the demo's library


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running_platform(tmp_path_factory.mktemp("journeys") / "data") as platform:
        yield platform


class Office(NamedTuple):
    """Our people at their desks: who approves, who moves money, and who confirms what somebody else has moved."""

    compliance: Staff
    finance: Staff
    second: Staff


@pytest.fixture(scope="module")
def office(browser: Browser, platform: Platform) -> Office:
    """The demo's staff, and one more of finance whom the administrator lets in (spec S134)."""
    demo = platform.ready["demo"]
    compliance, finance, admin, second = (Staff(browser, platform) for _ in range(4))
    compliance.begin("compliance", demo["compliance"]["password"])
    finance.begin("finance", demo["finance"]["password"])
    admin.begin("staff", demo["staff"]["password"])
    admin.go("/staff/people/")
    admin.fill({"Login name": "second", "Name": "Second", "Email": "second@example.com", "Why": "joins us"})
    admin.choose("Role", "finance")
    admin.press("Let them in")
    admin.sees("Second is let in")
    (link,) = re.findall(r"https?://\S+", mail_to(platform, "second@example.com"))
    second.go(link)
    second.fill({"New password": "a boat of my own", "New password again": "a boat of my own"})
    second.press("Keep the password")
    second.begin("second", "a boat of my own")
    return Office(compliance, finance, second)


def approved(browser: Browser, platform: Platform, office: Office, company: str, sender: str, mobile: str) -> Member:
    """A customer that has signed up, filed its registration, and was approved with its sender ID."""
    member = Member(browser, platform)
    member.sign_up(company, sender.lower(), registration=mobile, mobile=mobile)
    member.file_registration()
    member.ask_for_sender(sender)
    office.compliance.approve(company)
    office.compliance.grant(sender)
    return member


@pytest.mark.browser
def test_from_the_sign_up_to_the_first_paid_batch(browser: Browser, platform: Platform, office: Office) -> None:
    """Spec S131, S87, S60, S83, S85, S89: the books agree with the customer's sums at the end."""
    noodles = Member(browser, platform)
    noodles.sign_up("Wong Kee Noodles", "wongkee", registration="39120447", mobile="61110001")
    assert noodles.balance == "HK$5.00"
    noodles.review("6111 0001", "A first bowl on trial")
    noodles.send(1)
    assert text_on(platform, "85261110001", "A first bowl on trial")
    noodles.file_registration()
    noodles.ask_for_sender("WongKee")

    office.compliance.approve("Wong Kee Noodles")
    office.compliance.grant("WongKee")
    office.finance.go(f"/staff/customers/{office.finance.customer('Wong Kee Noodles')}/prices/")
    office.finance.put_prices("destination,route,from,hkd_per_unit\nHong Kong,hk-business,,0.25\n")

    noodles.file_top_up("300", "FPS 4711")
    office.finance.credit("300", "Wong Kee Noodles")
    office.finance.sees("is done")
    noodles.file_top_up("12,000", "FPS 4712")
    office.finance.credit("12,000", "Wong Kee Noodles")
    office.finance.sees("waits for a second person")
    before = noodles.balance
    office.second.confirm("Wong Kee Noodles")
    office.second.sees("is done")
    assert (before, noodles.balance) == ("HK$304.71", "HK$12,304.71")

    noodles.review(f"{FIRST}\n{SECOND}\n8525100 0001", "Two bowls for one until Sunday")
    noodles.sees("HK$0.75")
    batch = noodles.send(3)
    noodles.sees("Undeliverable")
    assert text_on(platform, f"852{FIRST}", "Two bowls for one") == "Two bowls for one until Sunday"
    assert noodles.balance == "HK$12,303.96"
    assert noodles.closing_balance() == "12,303.9600"
    assert platform.query(f"SELECT sum(charged_pips)::int FROM message WHERE batch_id = {batch}") == [(7_500,)]
    assert "balance" in platform.sampan("reconcile")


@pytest.mark.browser
def test_a_charity_gets_its_bonuses(browser: Browser, platform: Platform, office: Office) -> None:
    """Spec S86: 300 brings 530, and the next 1,000 brings 1,100."""
    mary = approved(browser, platform, office, "St Mary’s Kitchen", "StMary", "61110002")
    number = office.compliance.customer("St Mary’s Kitchen")
    office.compliance.go(f"/staff/customers/{number}/certificate/")
    office.compliance.fill({"Number of the Inland Revenue’s file": "91/1234", "Valid from": "2020-04-01"})
    office.compliance.fill({"Why": "the letter of section 88"})
    office.compliance.press("Put it on file")
    office.compliance.sees("The certificate is on file")
    assert mary.balance == "HK$5.00"
    mary.file_top_up("300", "cheque 100")
    office.finance.credit("300", "St Mary’s Kitchen")
    office.finance.sees("is done")
    assert mary.balance == "HK$535.00"
    mary.file_top_up("1,000", "cheque 101")
    office.finance.credit("1,000", "St Mary’s Kitchen")
    office.finance.sees("is done")
    assert mary.balance == "HK$1,635.00"
    mary.go("/money/")
    mary.sees("+230.00 bonus")
    mary.sees("+100.00 bonus")


@pytest.mark.browser
def test_a_primarys_owner_moves_money_to_its_sub_account(browser: Browser, platform: Platform, office: Office) -> None:
    """Spec S88: both see it, and Mallory sees nothing of either."""
    harbour, login = Member(browser, platform), platform.ready["demo"]["customer"]
    harbour.sign_in(login["username"], login["password"])
    shop = approved(browser, platform, office, "Harbour Shatin", "Shatin", "61110003")
    primary = office.finance.customer("Harbour Florist")
    office.finance.go(f"/staff/customers/{office.finance.customer('Harbour Shatin')}/money/")
    office.finance.fill({"Number of its primary": primary})
    office.finance.page.locator("#why-group").fill("both owners have signed")
    office.finance.press("Make it a sub account")
    office.finance.sees("Harbour Shatin is a sub account of Harbour Florist")

    harbour.go("/money/")
    harbour.follow("Sub accounts")
    harbour.choose("To", "Harbour Shatin")
    harbour.fill({"Amount": "100"})
    harbour.press("Move the money")
    harbour.sees("Sent to Harbour Shatin")
    assert shop.balance == "HK$105.00"
    shop.go("/money/statement/")
    shop.sees("Harbour Florist")
    shop.review(FIRST, "The shop in Shatin is open")
    batch = shop.send(1)

    mallory = approved(browser, platform, office, "Mallory Ltd", "Mallory", "61110004")
    for path in ("/", "/money/", "/money/statement/", "/money/sub-accounts/", "/results/"):
        mallory.go(path)
        mallory.sees_nothing_of("Harbour")
    for somebody in (mallory, harbour):  # results are each account's own
        somebody.go(f"/batches/{batch}/")
        expect(somebody.page.get_by_role("heading", name="There is no such page")).to_be_visible()


@pytest.mark.browser
def test_a_sender_to_china_gets_its_signature_and_words_are_refused(
    browser: Browser, platform: Platform, office: Office
) -> None:
    """Spec S90, S91: a barred word stops what goes to China alone; a clean text goes with the signature."""
    tea = approved(browser, platform, office, "Lung Wah Tea", "LungWah", "61110005")
    tea.file_top_up("300", "FPS 4720")
    office.finance.credit("300", "Lung Wah Tea")
    tea.go("/account/promotions/")
    tea.fill({"Signature, without its brackets": "龍華茶行", "Why it is yours": "the registration’s Chinese name"})
    tea.press("Ask for it")
    tea.sees("【龍華茶行】")
    office.compliance.go("/staff/china/signatures/")
    office.compliance.page.get_by_label("Decide on 龍華茶行").click()
    office.compliance.fill({"Why": "the registration’s Chinese name"})
    office.compliance.press("Approve")

    tea.review(f"{IN_CHINA}\n{FIRST}", f"新茶到，可開{BARRED}")
    tea.sees("Will not be sent: 1")
    tea.sees("A word that may not be sent to China")
    batch = tea.send(1)
    tea.sees("309")
    ended = platform.query(f"SELECT recipient, status, reason FROM message WHERE batch_id = {batch} ORDER BY recipient")
    assert ended == [(int(f"852{FIRST}"), 22, 300), (8613812345678, 21, 309)]

    tea.review(IN_CHINA, "新茶到，歡迎光臨")
    tea.send(1)
    assert text_on(platform, "8613812345678", "新茶到").startswith("【龍華茶行】新茶到，歡迎光臨")
