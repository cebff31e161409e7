"""What is measured, how, and what it should be. Each measure checks that what it counted is really there."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.callbacks import delivered, running_receiver
from bench.doors import by_json, by_portal, by_soap, large
from bench.filled import fill
from bench.law import register, screening
from bench.load import Load, load, one_at_a_time
from bench.machine import used_s, wait_quiet
from bench.sampan_up import CUSTOMERS, SENDER, TEMPLATE, Measured, connected, sampan_with
from bench.smsc_process import Smsc, running_smsc

SECONDS = 6
QUIET_WITHIN_S = 30.0
BACKLOG = 200_000
BATCH = 50_000
ANSWERED_WITHIN_S = 60.0
MEMORY = "most memory of a process, backlog of 200,000"
IDLE_S = 30.0
ALONE, ALONE_EVERY_S = 200, 0.05
CODES = 200
RECONCILED = 100_000
CANCELLED = 5_000
BULK = 50_000
BULK_RATE = 100
FIRST_BULK = 852_6100_0000
FIRST_CODE = 852_9100_0000


@dataclass
class Result:
    """One run of one measure: the figure it is judged by, and others beside it."""

    figure: float
    beside: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Measure:
    """What `make bench` can be asked for."""

    name: str
    what: str
    unit: str
    floor: float
    aim: float
    run: Callable[[int], list[Result]]
    less_is_better: bool = False
    only_when_named: bool = False  # it takes long

    def reaches(self, figure: float, goal: float) -> bool:
        """Whether a figure is as good as the goal."""
        return figure <= goal if self.less_is_better else figure >= goal


@contextmanager
def _costs(measured: Measured, result: dict[str, Any], messages: Callable[[], int]) -> Iterator[None]:
    """CPU microseconds a message of each program, and its peak memory."""
    noise = wait_quiet(QUIET_WITHIN_S)
    count = messages()  # first: to count many costs PostgreSQL seconds
    before = used_s(measured.groups())
    yield
    after = used_s(measured.groups())
    done = max(1, messages() - count)
    result["us_a_message"] = {name: round((after[name] - before.get(name, 0)) * 1e6 / done) for name in after}
    result["peak_mb"] = measured.peaks_mb()
    result["noise_before"] = noise


def _accept(measured: Measured, loaded: Callable[[], Load]) -> Result:
    """Accepted a second; every one of them is a row."""
    beside: dict[str, Any] = {}
    before = measured.messages()
    with _costs(measured, beside, measured.messages):
        seen = loaded()
    stored = measured.messages() - before
    assert stored >= seen.requests - seen.errors, f"{seen.requests} answered, {stored} stored"
    assert not seen.errors
    return Result(seen.per_s, beside | {"p50_ms": seen.p50_ms, "p99_ms": seen.p99_ms})


def accept(connections: int, web_processes: int) -> Callable[[int], list[Result]]:
    """HTTP API, one recipient a request, durable; nothing is handed over meanwhile."""

    def run(runs: int) -> list[Result]:
        with running_smsc() as smsc, sampan_with(smsc, web_processes=web_processes) as measured:
            measured.pause()

            def loaded() -> Load:
                url = measured.url
                return load(url, TEMPLATE, connections=connections, seconds=SECONDS, customers=CUSTOMERS)

            return [_accept(measured, loaded) for _ in range(runs)]

    return run


def alone(runs: int) -> list[Result]:
    """A code now and then, each delivered before the next is asked for: how long it takes to be accepted."""
    with running_smsc() as smsc, sampan_with(smsc) as measured:

        def loaded() -> Load:
            return one_at_a_time(measured.url, TEMPLATE, count=ALONE, every_s=ALONE_EVERY_S, customers=CUSTOMERS)

        results = [_accept(measured, loaded) for _ in range(runs)]
    return [Result(each.beside["p50_ms"], each.beside) for each in results]


def one_after_another(runs: int) -> list[Result]:
    """One client that asks again as soon as it is answered, while what it asked before is sent and delivered."""
    with running_smsc() as smsc, sampan_with(smsc) as measured:

        def loaded() -> Load:
            return load(measured.url, TEMPLATE, connections=1, seconds=SECONDS, customers=CUSTOMERS)

        results = [_accept(measured, loaded) for _ in range(runs)]
    return [Result(each.beside["p50_ms"], each.beside | {"per_s": round(each.figure)}) for each in results]


def once_end_to_end(measured: Measured, smsc: Smsc, connections: int) -> Result:
    """From the first request to the last final status; all were submitted once and have their receipts."""
    measured.empty()
    smsc.reset()
    beside: dict[str, Any] = {}
    before = measured.messages()
    with _costs(measured, beside, measured.messages):
        began = time.time()
        seen = load(measured.url, TEMPLATE, connections=connections, seconds=SECONDS, customers=CUSTOMERS)
        measured.until_settled()
    ((took_s, delivered),) = measured.platform.query(
        f"SELECT extract(epoch FROM max(final_at)) - {began}, count(*) FILTER (WHERE status = 22) FROM message"
        f" WHERE created_at >= to_timestamp({began})"
    )
    stored, figures = measured.messages() - before, smsc.figures()
    assert stored == delivered == figures["distinct"] == figures["receipts_acked"], (stored, delivered, figures)
    assert figures["duplicates"] == 0
    return Result(
        stored / float(took_s),
        beside | {"accepted_per_s": round(seen.per_s), "p50_ms": seen.p50_ms, "p99_ms": seen.p99_ms},
    )


def end_to_end(connections: int) -> Callable[[int], list[Result]]:
    """Generator, platform and SMSC on the same cores."""

    def run(runs: int) -> list[Result]:
        with running_smsc() as smsc, sampan_with(smsc) as measured:
            return [once_end_to_end(measured, smsc, connections) for _ in range(runs)]

    return run


def cost_when_full(count: int) -> Callable[[int], list[Result]]:
    """CPU a message, end to end, of all programs, with so many messages in the tables: how many times what it was."""

    def run(runs: int) -> list[Result]:
        with running_smsc() as smsc, sampan_with(smsc) as measured:
            empty = [once_end_to_end(measured, smsc, 128).beside["us_a_message"] for _ in range(runs)]
            beside = fill(measured, count)
            full = [once_end_to_end(measured, smsc, 128).beside["us_a_message"] for _ in range(runs)]
        cost = statistics.median(sum(us.values()) for us in empty)
        return [Result(sum(us.values()) / cost, beside | {"us_empty": empty, "us_full": us}) for us in full]

    return run


def _submit(measured: Measured, count: int, first: int, **changes: Any) -> float:
    """One submission of so many recipients, as a door makes it; gives the seconds until it was committed."""
    with connected(measured) as (conn, now):
        # Django's settings read the environment when they are first imported: not before a platform is there.
        from sampan.accounts.customers import customers
        from sampan.messages.announcing import announce, places_of
        from sampan.messages.planning import THIS_PLATFORM, Draft, plan, terms_in_force
        from sampan.messages.submit import Accepted, submit
        from sampan.messages.tables import Purpose, Source

        ((customer_id,),) = measured.platform.query("SELECT customer_id FROM person WHERE login_name = 'bench0'")
        facts = customers(conn, {customer_id})[customer_id]
        values: dict[str, Any] = {"purpose": Purpose.PROMOTIONAL, "text": "Your flowers are on their way."}
        draft = Draft(
            customer=facts,
            source=Source.JSON,
            recipients=[str(first + n) for n in range(count)],
            sender=SENDER,
            **(values | changes),
        )
        terms = terms_in_force(conn, THIS_PLATFORM)
        began = time.perf_counter()
        planned = plan(draft, terms, now)
        (outcome,) = submit(conn, [planned], now)
        took_s = time.perf_counter() - began
        assert isinstance(outcome, Accepted), outcome
        announce(conn, places_of([planned]))
    return took_s


def backlog(runs: int) -> list[Result]:
    """One submission of 200,000, from its commit to the last receipt."""
    results = []
    with running_smsc() as smsc, sampan_with(smsc) as measured:
        for run in range(runs):
            measured.empty()
            smsc.reset()
            beside: dict[str, Any] = {}
            measured.pause()
            with _costs(measured, beside, measured.messages):
                _submit(measured, BACKLOG, FIRST_BULK + run * BACKLOG)
                measured.resume()
                began = time.time()
                measured.until_settled()
            ((last, delivered),) = measured.platform.query(
                "SELECT extract(epoch FROM max(final_at)), count(*) FILTER (WHERE status = 22) FROM message"
                " WHERE batch_id = (SELECT max(id) FROM batch)"
            )
            figures = smsc.figures()
            assert delivered == BACKLOG == figures["distinct"], (delivered, figures)
            assert figures["duplicates"] == 0
            results.append(Result(BACKLOG / (float(last) - began), beside))
    return results


def memory(runs: int) -> list[Result]:
    """A backlog of 200,000 in two calls of the JSON API, to DELIVERED: the most that a process has ever held, in MB."""
    results = []
    with running_smsc() as smsc, sampan_with(smsc) as measured:
        key = measured.platform.sampan("customer", "key", "bench0", "--json-api", "live").strip()
        for run in range(runs):
            measured.pause()
            for half in range(2):
                first = FIRST_BULK + run * BACKLOG + half * BACKLOG // 2
                asked = {"to": [str(first + n) for n in range(BACKLOG // 2)], "text": "Your flowers are on their way."}
                reply = httpx.post(
                    f"{measured.url}/v1/messages",
                    json=asked | {"sender": SENDER, "purpose": "promotional"},
                    headers={"Authorization": f"Bearer {key}"},
                    timeout=ANSWERED_WITHIN_S,
                )
                assert reply.json().get("messages") == BACKLOG // 2, reply.text[:500]
            measured.resume()
            measured.until_settled()
            peaks = measured.peaks_mb()
            results.append(Result(max(peaks.values()), dict(peaks)))
    return results


def accept_batch(runs: int) -> list[Result]:
    """50,000 recipients in one submission: checked, priced, held, committed."""
    with running_smsc() as smsc, sampan_with(smsc) as measured:
        measured.pause()
        return [Result(_submit(measured, BATCH, FIRST_BULK + run * BATCH)) for run in range(runs)]


def reconcile(runs: int) -> list[Result]:
    """The books after 100,000 messages of many customers, some in bulk, some cancelled: `sampan reconcile`, from start
    to "The books balance." """
    results = []
    with running_smsc() as smsc, sampan_with(smsc) as measured:
        load(measured.url, TEMPLATE, connections=128, seconds=SECONDS, customers=CUSTOMERS)
        measured.until_settled()
        measured.pause()
        _submit(measured, CANCELLED, FIRST_CODE)
        ((batch,),) = measured.platform.query("SELECT max(id) FROM batch")
        measured.platform.sampan("batch", "cancel", str(batch))
        measured.resume()
        first = FIRST_BULK
        while (left := RECONCILED - measured.messages()) > 0:
            _submit(measured, min(left, BATCH), first)
            first += BATCH
        measured.until_settled()
        for _ in range(runs):
            began = time.perf_counter()
            assert "The books balance." in measured.platform.sampan("reconcile")
            took_s = time.perf_counter() - began
            sql = "SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM transfer)"
            ((messages, transfers),) = measured.platform.query(sql)
            results.append(Result(took_s, {"messages": messages, "transfers": transfers}))
    return results


def idle(runs: int) -> list[Result]:
    """The whole platform with nothing to do: its share of a core, in per cent."""
    results = []
    with running_smsc() as smsc, sampan_with(smsc) as measured:
        time.sleep(10)
        for _ in range(runs):
            before = used_s(measured.groups())
            time.sleep(IDLE_S)
            after = used_s(measured.groups())
            shares = {name: round((after[name] - before[name]) / IDLE_S * 100, 2) for name in after}
            results.append(Result(round(sum(shares.values()), 2), shares))
    return results


def codes_under_bulk(runs: int) -> list[Result]:
    """While 50,000 drain at 100 parts a second, another customer's codes: the 99th percentile from request to wire."""
    results = []
    for _ in range(runs):
        with running_smsc() as smsc, sampan_with(smsc) as measured:
            measured.platform.sampan("operator", "set", "bench", "--rate", str(BULK_RATE))
            _submit(measured, BULK, FIRST_BULK)
            time.sleep(3)
            waits: list[float] = []
            client = httpx.Client()
            for number in range(CODES):
                asked = time.time()
                to = FIRST_CODE + number
                reply = client.get(measured.url + TEMPLATE.format(customer=2, to=to)).text
                assert reply.startswith("SMSDID:"), reply
                waits.append(asked)
                time.sleep(0.05)
            time.sleep(2)
            rows = measured.platform.query(
                "SELECT m.recipient, extract(epoch FROM a.submitted_at) FROM message m JOIN"
                " (SELECT message_id, submitted_at FROM attempt UNION ALL SELECT message_id, submitted_at"
                f" FROM message_part) a ON a.message_id = m.id WHERE m.recipient >= {FIRST_CODE} ORDER BY 1"
            )
            assert len(rows) == CODES
            took_ms = sorted((float(at) - asked) * 1_000 for (_, at), asked in zip(rows, waits, strict=True))
            results.append(Result(took_ms[int(CODES * 0.99)], {"histogram_ms": _histogram(took_ms)}))
    return results


