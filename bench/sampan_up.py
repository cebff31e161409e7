"""Sampan as it is measured: `sampan up` on an empty folder, customers with money, the independent SMSC as operator."""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import django
import httpx

from bench.machine import descendants, peak_mb
from bench.smsc_process import Smsc
from sampan.database import Connection, connect
from sampan.ops.installation import Installation
from tests.journeys.platform import Platform, eventually, running_platform

CUSTOMERS = 20
PASSWORD = "bench-password"
SENDER = "HarbourFlo"
TEXT = "Your+code+is+123456.+It+is+valid+for+5+minutes.+Do+not+share+it."
TEMPLATE = (
    "/misweb/f_sendsms.aspx?username=bench{customer}&password=" + PASSWORD + "&content=" + TEXT
    + "&langeng=1&recipient={to}&dos=now&senderid=" + SENDER
)  # fmt: skip
WINDOW = 100
SETTLED_WITHIN_S = 600.0


class Measured:
    """A platform with what a measurement asks of it."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.url: str = platform.ready["web"]

    def groups(self) -> dict[str, list[int]]:
        """The process numbers by program, PostgreSQL's backends too."""
        pids = self.platform.ready["pids"]
        lists = {name: ids if isinstance(ids, list) else [ids] for name, ids in pids.items()}
        return {name: [pid for top in tops for pid in descendants(top)] for name, tops in lists.items()}

    def peaks_mb(self) -> dict[str, int]:
        """The most memory that a process of each program has held at once; PostgreSQL's is for its operator to set."""
        return {name: max(map(peak_mb, pids)) for name, pids in self.groups().items() if name != "postgres"}

    def messages(self) -> int:
        """How many messages the database has."""
        return int(self.platform.query("SELECT count(*) FROM message")[0][0])

    def pause(self) -> None:
        """Hand nothing over."""
        self.platform.sampan("operator", "pause", "bench")
        time.sleep(1.5)

    def resume(self) -> None:
        """Hand over."""
        self.platform.sampan("operator", "resume", "bench")

    def until_settled(self) -> None:
        """Until nothing waits and nothing flies."""
        sql = "SELECT EXISTS (SELECT FROM queued) OR EXISTS (SELECT FROM attempt) OR EXISTS (SELECT FROM inbox_receipt)"
        eventually(lambda: not self.platform.query(sql)[0][0], SETTLED_WITHIN_S)

    def empty(self) -> None:
        """Nothing waits, nothing flies, and the hot tables are as new."""
        self.until_settled()
        with self.platform.connect() as conn:
            for table in ("queued", "attempt", "inbox_receipt", "account"):
                conn.execute(f"VACUUM {table}".encode())


@contextlib.contextmanager
def sampan_with(smsc: Smsc, *, web_processes: int = 1) -> Iterator[Measured]:
    """A new platform whose operator is this SMSC; every customer has proven its password to every web process."""
    with tempfile.TemporaryDirectory(prefix="sampan-bench-") as folder:
        options = ("--no-demo", "--web-processes", str(web_processes))
        with running_platform(Path(folder) / "data", *options) as platform:
            for number in range(CUSTOMERS):
                platform.sampan(
                    *("customer", "add", f"bench{number}", "--password", PASSWORD),
                    *("--balance", "10000000", "--sender", SENDER),
                )
            platform.sampan(
                *("operator", "add", "bench", "--host", "127.0.0.1", "--port", str(smsc.port)),
                *("--system-id", "bench", "--password", "secret", "--window", str(WINDOW)),
                *("--routes", "hk-business,overseas"),
            )
            eventually(lambda: smsc.figures()["sessions"], 30)
            measured = Measured(platform)
            _warm_up(measured.url, web_processes)
            measured.empty()
            yield measured


def _warm_up(url: str, web_processes: int) -> None:
    for number in range(CUSTOMERS):
        for _ in range(web_processes * 4):  # a new connection each, so that each process is met
            path = TEMPLATE.format(customer=number, to="85262345678")
            reply = httpx.get(url + path).text
            assert reply.startswith("SMSDID:"), reply


@contextlib.contextmanager
def connected(measured: Measured) -> Iterator[tuple[Connection, datetime]]:
    """A connection of our own, as a door has it, and the time."""
    os.environ |= Installation(measured.platform.folder).environment()
    os.environ["DJANGO_SETTINGS_MODULE"] = "sampan.settings"
    django.setup()
    with connect("bench") as conn:
        yield conn, datetime.now(UTC)
