"""Where the fire is: a whole platform whose SMSC has two links and goes bad as a case says, and the case itself."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.fire import invariants
from tests.fire.cases import TROUBLES, Case, State
from tests.fire.customer import Customer
from tests.journeys.platform import Platform, eventually, running_platform

SUBMITTED_WITHIN_S = 60.0
SETTLED_WITHIN_S = 90.0
BOUND_WITHIN_S = 60.0
SHARE = 3  # of the parts, one in so many is submitted when something is killed
IN_MEMORY_TRIES = 3  # of a receipt; after them it waits for staff or for time
DELIVERED: dict[str, Any] = {"state": "DELIVRD"}
TOLD_FIRST: dict[str, Any] = {"state": "ENROUTE", "error": "027"}

# How fast the SMSC is, so that the state to be killed in lasts.
PACES: dict[State, dict[str, Any]] = {
    "before-submit": {"answer_after_s": 0.05, "steps": [TOLD_FIRST | {"after_s": 0.1}, DELIVERED | {"after_s": 0.3}]},
    "mid-window": {"answer_after_s": 0.3, "steps": [TOLD_FIRST | {"after_s": 0.4}, DELIVERED | {"after_s": 0.6}]},
    "before-receipts": {"answer_after_s": 0, "steps": [TOLD_FIRST | {"after_s": 2}, DELIVERED | {"after_s": 2.2}]},
}
# Every case begins with new binds, for a change of a link's settings binds it anew.
BIND_AGAIN = "UPDATE link SET enquire_link_s = CASE enquire_link_s WHEN 2 THEN 3 ELSE 2 END, response_timeout_s = 2"
# What is on its way by itself: all else waits for a receipt that is lost, or for staff.
MOVING = f"""
    SELECT (SELECT count(*) FROM queued) + (SELECT count(*) FROM attempt WHERE state = 1)
         + (SELECT count(*) FROM inbox_receipt WHERE tries < {IN_MEMORY_TRIES} AND operator_ref <> '')"""


@dataclass(frozen=True)
class Outcome:
    """What became of a case."""

    case: Case
    broken: dict[str, str]
    counts: invariants.Counts
    stats: dict[str, int]
    happened: int  # how often its faults did
    took_s: float


class Ground:
    """One platform, for the cases of one fault."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.customer = Customer(platform)
        self._control = httpx.Client(base_url=platform.ready["simulator"]["control"], timeout=10)

    def prepare(self) -> None:
        """A second link, so that receipts may come by another than the submit."""
        simulator = self.platform.ready["simulator"]
        host, port = simulator["smpp"].split(":")
        account = ("--system-id", simulator["system_id"], "--password", simulator["password"])
        self.platform.sampan(
            "operator", "link", "simulator", "--host", host, "--port", port, *account, "--window", "50"
        )

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Ask the simulator; it may have been killed a moment ago."""

        def answer() -> httpx.Response | None:
            with contextlib.suppress(httpx.TransportError):
                return self._control.request(method, path, json=body)
            return None

        response = eventually(answer, BOUND_WITHIN_S)
        assert response.status_code == 200, response.text
        return response.json()

    def stats(self) -> dict[str, int]:
        """The simulator's figures."""
        found: dict[str, int] = self.control("GET", "/stats")
        return found

    def run(self, case: Case) -> Outcome:
        """From new binds to the last receipt."""
        began_s = time.monotonic()
        self.begin(case)
        trouble = TROUBLES[case.trouble]
        ids: list[int] = []
        with self._frozen_gateway(case) as is_frozen:
            sending = threading.Thread(target=lambda: ids.extend(self.customer.send(case.count, case.parts)))
            sending.start()
            if is_frozen:
                sending.join()
            else:
                self.until(case)
            if trouble.restarts:
                self.control("POST", "/restart", dict(trouble.restarts))
            happened = self._faults_happened() if case.victim == "simulator" else 0  # its figures die with it
            if case.victim != "nobody":
                self.platform.kill(case.victim)
            if case.victim == "simulator" or is_frozen:  # a new one has to be told; a fault of some seconds begins now
                self._go_bad(case)
        sending.join()
        eventually(lambda: self.is_settled(case, ids), SETTLED_WITHIN_S)
        happened += self._faults_happened()
        stats = self.stats()
        with self.platform.connect() as conn:
            counted = invariants.counts(conn, ids)
            broken = invariants.broken(conn, ids, case.count, stats, receipts_may_be_lost=case.receipts_may_be_lost)
        return Outcome(case, broken, counted, stats, happened, time.monotonic() - began_s)

    def begin(self, case: Case) -> None:
        """New binds, a new record, and the SMSC as the case wants it."""
        self.control("POST", "/reset")
        before = self.stats()["binds"]
        self.platform.query(f"{BIND_AGAIN} RETURNING id")
        eventually(lambda: self.stats()["binds"] >= before + 2, BOUND_WITHIN_S)
        eventually(lambda: self.stats()["sessions"] == 2, BOUND_WITHIN_S)
        self._go_bad(case)

    def _faults_happened(self) -> int:
        return sum(fault["happened"] for fault in self.control("GET", "/faults")["faults"])

    def _go_bad(self, case: Case) -> None:
        self.control("PUT", "/behaviour", {"numbers": "*", "behaviour": "delivered", "with": PACES[case.state]})
        self.control("PUT", "/faults", {"faults": TROUBLES[case.trouble].faults, "seed": 7})

    @contextlib.contextmanager
    def _frozen_gateway(self, case: Case) -> Iterator[bool]:
        """Where a case asks for it, the gateway hands nothing over until all is accepted and the victim is dead."""
        freezes = case.state == "before-submit"
        pids = self.platform.pids("gateway") if freezes else []
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield freezes
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def until(self, case: Case) -> None:
        """Until enough is submitted for the state in which something is killed."""
        parts = case.count * case.parts // SHARE
        figure = "submits" if case.state == "mid-window" else "taken"
        eventually(lambda: self.stats()[figure] >= parts, SUBMITTED_WITHIN_S)

    def is_settled(self, case: Case, ids: list[int]) -> bool:
        """Nothing moves by itself any more."""
        stats = self.stats()
        if any(stats[figure] for figure in ("down", "to_come", "waiting", "in_flight")):
            return False
        with self.platform.connect() as conn:
            counted = invariants.counts(conn, ids)
            ((moving,),) = conn.execute(MOVING.encode()).fetchall()
        if counted.elsewhere or moving:
            return False
        return case.receipts_may_be_lost or not counted.with_operator


@contextlib.contextmanager
def burning_ground(folder: Path) -> Iterator[Ground]:
    """A platform to try on; at its end its own verb must find the books in order."""
    with running_platform(folder, "--web-processes", "1") as platform:
        ground = Ground(platform)
        ground.prepare()
        yield ground
        assert "The books balance." in platform.sampan("reconcile")


class Grounds:
    """The platform that runs: that of the fault at hand."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._of = ""
        self._running = contextlib.ExitStack()
        self._ground: Ground | None = None

    def of(self, trouble: str) -> Ground:
        """A platform that has seen no other fault."""
        if self._ground is None or self._of != trouble:
            self.close()
            self._of = trouble
            self._ground = self._running.enter_context(burning_ground(self._folder / trouble))
        return self._ground

    def close(self) -> None:
        """Stop what runs; its books must balance."""
        self._ground = None
        self._running.close()