def callbacks(runs: int) -> list[Result]:
    """30,000 signed webhooks to one server over connections that are kept."""
    with running_smsc() as smsc, sampan_with(smsc) as measured, running_receiver() as url:
        return [Result(*delivered(measured, url)) for _ in range(runs)]


def _histogram(values_ms: list[float]) -> dict[str, int]:
    edges = (5, 10, 20, 50, 100, 200, 500, 1_000)
    counts = {f"<{edge}": sum(value < edge for value in values_ms) for edge in edges}
    return {name: count - before for (name, count), before in zip(counts.items(), [0, *counts.values()], strict=False)}


def _large(name: str, words: str, door: Callable[[Measured], float]) -> Measure:
    def run(runs: int) -> list[Result]:
        return [Result(took_s, {"web_peak_mb": peak}) for took_s, peak in large(door)(runs)]

    return Measure(name, f"100,000 recipients {words}", "s", 30, 5, run, less_is_better=True, only_when_named=True)


def _plain(measured: Callable[[int], list[float]]) -> Callable[[int], list[Result]]:
    return lambda runs: [Result(figure) for figure in measured(runs)]


def _full(name: str, count: int) -> Measure:
    what = f"cost of a message, {count:,} in the tables"
    return Measure(name, what, "×", 1.25, 1.05, cost_when_full(count), less_is_better=True, only_when_named=True)


