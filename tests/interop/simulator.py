"""Our server side as a process, `sampan simulator`: foreign clients bind to it, and its control says what came."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.journeys.platform import clean_environment, free_base_port

ACCOUNT, PASSWORD = "florist", "secret"
ENDS_WITHIN_S = 10.0


class Simulator:
    """A simulator that runs."""

    def __init__(self, port: int, control: str) -> None:
        self.port = port
        self._control = control

    def reset(self) -> None:
        """As new."""
        self._ask("POST", "/reset")

    def messages(self) -> list[dict[str, Any]]:
        """What was submitted since the reset, oldest first."""
        found: list[dict[str, Any]] = self._ask("GET", "/messages")
        return found

    def stats(self) -> dict[str, int]:
        """Its counts since the reset."""
        found: dict[str, int] = self._ask("GET", "/stats")
        return found

    def reply(self, text: str, to: str, **more: Any) -> None:
        """A handset writes to the account."""
        self._ask("POST", "/replies", {"from": "85261234567", "to": to, "text": text, "system_id": ACCOUNT, **more})

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        answer = httpx.request(method, self._control + path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextlib.contextmanager
def running_simulator(log: Path) -> Iterator[Simulator]:
    """`sampan simulator` from listening to ended."""
    port = free_base_port()
    argv = [sys.executable, "-m", "sampan", "simulator", "--port", str(port), "--control-port", str(port + 1)]
    argv += ["--account", f"{ACCOUNT}:{PASSWORD}"]
    with (
        log.open("w") as output,
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=output, text=True, env=clean_environment()) as process,
    ):
        try:
            assert process.stdout is not None
            assert "SMSC simulator on" in process.stdout.readline(), log.read_text()
            yield Simulator(port, f"http://127.0.0.1:{port + 1}")
        finally:
            process.terminate()
            process.wait(ENDS_WITHIN_S)
