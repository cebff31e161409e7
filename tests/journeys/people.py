"""People at browsers of their own, who press what stands on the pages: somebody of a customer's, somebody of ours."""

import base64
import re
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.journeys.platform import Platform, eventually
from tests.uploads.papers import PDF

PASSWORD = "hand-made since 1958"
PAGE_WITHIN_MS = 20_000
SENT_WITHIN_MS = 40_000
TEXT_WITHIN_S = 20.0
LATEST = 1000
PAPER = FilePayload(name="paper.pdf", mimeType="application/pdf", buffer=PDF)


class Somebody:
    """At a browser that nobody else uses."""

    def __init__(self, browser: Browser, platform: Platform) -> None:
        self.platform = platform
        context = browser.new_context(base_url=platform.ready["web"])
        context.set_default_timeout(PAGE_WITHIN_MS)
        self.page: Page = context.new_page()

    def go(self, path: str) -> None:
        """Open an address."""
        self.page.goto(path)

    def fill(self, typed: Mapping[str, str]) -> None:
        """Label → what is typed there."""
        for label, value in typed.items():
            self.page.get_by_label(label, exact=True).fill(value)

    def choose(self, label: str, option: str) -> None:
        """One of a list."""
        self.page.get_by_label(label, exact=True).select_option(label=option)

    def add_paper(self, label: str) -> None:
        """A scanned document."""
        self.page.get_by_label(label, exact=True).set_input_files(PAPER)

    def press(self, button: str) -> None:
        """A button, by its words."""
        self.page.get_by_role("button", name=button, exact=True).click()

    def follow(self, link: str) -> None:
        """A link, by its words."""
        self.page.get_by_role("link", name=link, exact=True).click()

    def sees(self, words: str) -> None:
        """The page says so."""
        expect(self.page.locator("main")).to_contain_text(words)

    def sees_nothing_of(self, words: str) -> None:
        """The page does not say it."""
        expect(self.page.locator("body")).not_to_contain_text(words)

    def sign_in(self, login_name: str, password: str) -> None:
        """By name and password."""
        self.go("/sign-in/")
        self.fill({"Login name": login_name, "Password": password})
        self.press("Sign in")


class Member(Somebody):
    """The owner of a customer, who comes from the street."""

    def sign_up(self, company: str, login_name: str, *, registration: str, mobile: str) -> None:
        """Until the account is open: the code is read on the handset (spec S131)."""
        self.go("/sign-up/")
        self.fill(
            {
                "Company": company,
                "Business registration number": registration,
                "Your name": "Wong Siu-ming",
                "Email": f"{login_name}@example.com",
                "Mobile": mobile,
                "Login name": login_name,
                "Password": PASSWORD,
                "Password again": PASSWORD,
            }
        )
        self.press("Send me a code")
        (code,) = re.findall(r"\b\d{6}\b", text_on(self.platform, f"852{mobile}", "is your Sampan code"))
        self.fill({"6-digit code": code})
        self.press("Open the account")
        self.sees(f"Welcome, {company}")

    def file_registration(self) -> None:
        """For staff to approve."""
        self.go("/account/")
        self.add_paper("Certificate")
        self.press("File it")
        self.sees("We are looking at it")

    def ask_for_sender(self, sender: str) -> None:
        """A name, on the grounds of the registration."""
        self.go("/account/sender-ids/")
        form = self.page.get_by_role("form", name="Ask for a name")
        form.get_by_label("Sender ID").fill(sender)
        form.get_by_label("Document").set_input_files(PAPER)
        form.get_by_role("button", name="Ask").click()

    def file_top_up(self, amount: str, reference: str) -> None:
        """Paid by FPS, with the bank's receipt."""
        self.go("/money/")
        self.fill({"Amount": amount, "Payment reference": reference})
        self.page.get_by_label("FPS").check()
        self.add_paper("Receipt")
        self.press("File the top-up")
        self.sees(amount)

    def review(self, numbers: str, text: str, *, purpose: str = "Transactional") -> None:
        """Compose and look at the review."""
        self.go("/compose/")
        self.page.get_by_text("Type or paste").click()
        self.fill({"Mobile numbers": numbers, "Text": text})
        self.page.get_by_role("radio", name=purpose).check()
        self.page.get_by_role("button", name="Review").last.click()

    def send(self, count: int) -> int:
        """Press Send on the review, and wait until the batch has ended; its number."""
        self.press(f"Send {count} message{'s' * (count > 1)}")
        expect(self.page.get_by_text("Ended", exact=True).first).to_be_visible(timeout=SENT_WITHIN_MS)
        return int(self.page.url.rstrip("/").rpartition("/")[2])

    @property
    def balance(self) -> str:
        """As it stands at the top of every page."""
        self.go("/")
        return self.page.locator(".purse .money").inner_text()

    def closing_balance(self) -> str:
        """As the statement of this month has it."""
        self.go("/money/statement/")
        return self.page.locator(".money-figure dd").first.inner_text()


