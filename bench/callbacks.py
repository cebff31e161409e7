"""How many callbacks a second reach one fast server: from what is due to what is recorded as taken."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx

from bench.machine import peak_mb, used_s, wait_quiet
from bench.sampan_up import Measured, connected
from bench.smsc_process import free_port

CALLBACKS = 30_000
TAKEN_WITHIN_S = 120.0
QUIET_WITHIN_S = 30.0
STARTED_WITHIN_S = 10.0


@contextlib.contextmanager
def running_receiver() -> Iterator[str]:
    """The URL of a receiver in a process of its own."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.receiver", str(port)])
    try:
        deadline = time.monotonic() + STARTED_WITHIN_S
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/figures")
                break
            except httpx.ConnectError:
                assert time.monotonic() < deadline, "the receiver does not start"
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()


def delivered(measured: Measured, url: str) -> tuple[float, dict[str, Any]]:
    """Callbacks a second, and what they cost; every one was taken, and once."""
    noise = wait_quiet(QUIET_WITHIN_S)
    seen = httpx.get(f"{url}figures").json()
    cpu = used_s(measured.groups())
    began = _make_due(measured, url)
    done = (
        "SELECT count(*), extract(epoch FROM max(answered_at)) FROM webhook_delivery"
        f" WHERE state = 2 AND answered_at >= to_timestamp({began})"
    )
    deadline = time.monotonic() + TAKEN_WITHIN_S
    while (row := measured.platform.query(done)[0])[0] < CALLBACKS:
        assert time.monotonic() < deadline, f"{row[0]} of {CALLBACKS} taken"
        time.sleep(0.2)
    after = used_s(measured.groups())
    figures = httpx.get(f"{url}figures").json()
    assert figures["distinct"] - seen["distinct"] == CALLBACKS == figures["requests"] - seen["requests"], figures
    used = {name: round((after[name] - cpu[name]) * 1e6 / CALLBACKS) for name in ("webhooks", "postgres")}
    peak = max(map(peak_mb, measured.groups()["webhooks"]))
    return CALLBACKS / (float(row[1]) - began), {"us_a_callback": used, "peak_mb": peak, "noise_before": noise}


def _make_due(measured: Measured, url: str) -> float:
    """Events of so many messages for one endpoint, committed at once; gives when: writing them is not delivering."""
    with connected(measured) as (conn, now):
        from sampan.accounts.tables import Person
        from sampan.webhooks.endpoints import add_endpoint
        from sampan.webhooks.events import Event, emit, listeners
        from sampan.webhooks.tables import WebhookEndpoint

        person = Person.objects.get(login_name="bench0")
        if not WebhookEndpoint.objects.exists():
            add_endpoint(person, url=url, form=WebhookEndpoint.Form.SIGNED_JSON, events=["message.*"], now=now)
        listeners.forget()
        assert person.customer_id is not None
        told = {"to": "85262345678", "sender": "HarbourFlo", "status_code": 22, "reason_code": 300, "reason": "None"}
        told |= {"final": True, "charged_hkd": "0.2900", "units": 1, "begins": "Your ", "created_at": now.isoformat()}
        events = [
            Event("message.delivered", person.customer_id, 100_001 + place, {"id": str(100_001 + place)} | told)
            for place in range(CALLBACKS)
        ]
        with conn.transaction():
            assert emit(conn, events, now=now) == CALLBACKS
        return time.time()
