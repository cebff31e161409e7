"""A hundred thousand recipients in one request, in a process of at most 200 MB (spec S123); and what a kill leaves."""

import os
import signal
import time
from pathlib import Path

from sampan.database import Connection
from tests.interfaces.json_api.asking import RIGHT, key_of
from tests.interfaces.running import WebProcess, web_process
from tests.world import make_customer, make_places

RECIPIENTS = 100_000
MOST_MEGABYTES = 200
ANSWER_WITHIN_S = 120.0


def peak_megabytes(pid: int) -> float:
    """The most memory a process of Linux has had."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def asked(web: WebProcess, key: str, reference: str) -> dict[str, object]:
    to = [str(85260000000 + number) for number in range(RECIPIENTS)]
    headers = {"authorization": f"Bearer {key}", "idempotency-key": reference, "accept-encoding": "gzip"}
    with web.visitor() as client:
        answer = client.post("/v1/messages", json=RIGHT | {"to": to}, headers=headers, timeout=ANSWER_WITHIN_S)
        assert answer.status_code == 202, answer.text[:500]
        said: dict[str, object] = answer.json()
        said["replayed"] = answer.headers.get("idempotency-replayed")
    return said


def test_a_hundred_thousand_in_one_request_and_once_more_after_a_kill(database: Connection) -> None:
    """spec S8: what was answered, or not, before `kill -9` is there once."""
    make_places()
    make_customer(balance="1000000")
    key = key_of()
    with web_process() as web:
        began = time.monotonic()
        first = asked(web, key, "the list")
        took_s = time.monotonic() - began
        peak = peak_megabytes(web.process.pid)
        web.process.send_signal(signal.SIGKILL)
        web.process.wait()
    with web_process() as web:
        again = asked(web, key, "the list")
        peak_again = peak_megabytes(web.process.pid)
    if os.environ.get("SAY"):
        print(f"{took_s:.1f} s, {peak:.0f} MB; again {peak_again:.0f} MB")
    assert (first.pop("replayed"), again.pop("replayed")) == (None, "true")
    assert first == again
    results = first["results"]
    assert isinstance(results, list)
    assert len({each["id"] for each in results}) == RECIPIENTS
    assert database.execute("SELECT count(*) FROM message").fetchone() == (RECIPIENTS,)
    assert max(peak, peak_again) < MOST_MEGABYTES
