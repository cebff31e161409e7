"""wrk, and what it says; and single requests."""

import http.client
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

SCRIPT = Path(__file__).with_name("load.lua")
FIRST_MOBILE, NUMBERS_A_RUN, RUNS = 852_6100_0000, 1_000_000, 8  # 61–68: runs a second apart ask for other numbers
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1_000.0, "m": 60_000.0}


class CannotMeasure(Exception):
    """Something that measuring needs is not here; the message says what, and how to mend it."""


class Load(NamedTuple):
    """What the clients saw."""

    requests: int
    errors: int
    seconds: float
    per_s: float
    p50_ms: float
    p99_ms: float


def load(url: str, template: str, *, connections: int, seconds: int, customers: int = 1) -> Load:
    """Requests as fast as so many connections get answers. `template`: the path, with {to} and {customer} in it."""
    if not shutil.which("wrk"):
        raise CannotMeasure("wrk is not here (Debian: apt-get install wrk)")
    first = FIRST_MOBILE + int(time.time()) % RUNS * NUMBERS_A_RUN
    environment = os.environ | {"TEMPLATE": template, "FIRST": str(first), "CUSTOMERS": str(customers)}
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", "-s", str(SCRIPT), url]
    said = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True).stdout
    requests = int(_find(r"(\d+) requests in", said))
    errors = int(_find(r"Non-2xx or 3xx responses: (\d+)", said, "0"))
    took_s = _milliseconds(_find(r"requests in ([\d.]+\w+)", said)) / 1_000
    return Load(
        requests=requests,
        errors=errors,
        seconds=took_s,
        per_s=(requests - errors) / took_s,
        p50_ms=_milliseconds(_find(r"(?m)^\s+50%\s+(\S+)", said)),
        p99_ms=_milliseconds(_find(r"(?m)^\s+99%\s+(\S+)", said)),
    )


def one_at_a_time(url: str, template: str, *, count: int, every_s: float, customers: int = 1) -> Load:
    """So many requests on one connection, each begun `every_s` after the one before: it finds the others done."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    first = FIRST_MOBILE + int(time.time()) % RUNS * NUMBERS_A_RUN
    took_ms: list[float] = []
    errors = 0
    began = time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, began + number * every_s - time.perf_counter()))
        asked = time.perf_counter()
        connection.request("GET", template.format(customer=number % customers, to=first + number))
        errors += not connection.getresponse().read().startswith(b"SMSDID:")
        took_ms.append((time.perf_counter() - asked) * 1_000)
    seconds = time.perf_counter() - began
    took_ms.sort()
    return Load(count, errors, seconds, (count - errors) / seconds, took_ms[count // 2], took_ms[count * 99 // 100])


def _find(pattern: str, text: str, otherwise: str | None = None) -> str:
    match = re.search(pattern, text)
    if match:
        return match[1]
    if otherwise is None:
        raise CannotMeasure(f"wrk said something else: {text}")
    return otherwise


def _milliseconds(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)([a-z]+)", text)
    if not match:
        raise CannotMeasure(f"wrk said {text!r} instead of a time")
    return float(match[1]) * MILLISECONDS[match[2]]
