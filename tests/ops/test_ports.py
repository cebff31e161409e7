"""Ports are tried before the start, and waited for after it."""

import os
import socket
import threading
from pathlib import Path

import pytest

from sampan.ops import CannotStart
from sampan.ops.ports import refuse_taken_ports, wait_until_listening

HERE = "127.0.0.1"


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "SO_REUSEPORT"])
def test_a_taken_port_is_named_with_what_wants_it_and_how_to_mend_it(shared: bool) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
        taken.bind((HERE, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"SMPP server: Port {port} on {HERE} is in use .* choose other ports"):
            refuse_taken_ports({"web": (HERE, 0), "SMPP server": (HERE, port)})
    refuse_taken_ports({"SMPP server": (HERE, port)})


def test_a_port_with_old_connections_still_closing_is_free() -> None:
    with socket.create_server((HERE, 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection((HERE, port))
        line, _ = server.accept()
        line.close()  # first, so the TIME_WAIT is on the server's side
        client.close()
    refuse_taken_ports({"web": (HERE, port)})


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(
        CannotStart, match=r"192\.0\.2\.1 port 8000 cannot be used .* Choose an address of this machine"
    ):
        refuse_taken_ports({"web": ("192.0.2.1", 8000)})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use every port")
def test_a_low_port_is_refused_to_an_ordinary_user() -> None:
    first_free = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if first_free.exists() and int(first_free.read_text()) <= 25:
        pytest.skip("everybody may use every port here")
    with pytest.raises(CannotStart, match=r"Port 25 .* Choose ports above 1023"):
        refuse_taken_ports({"SMTP": (HERE, 25)})


def test_a_server_that_comes_late_is_waited_for() -> None:
    with socket.socket() as server:
        server.bind((HERE, 0))
        late = threading.Timer(0.2, server.listen)
        late.start()
        wait_until_listening({"web": server.getsockname()}, within_s=10)
        late.join()


def test_a_server_that_never_comes_is_named() -> None:
    with socket.socket() as server:
        server.bind((HERE, 0))
        port = server.getsockname()[1]
        with pytest.raises(CannotStart, match=f"The gateway does not listen on {HERE} port {port}"):
            wait_until_listening({"gateway": (HERE, port)}, within_s=0.2)
