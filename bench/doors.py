"""100,000 recipients through one door: the seconds until the answer, and the most memory of the web process (S121)."""

import io
import re
import time
from collections.abc import Callable

import httpx
from openpyxl import Workbook

from bench.sampan_up import PASSWORD, SENDER, Measured, sampan_with
from bench.smsc_process import running_smsc

RECIPIENTS = 100_000
IN_A_FILE = 50_000  # the portal's limit
FIRST = 852_6100_0000
TEXT = "Your flowers are on their way."
LOGIN = "bench0"
ANSWERED_WITHIN_S = 120.0
ACCEPTED = f"SELECT count(DISTINCT recipient) FROM message WHERE recipient BETWEEN {FIRST} AND {FIRST + RECIPIENTS - 1}"


def _numbers() -> list[str]:
    return [str(FIRST + place) for place in range(RECIPIENTS)]


def by_json(measured: Measured) -> float:
    """One POST /v1/messages, whose answer has a row for each."""
    key = measured.platform.sampan("customer", "key", LOGIN, "--json-api", "live").strip()
    asked = {"to": _numbers(), "text": TEXT, "sender": SENDER, "purpose": "promotional"}
    began = time.perf_counter()
    reply = httpx.post(
        f"{measured.url}/v1/messages",
        json=asked,
        headers={"Authorization": f"Bearer {key}"},
        timeout=ANSWERED_WITHIN_S,
    )
    took_s = time.perf_counter() - began
    assert len(reply.json().get("results", ())) == RECIPIENTS, reply.text[:500]
    return took_s


def by_soap(measured: Measured) -> float:
    """One SendSms, whose response has a result for each."""
    listed = "".join([f"<recipient>{number}</recipient>" for number in _numbers()])
    target = re.findall(r'targetNamespace="([^"]+)"', httpx.get(f"{measured.url}/soap/?wsdl").text)[0]
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        f'<SendSms xmlns="{target}"><username>{LOGIN}</username><password>{PASSWORD}</password>'
        f"<recipients>{listed}</recipients><text>{TEXT}</text><sender>{SENDER}</sender></SendSms></e:Body></e:Envelope>"
    )
    began = time.perf_counter()
    reply = httpx.post(
        f"{measured.url}/soap/", content=body, headers={"Content-Type": "text/xml"}, timeout=ANSWERED_WITHIN_S
    )
    took_s = time.perf_counter() - began
    assert reply.text.count("messageId>") == 2 * RECIPIENTS, reply.text[:500]
    return took_s


def by_portal(measured: Measured) -> float:
    """Two Excel files, the review, and Send, as a browser asks for them."""
    files = [_excel(_numbers()[start : start + IN_A_FILE]) for start in range(0, RECIPIENTS, IN_A_FILE)]
    with httpx.Client(base_url=measured.url, timeout=ANSWERED_WITHIN_S) as browser:
        _press(browser, "/sign-in/", {"name": LOGIN, "password": PASSWORD})
        typed = {"source": "file", "text": TEXT, "purpose": "1", "route": "hk-business", "sender": SENDER}
        typed |= {"validity": "120", "when": "now"}
        began = time.perf_counter()
        page = "/compose/"
        for file, do in zip(files, ("count", "review"), strict=True):
            page = _press(browser, page, typed | {"do": do}, file)
        seal = re.findall(r'name="seal" value="([^"]+)"', browser.get(page).text)[0]
        batch = _press(browser, page, {"seal": seal})
        took_s = time.perf_counter() - began
        assert "/batches/" in batch, batch
    return took_s


def _press(browser: httpx.Client, page: str, typed: dict[str, str], file: bytes = b"") -> str:
    """Send a page's form; gives the page that it leads to."""
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(page).text)[0]
    files = {"file": ("list.xlsx", file)} if file else None
    reply = browser.post(page, data=typed | {"csrfmiddlewaretoken": token}, files=files)
    assert reply.status_code == 302, re.sub(r"<[^>]*>|\s+", " ", reply.text)[:2_000]
    return reply.headers["Location"]


def _excel(numbers: list[str]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for number in numbers:
        sheet.append([int(number)])
    octets = io.BytesIO()
    book.save(octets)
    return octets.getvalue()


def large(door: Callable[[Measured], float]) -> Callable[[int], list[tuple[float, int]]]:
    """A measure of a door: the seconds of each run, and the most memory of the web process, in MB."""

    def run(runs: int) -> list[tuple[float, int]]:
        found = []
        for _ in range(runs):
            with running_smsc() as smsc, sampan_with(smsc) as measured:
                measured.pause()
                took_s = door(measured)
                ((count,),) = measured.platform.query(ACCEPTED)
                assert count == RECIPIENTS, count
                found.append((took_s, measured.peaks_mb()["web"]))
        return found

    return run
