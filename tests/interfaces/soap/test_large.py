"""100,000 recipients in one request: all of them, once, and no more than 200 MB for the process (spec S121)."""

import re
from pathlib import Path

import httpx
from lxml import etree

from sampan.database import Connection
from sampan.interfaces.soap.reading import MOST_RECIPIENTS
from tests.interfaces.doors.soap import NAMES, envelope
from tests.interfaces.running import web_process
from tests.interfaces.soap.asking import send_sms
from tests.world import make_customer, make_places

MOST_MEBI = 200
ANSWERED_WITHIN_S = 60.0
FIRST = 85260000000


def test_a_hundred_thousand_recipients_are_one_batch_within_two_hundred_megabytes(database: Connection) -> None:
    make_places()
    make_customer(balance="30000")
    numbers = [str(FIRST + place) for place in range(MOST_RECIPIENTS)]
    body = envelope(send_sms(*numbers)).encode()
    with web_process() as web:
        reply = httpx.post(f"{web.address}/soap/", content=body, timeout=ANSWERED_WITHIN_S)
        peak = int(re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{web.process.pid}/status").read_text())[0]) >> 10
    print(f"{reply.elapsed.total_seconds():.1f} s, {len(body) >> 20} MiB asked, {peak} MiB at most")
    results = etree.fromstring(reply.content).findall(".//s:result", NAMES)
    assert [each.findtext("s:recipient", "", NAMES) for each in results] == numbers
    assert {each.findtext("s:status", "", NAMES) for each in results} == {"2"}
    assert database.execute("SELECT count(*), sum(price_pips) FROM message").fetchall() == [(100_000, 290_000_000)]
    assert peak < MOST_MEBI
