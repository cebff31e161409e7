"""Names are looked up at name servers that really answer, or do not (no network: one of ours)."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import dns.message
import dns.rcode
import dns.rrset
import pytest

from sampan.interfaces.smtp_door.authentic import Away, Resolver, check_spf

RECORDS = {
    ("harbour.example.", "TXT"): ['"v=spf1 mx" " -all"'],
    ("harbour.example.", "MX"): ["10 mx.harbour.example."],
    ("mx.harbour.example.", "A"): ["192.0.2.1"],
    ("mx.harbour.example.", "AAAA"): ["2001:db8::1"],
    ("1.2.0.192.in-addr.arpa.", "PTR"): ["mx.harbour.example."],
}


class NameServer:
    """Answers by UDP from RECORDS; names that begin with `broken` get SERVFAIL."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire

    def serve(self) -> None:
        """Until it is sent an empty datagram."""
        while True:
            octets, peer = self._wire.recvfrom(4096)
            if not octets:
                return
            query = dns.message.from_wire(octets)
            (asked,) = query.question
            name, kind = asked.name.to_text(), dns.rdatatype.to_text(asked.rdtype)
            answer = dns.message.make_response(query)
            if name.startswith("broken"):
                answer.set_rcode(dns.rcode.SERVFAIL)
            elif records := RECORDS.get((name, kind)):
                answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *records))
            elif not any(name == known for known, _ in RECORDS):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            self._wire.sendto(answer.to_wire(), peer)


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=NameServer(wire).serve)
        thread.start()
        yield Resolver(["127.0.0.1"], wire.getsockname()[1])
        wire.sendto(b"", wire.getsockname())
        thread.join(5)


@pytest.mark.parametrize(
    ("name", "kind", "records"),
    [
        ("harbour.example", "TXT", [(b"v=spf1 mx", b" -all")]),
        ("harbour.example", "MX", [(10, "mx.harbour.example")]),
        ("mx.harbour.example", "A", ["192.0.2.1"]),
        ("mx.harbour.example", "AAAA", ["2001:db8::1"]),
        ("1.2.0.192.in-addr.arpa", "PTR", ["mx.harbour.example"]),
        ("harbour.example", "A", []),
        ("gone.example", "TXT", []),
        ("a..example", "TXT", []),
        ("x" * 70 + ".example", "TXT", []),
    ],
)
def test_records_of_each_kind(resolver: Resolver, name: str, kind: str, records: list[Any]) -> None:
    assert resolver.look_up(name, kind) == records


def test_spf_by_a_name_server(resolver: Resolver) -> None:
    answers = [check_spf("a@harbour.example", helo="x", peer=peer, dns=resolver) for peer in ("192.0.2.1", "192.0.2.2")]
    assert answers == ["pass", "fail"]


def test_a_name_server_that_cannot_tell_is_away(resolver: Resolver) -> None:
    with pytest.raises(Away):
        resolver.look_up("broken.example", "TXT")
    with pytest.raises(Away):
        check_spf("a@broken.example", helo="x", peer="192.0.2.1", dns=resolver)