class Staff(Somebody):
    """One of our people."""

    def begin(self, login_name: str, password: str) -> None:
        """Sign in for the first time: the second factor is set up before anything else (spec S132)."""
        self.sign_in(login_name, password)
        self.sees("Set up the second factor")
        secret = self.page.locator("#secret").inner_text().replace(" ", "")
        totp = TOTP(base64.b32decode(secret), 6, SHA1(), 30, enforce_key_length=False)
        self.fill({"6-digit code": totp.generate(int(time.time())).decode()})
        self.press("Turn it on")
        self.go("/staff/")
        self.sees("Worklist")

    def approve(self, company: str) -> None:
        """Its registration."""
        self.go("/staff/approvals/")
        self.follow(company)
        self.fill({"Words": "the certificate has this name"})
        self.press("Approve the account")
        self.sees(f"{company} is approved")

    def grant(self, sender: str) -> None:
        """A sender ID that waits."""
        self.go("/staff/approvals/")
        self.follow(sender)
        self.fill({"Why": "the name of the registration"})
        self.press("Grant")
        self.sees(f"{sender} is granted")

    def credit(self, amount: str, company: str) -> None:
        """The top-up of that amount which this customer has filed."""
        self.go("/staff/top-ups/")
        row = self.page.get_by_role("row").filter(has_text=company).filter(has_text=amount).first
        row.get_by_role("link").click()
        self.fill({"Why": "seen on the bank's list"})
        self.press("Credit the top-up")

    def confirm(self, company: str) -> None:
        """An entry of money that waits for a second person."""
        self.go("/staff/entries/")
        self.page.get_by_role("row").filter(has_text=company).first.get_by_role("link").click()
        self.press("Confirm, and move the money")

    def put_prices(self, lines: str) -> None:
        """A file with prices, on the page that takes it."""
        file = FilePayload(name="prices.csv", mimeType="text/csv", buffer=lines.encode())
        self.page.get_by_label("CSV file").set_input_files(file)
        self.fill({"Why": "agreed by phone"})
        self.press("Check and take it")
        self.sees("Prices added: 1")

    def customer(self, company: str) -> str:
        """The number of a customer."""
        self.go("/staff/customers/")
        self.follow(company)
        return self.page.url.rstrip("/").rpartition("/")[2]


def text_on(platform: Platform, number: str, said: str) -> str:
    """The latest text with these words on a handset, as the simulator has it."""

    def latest() -> str:
        control = platform.ready["simulator"]["control"]
        since = max(0, platform.stats()["last"] - LATEST)
        found = httpx.get(f"{control}/messages", params={"since": since, "limit": LATEST}).json()
        texts = [each["text"] for each in found if each["destination"]["address"] == number and said in each["text"]]
        return texts[-1] if texts else ""

    found: str = eventually(latest, TEXT_WITHIN_S)
    return found


def mail_to(platform: Platform, address: str) -> str:
    """The latest mail to somebody: without a smarthost mails are files."""

    def latest() -> str:
        files = sorted(Path(platform.folder / "mail").glob("*"), key=lambda file: file.stat().st_mtime)
        texts = [file.read_text() for file in files]
        return next((text for text in reversed(texts) if f"To: {address}" in text), "")

    found: str = eventually(latest, TEXT_WITHIN_S)
    return found
