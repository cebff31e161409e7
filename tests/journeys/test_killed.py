"""`kill -9` of everything, one after the other, while ten thousand messages go (house.md, delivery contract)."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.journeys.platform import Platform, eventually, running_platform

CALLS, RECIPIENTS = 500, 20
CLIENTS = 8
DRAINED_WITHIN_S = 120.0
GIVE_UP_AFTER_S = 60.0


def send_all(platform: Platform) -> list[str]:
    """A client that never gives up: each call has its reference and is repeated until it is answered. All SMSD IDs."""
    login = platform.ready["demo"]["customer"]
    address = platform.ready["web"] + "/misweb/f_sendsms.aspx"
    here = threading.local()

    def call(number: int) -> list[str]:
        first = 85261000000 + number * RECIPIENTS
        parameters = {
            "username": login["username"],
            "password": login["password"],
            "senderid": login["sender_id"],
            "content": f"Order {number} is ready",
            "langeng": "1",
            "dos": "now",
            "recipient": ",".join(str(first + n) for n in range(RECIPIENTS)),
            "client_ref": f"order-{number}",
        }
        deadline = time.monotonic() + GIVE_UP_AFTER_S
        while True:
            assert time.monotonic() < deadline, f"call {number} was never answered"
            here.client = getattr(here, "client", None) or httpx.Client(timeout=5)
            try:
                reply: str = here.client.get(address, params=parameters).text
            except httpx.HTTPError:
                here.client = None
                time.sleep(0.1)
                continue
            if reply.startswith("SMSDID:"):
                return reply.removeprefix("SMSDID:").split(",")
            assert reply in ("ERROR:1", "ERROR:20"), reply  # the database is away; anything else would be a lie
            time.sleep(0.1)

    with ThreadPoolExecutor(CLIENTS) as clients:
        return [id_ for ids in clients.map(call, range(CALLS)) for id_ in ids]


def waiting(platform: Platform) -> int:
    """Messages that are neither final nor unknown."""
    ((count,),) = platform.query(
        "SELECT count(*) FROM message WHERE final_at IS NULL AND NOT (status = 4 AND reason = 3011)"
    )
    return int(count)


def until_submitted(platform: Platform, count: int) -> None:
    """Until the simulator has been given more parts than that."""
    eventually(lambda: platform.stats()["submits"] > count, DRAINED_WITHIN_S)


@pytest.mark.parametrize(
    "order", [("gateway", "web", "postgres", "worker"), ("postgres", "gateway", "postgres", "web")]
)
def test_whatever_is_killed_all_comes_back_and_nothing_is_lost_or_sent_twice(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    with running_platform(tmp_path / "data") as platform:
        ids: list[str] = []
        client = threading.Thread(target=lambda: ids.extend(send_all(platform)))
        client.start()
        for number, name in enumerate(order, 1):
            until_submitted(platform, number * 1_500)
            platform.kill(name)
        client.join()
        assert len(set(ids)) == CALLS * RECIPIENTS
        eventually(lambda: waiting(platform) == 0, DRAINED_WITHIN_S)
        stats = platform.stats()
        ((messages, unknown, delivered),) = platform.query(
            "SELECT count(*), count(*) FILTER (WHERE final_at IS NULL), count(*) FILTER (WHERE status = 22)"
            " FROM message"
        )
        assert messages == CALLS * RECIPIENTS
        assert messages == unknown + delivered
        assert stats["duplicates"] == 0
        assert delivered <= stats["distinct"] <= messages
        assert unknown < messages / 10
        assert "The books balance." in platform.sampan("reconcile")