MEASURES = (
    Measure("accept-32", "accepted, 32 connections", "/s", 5_000, 7_000, accept(32, 1)),
    Measure("accept-128", "accepted, 128 connections, 2 web processes", "/s", 9_000, 12_000, accept(128, 2)),
    Measure("alone", "one request alone, p50", "ms", 2, 1, alone, less_is_better=True),
    Measure("one-client", "one request after another, p50", "ms", 2, 1, one_after_another, less_is_better=True),
    Measure("end-to-end", "end to end with receipts, 128 connections", "/s", 4_000, 8_000, end_to_end(128)),
    Measure("backlog", "backlog of 200,000 to DELIVERED", "/s", 8_000, 15_000, backlog),
    Measure("memory", MEMORY, "MB", 200, 120, memory, less_is_better=True, only_when_named=True),
    Measure("batch", "50,000 recipients in one submission", "s", 2, 0.7, accept_batch, less_is_better=True),
    Measure("reconcile", "books checked after 100,000 messages", "s", 10, 3, reconcile, less_is_better=True),
    _large("large-json", "in one call of the JSON API", by_json),
    _large("large-soap", "in one SendSms", by_soap),
    _large("large-portal", "in two Excel files at the portal", by_portal),
    Measure("register", "register of 1,000,000 imported", "s", 60, 15, _plain(register), less_is_better=True),
    Measure("screening", "50,000 recipients screened", "s", 1, 0.3, _plain(screening), less_is_better=True),
    Measure("idle", "idle, whole platform", "% of a core", 3, 1, idle, less_is_better=True),
    Measure("codes", "a code under another's bulk, p99", "ms", 500, 100, codes_under_bulk, less_is_better=True),
    Measure("callbacks", "webhooks to one fast server", "/s", 2_000, 4_000, callbacks),
    _full("full", 20_000_000),
    _full("full-1m", 1_000_000),
)
