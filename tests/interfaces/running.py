"""A web process that really runs, on a free port, against the tests' database."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from sampan.ops.ports import wait_until_listening
from tests.world import PASSWORD

READY_WITHIN_S = 30.0
ANSWER_WITHIN_S = 30.0
STOP_WITHIN_S = 20.0


@dataclass
class WebProcess:
    """Where it listens, and the process."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        """What browsers are given."""
        return f"http://127.0.0.1:{self.port}"

    def visitor(self) -> httpx.Client:
        """A browser in which nobody is signed in."""
        return httpx.Client(base_url=self.address, timeout=ANSWER_WITHIN_S)

    def signed_in(self, login_name: str = "harbour") -> httpx.Client:
        """A browser in which this person has signed in."""
        client = self.visitor()
        answer = submit(client, "/sign-in/", {"name": login_name, "password": PASSWORD})
        assert answer.status_code == 302, answer.text
        return client

    def raw(self, request: bytes) -> bytes:
        """The answer to a request exactly as given; it must ask to close the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_WITHIN_S) as line:
            line.sendall(request)
            answer = b""
            while piece := line.recv(65_536):
                answer += piece
            return answer

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_WITHIN_S)


def token(page: httpx.Response) -> str:
    """Of the page's forms."""
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert found
    return found[1]


def submit(client: httpx.Client, path: str, values: dict[str, str], **more: object) -> httpx.Response:
    """Fill in and send the form of a page."""
    given = {"csrfmiddlewaretoken": token(client.get(path)), **values}
    return client.post(path, data=given, **more)  # type: ignore[arg-type]


@contextmanager
def web_process() -> Iterator[WebProcess]:
    """`sampan web`, until the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    argv = [sys.executable, "-m", "sampan", "web", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(argv, env=os.environ) as process:
        try:
            wait_until_listening({"web process": ("127.0.0.1", port)}, within_s=READY_WITHIN_S)
            yield WebProcess(port, process)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(STOP_WITHIN_S)
