"""The simulator as a process of its own."""

import signal
import subprocess
import sys

import pytest

from tests.smpp.peers import PATIENCE_S
from tests.smpp.simulator.test_control import free_port

PROGRAM = """
import sys
from sampan.smpp.simulator.process import run
run(port=int(sys.argv[1]), control_port=int(sys.argv[2]), accounts={"florist": "secret"}, seed=7)
"""


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_listens_and_stops_when_told(told: signal.Signals) -> None:
    port, control_port = free_port(), free_port()
    program = [sys.executable, "-c", PROGRAM, str(port), str(control_port)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.send_signal(told)
        assert said == f"SMSC simulator on 127.0.0.1:{port}, control on http://127.0.0.1:{control_port}, seed 7\n"
        assert process.wait(PATIENCE_S) == 0
        assert process.stdout.read() == ""
