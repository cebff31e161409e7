"""The TCP ports of the platform: free before it starts, taken once it listens."""

import contextlib
import errno
import socket
import time
from collections.abc import Mapping

from sampan.ops import CannotStart

LOOK_EVERY_S = 0.05
CONNECT_WITHIN_S = 1.0

Address = tuple[str, int]


def refuse_taken_ports(addresses: Mapping[str, Address]) -> None:
    """Raise CannotStart where one of the addresses, by what it is for, cannot be listened on.

    Tried by hand before the start, as servers that share a port among processes (SO_REUSEPORT) do not notice.
    """
    for purpose, (host, port) in addresses.items():
        try:
            family, kind, protocol, _, at = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # not held up by TIME_WAIT
                trial.bind(at)
                trial.listen()
        except OSError as error:
            raise CannotStart(f"{purpose}: {_words(error, host, port)}") from error


def wait_until_listening(addresses: Mapping[str, Address], *, within_s: float) -> None:
    """Wait until every address, by what it is for, takes connections. Raises CannotStart after `within_s`."""
    deadline = time.monotonic() + within_s
    for purpose, address in addresses.items():
        while not _listens(address):
            if time.monotonic() > deadline:
                host, port = address
                raise CannotStart(f"The {purpose} does not listen on {host} port {port}; its lines above say why.")
            time.sleep(LOOK_EVERY_S)


def _listens(address: Address) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(address, CONNECT_WITHIN_S) as line:
        return bool(line.getsockname() != line.getpeername())  # a free ephemeral port can connect to itself
    return False


def _words(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use by another program. Stop it, or choose other ports"
    if error.errno == errno.EACCES:
        return f"Port {port} on {host} may not be used by this user. Choose ports above 1023"
    return f"{host} port {port} cannot be used ({error.strerror}). Choose an address of this machine"
