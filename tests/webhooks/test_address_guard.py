"""Webhooks go nowhere but to public addresses of others, whatever a name says and says next (spec S103)."""

import asyncio
import socket
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from sampan.reasons import Reason, Refused
from sampan.webhooks.address_guard import check_url, is_public
from sampan.webhooks.forms import Delivery, Endpoint, request_of
from sampan.webhooks.sending import open_client, send
from tests.webhooks.listening import Form
from tests.webhooks.receiving import LOOPBACK, receiving, run
from tests.world import NOW

DELIVERY = Delivery(1, "webhook.test", NOW, NOW, 0, "{}")


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "127.0.0.1",
        "127.8.8.8",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # the metadata of clouds
        "100.100.100.200",  # the same at another
        "168.63.129.16",  # and at a third, by a public number
        "192.0.0.192",
        "198.18.0.1",
        "203.0.113.5",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",  # written by nobody who means well
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "2002:7f00:1::",
        "2001:0:53aa:64c::1",
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "ff02::1",
    ],
)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "203.80.96.10", "2606:4700:4700::1111", "2400:cb00::1"])
def test_what_is_public_is_allowed(address: str) -> None:
    assert is_public(ip_address(address))


def test_our_own_address_is_refused_though_it_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past our own firewall: what the machine would say to itself. The network stack says which that is."""
    monkeypatch.setattr("sampan.webhooks.address_guard._is_ours", lambda address: str(address) == "8.8.8.8")
    assert not is_public(ip_address("8.8.8.8"))
    assert is_public(ip_address("8.8.4.4"))


def test_named_networks_are_allowed() -> None:
    assert is_public(ip_address("127.0.0.1"), LOOPBACK)
    assert not is_public(ip_address("10.0.0.1"), LOOPBACK)


@pytest.mark.parametrize(
    ("url", "form", "reason"),
    [
        ("https://example.com/sms", Form.SIGNED_JSON, None),
        ("https://example.com:8443/sms?a=b", Form.SIGNED_JSON, None),
        ("http://example.com/sms", Form.CALLBACK, None),
        ("http://example.com/sms", Form.SIGNED_JSON, Reason.WEBHOOK_NOT_TLS),
        ("http://localhost:8080/sms", Form.SIGNED_JSON, Reason.WEBHOOK_NOT_TLS),
        ("https://2130706433/", Form.SIGNED_JSON, Reason.WEBHOOK_NOT_PUBLIC),  # 127.0.0.1, as the C library reads it
        ("https://0x7f000001/", Form.SIGNED_JSON, Reason.WEBHOOK_NOT_PUBLIC),
        ("https://0177.0.0.1/", Form.SIGNED_JSON, Reason.WEBHOOK_NOT_PUBLIC),
        ("https://127.1./", Form.SIGNED_JSON, Reason.WEBHOOK_NOT_PUBLIC),
        ("ftp://example.com/", Form.CALLBACK, Reason.WEBHOOK_URL),
        ("file:///etc/passwd", Form.CALLBACK, Reason.WEBHOOK_URL),
        ("https:///sms", Form.CALLBACK, Reason.WEBHOOK_URL),
        ("example.com/sms", Form.CALLBACK, Reason.WEBHOOK_URL),
        ("https://me:secret@example.com/", Form.CALLBACK, Reason.WEBHOOK_URL),
        ("https://example.com:25/", Form.CALLBACK, Reason.WEBHOOK_URL),
        ("https://example.com:99999/", Form.CALLBACK, Reason.WEBHOOK_URL),
        ("https://example.com/#top", Form.CALLBACK, Reason.WEBHOOK_URL),
        ("https://example.com/a b", Form.CALLBACK, Reason.WEBHOOK_URL),
        ("https://example.com/\r\nHost: x", Form.CALLBACK, Reason.WEBHOOK_URL),
        ("https://example.com/" + "a" * 500, Form.CALLBACK, Reason.WEBHOOK_URL),
        ("https://127.0.0.1/", Form.CALLBACK, Reason.WEBHOOK_NOT_PUBLIC),
        ("https://[::ffff:10.0.0.1]/", Form.CALLBACK, Reason.WEBHOOK_NOT_PUBLIC),
    ],
)
def test_what_can_be_an_endpoint(url: str, form: Form, reason: Reason | None) -> None:
    if reason is None:
        check_url(url, form, ())
        return
    with pytest.raises(Refused) as refused:
        check_url(url, form, ())
    assert refused.value.reason == reason


def resolving(to: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that gives these addresses in turn, whatever it is asked."""

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        address = host if host[0].isdigit() else to.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


def test_a_name_that_points_elsewhere_the_next_time_gets_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the address that was allowed is answered first, one that is not the second time."""

    async def work() -> None:
        async with (
            receiving("127.0.0.2") as allowed,
            receiving("127.0.0.1", int(allowed.url.split(":")[2][:-4])) as not_,
        ):
            resolving(["127.0.0.2", "127.0.0.1"], monkeypatch)
            url = allowed.url.replace("127.0.0.2", "rebind.example")
            request = request_of(Endpoint(url, Form.CALLBACK, 0, []), DELIVERY, NOW)
            async with open_client([ip_network("127.0.0.2/32")]) as client:
                first = await send(client, DELIVERY, request, NOW)
                assert first.status == 200
                await client.connector.close()  # type: ignore[union-attr]
            async with open_client([ip_network("127.0.0.2/32")]) as client:
                second = await send(client, DELIVERY, request, NOW)
            assert (second.status, second.words) == (None, "Refused: 127.0.0.1 is not a public address")
            assert (len(allowed.received), not_.received) == (1, [])

    run(work())


def test_a_literal_private_address_is_refused_at_the_socket_too() -> None:
    async def work() -> None:
        async with receiving() as receiver, open_client(()) as client:
            request = request_of(Endpoint(receiver.url, Form.CALLBACK, 0, []), DELIVERY, NOW)
            answer = await send(client, DELIVERY, request, NOW)
            assert answer.words == "Refused: 127.0.0.1 is not a public address"
            assert receiver.received == []

    run(work())


def test_a_name_without_an_address_and_a_server_that_is_not_there_are_told_so() -> None:
    async def work() -> None:
        async with receiving() as receiver:
            nobody = receiver.url
        async with open_client(LOOPBACK) as client:
            gone = await send(client, DELIVERY, request_of(Endpoint(nobody, Form.CALLBACK, 0, []), DELIVERY, NOW), NOW)
            assert gone.status is None
            assert "127.0.0.1" in gone.words
            by_name = nobody.replace("127.0.0.1", "no-such-host.invalid")
            unknown = await send(
                client, DELIVERY, request_of(Endpoint(by_name, Form.CALLBACK, 0, []), DELIVERY, NOW), NOW
            )
            assert unknown.words == "The host name has no address"

    run(work())
