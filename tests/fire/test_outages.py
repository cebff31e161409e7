"""PostgreSQL away for half a minute, and a gateway that stands still while another takes over (spec S77; house.md)."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from tests.fire.cases import Case
from tests.fire.ground import SETTLED_WITHIN_S, Ground, Grounds
from tests.fire.invariants import broken, counts
from tests.journeys.platform import READY_WITHIN_S, clean_environment, eventually

AWAY_S = 30.0
TAKEN_OVER_WITHIN_S = 15.0
CASE = Case("none", 1, messages=600)

OWNER = "SELECT owner, epoch FROM operator_lease"


def settle(ground: Ground, ids: list[int]) -> None:
    """Until all are final or unknown; then everything must hold."""
    eventually(lambda: ground.is_settled(CASE, ids), SETTLED_WITHIN_S)
    with ground.platform.connect() as conn:
        assert broken(conn, ids, CASE.count, ground.stats(), receipts_may_be_lost=False) == {}


@contextlib.contextmanager
def sending(ground: Ground) -> Iterator[list[int]]:
    """A customer sends while the block runs; the ids, all of them once it has ended."""
    ids: list[int] = []
    customer = threading.Thread(target=lambda: ids.extend(ground.customer.send(CASE.count, CASE.parts)))
    customer.start()
    yield ids
    customer.join()


@pytest.mark.fire
@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_postgres_is_away_for_half_a_minute_and_no_receipt_is_acknowledged_and_lost(grounds: Grounds, how: str) -> None:
    """Killed: `up`, which would start it again, stands still as well. Frozen: all of it hangs, and nobody is told."""
    ground = grounds.of("outages")
    ground.begin(CASE)
    with sending(ground) as ids:
        ground.until(CASE)
        before = ground.stats()
        with ground.platform.away("postgres", how):
            away_until_s = time.monotonic() + AWAY_S
            eventually(lambda: ground.stats()["to_come"] == 0, AWAY_S)  # the SMSC has told all it knows
            acknowledged = ground.stats()["receipts_acknowledged"]
            eventually(lambda: time.monotonic() >= away_until_s, AWAY_S + 1)
            assert ground.stats()["receipts_acknowledged"] == acknowledged, "what cannot be stored is not acknowledged"
    assert before["taken"] < CASE.count, "there was something left to send"
    settle(ground, ids)
    stats = ground.stats()
    assert stats["taken"] == CASE.count, "sending went on by itself"
    assert stats["receipts_acknowledged"] >= stats["receipts_due"]


@pytest.mark.fire
def test_a_gateway_that_stands_still_is_succeeded_and_hands_over_nothing_more(grounds: Grounds) -> None:
    ground = grounds.of("outages")
    platform = ground.platform
    ground.begin(CASE)
    ((stale, epoch),) = platform.query(OWNER)
    argv = [sys.executable, "-m", "sampan", "gateway", "--data", str(platform.folder)]
    with (platform.folder / "second-gateway.log").open("wb") as log:
        second = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT, env=clean_environment())
    try:
        eventually(lambda: platform.query("SELECT count(*) FROM gateway_presence") >= [(2,)], READY_WITHIN_S)
        with sending(ground) as ids:
            ground.until(CASE)
            pid = int(stale.split()[1])
            frozen_at_s = time.monotonic()
            os.kill(pid, signal.SIGSTOP)
            try:
                eventually(lambda: platform.query(OWNER)[0][1] > epoch, TAKEN_OVER_WITHIN_S)
                taken_over_s = time.monotonic() - frozen_at_s
                eventually(lambda: ground.stats()["sessions"] >= 2, TAKEN_OVER_WITHIN_S)
            finally:
                os.kill(pid, signal.SIGCONT)
        log_of_all = platform.folder.with_suffix(".log")
        eventually(lambda: "gateway.lost" in log_of_all.read_text(), TAKEN_OVER_WITHIN_S)  # it was refused, and knows
        eventually(lambda: ground.is_settled(CASE, ids), SETTLED_WITHIN_S)
        with platform.connect() as conn:
            assert counts(conn, ids).parts_taken > CASE.count // 2, "the heir went on"
        assert taken_over_s < TAKEN_OVER_WITHIN_S
        settle(ground, ids)
    finally:
        second.send_signal(signal.SIGTERM)
        assert second.wait(READY_WITHIN_S) == 0, (platform.folder / "second-gateway.log").read_text()[-2000:]
