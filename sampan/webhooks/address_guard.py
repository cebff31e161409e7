"""Keeps webhooks away from what is not public: our own machine, its network, the cloud's metadata (spec S103).

aiohttp asks `make_socket` for each connection and gives it the very address that it will connect to, whether that came
from a name, a literal or a name whose answers change between two questions: so there is nothing between check and use.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from sampan.reasons import Reason, Refused
from sampan.webhooks.tables import LONGEST_URL, WebhookEndpoint

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Form = WebhookEndpoint.Form

LOWEST_FREE_PORT = 1024  # below it only those of HTTP
HTTP_PORTS = {80, 443}
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Public by their numbers, and yet not: tunnels that end at any IPv4 address, documentation, a cloud's own server.
NOT_PUBLIC = [
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
]


class NotPublic(OSError):
    """The address may not be connected to."""


def is_public(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether webhooks may go there: a public unicast address of somebody else's, or one of the `allowed` networks."""
    if any(address in network for network in allowed):
        return True
    if address.version == 6 and address not in GLOBAL_UNICAST:  # so neither IPv4-mapped nor NAT64
        return False
    if not address.is_global or address.is_multicast or any(address in network for network in NOT_PUBLIC):
        return False
    return not _is_ours(address)


def _is_ours(address: Address) -> bool:
    """Whether this machine would speak to itself, past its own firewall. Connecting UDP sends nothing."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as trial:
        try:
            trial.connect((str(address), 9))
        except OSError:  # no way there: connecting says so better
            return False
        return bool(ipaddress.ip_address(trial.getsockname()[0]) == address)


def socket_maker(allowed: Sequence[Network]) -> Callable[[tuple[Any, ...]], socket.socket]:
    """Makes sockets to public addresses, and to those of `allowed`; aiohttp's `socket_factory`. Raises NotPublic."""

    def make_socket(found: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, at = found
        address = ipaddress.ip_address(at[0].partition("%")[0])
        if not is_public(address, allowed):
            raise NotPublic(f"{address} is not a public address")
        return socket.socket(family, kind, protocol)

    return make_socket


def check_url(url: str, form: WebhookEndpoint.Form, allowed: Sequence[Network]) -> None:
    """Refuses what can be nobody's endpoint: WEBHOOK_URL with what is wrong. Names are looked up when they are used."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
        host = parts.hostname or ""
        host.encode("idna")
    except ValueError:  # UnicodeError is one
        raise Refused(Reason.WEBHOOK_URL, "url", url) from None
    is_plain = all(" " < character < "\x7f" for character in url)
    if parts.scheme not in ("https", "http") or not host or parts.username is not None or not is_plain:
        raise Refused(Reason.WEBHOOK_URL, "url", url)
    if parts.fragment or len(url) > LONGEST_URL or (port not in HTTP_PORTS and port < LOWEST_FREE_PORT):
        raise Refused(Reason.WEBHOOK_URL, "url", url)
    address = _literal(host)
    if address is not None and not is_public(address, allowed):
        raise Refused(Reason.WEBHOOK_NOT_PUBLIC, "url", host)
    is_allowed = host == "localhost" or (address is not None and any(address in network for network in allowed))
    if parts.scheme == "http" and form == Form.SIGNED_JSON and not (allowed and is_allowed):
        raise Refused(Reason.WEBHOOK_NOT_TLS, "url", url)


def _literal(host: str) -> Address | None:
    """The address that a host is, also in the forms that only the C library knows: `2130706433`, `0x7f.1`."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host.removesuffix(".")))
    except OSError:
        return None
