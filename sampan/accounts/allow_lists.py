"""The networks that an account's APIs may be called from, where its owner has named any (spec S125).

Every door calls `admit` once it knows its caller. The networks are part of what is kept in memory of a customer, so
that no request asks the database for them; only who is turned away is written down, for the owner to see.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.db import transaction

from sampan.accounts.customers import CustomerFacts
from sampan.accounts.tables import AllowedNetwork, Customer, Person, RefusedAddress
from sampan.database import Connection, DatabaseThreads, Snapshot
from sampan.reasons import Reason, Refused

MOST_NETWORKS = 50  # of a customer
LONGEST_NOTE = 60
MOST_SHOWN = 100  # addresses of a customer that were turned away; older ones go
NOTED_EVERY = timedelta(minutes=1)  # each address of a customer, by one process
MOST_REMEMBERED = 10_000

Network = IPv4Network | IPv6Network

_noted: Snapshot[dict[tuple[int, str, str], datetime]] = Snapshot(lambda _conn: {}, "allowed_network")
"""Customer, door and address → when this process last wrote that down."""


async def admit(threads: DatabaseThreads, customer: CustomerFacts, *, door: str, address: str, now: datetime) -> None:
    """Let a caller go on that has proven who they are. Raises Refused(ADDRESS_NOT_ALLOWED), noted for the owner.

    `door` is the door's name as people see it, of at most 10 characters; `address` is the caller's, without its port.
    """
    if is_allowed(customer.networks, address):
        return
    noted_at = (_noted.current() or {}).get((customer.id, door, address))
    if noted_at is None or now - noted_at >= NOTED_EVERY:
        await threads.run(note_refused, customer.id, door, address, now)
    raise Refused(Reason.ADDRESS_NOT_ALLOWED, "address", address)


def is_allowed(networks: tuple[Network, ...], address: str) -> bool:
    """Whether this address may call; where no network is named, all may."""
    return not networks or _is_in(networks, address)


@lru_cache(maxsize=MOST_REMEMBERED)
def _is_in(networks: tuple[Network, ...], address: str) -> bool:
    try:
        at = ip_address(address)
    except ValueError:
        return False  # a call without an address comes from nowhere that was named
    if isinstance(at, IPv6Address) and at.ipv4_mapped:
        at = at.ipv4_mapped
    return any(at in network for network in networks)


NOTE = """
    INSERT INTO refused_address (customer_id, door, address, first_at, last_at)
    VALUES (%(customer)s, %(door)s, %(address)s, %(now)s, %(now)s)
    ON CONFLICT (customer_id, door, address) DO UPDATE SET last_at = excluded.last_at"""
FORGET = """
    DELETE FROM refused_address WHERE id IN (
        SELECT id FROM refused_address WHERE customer_id = %(customer)s ORDER BY last_at DESC OFFSET %(most)s)"""


def note_refused(conn: Connection, customer_id: int, door: str, address: str, now: datetime) -> None:
    """An address was turned away: one line for each door and address, the latest MOST_SHOWN of a customer."""
    noted = _noted.get(conn)
    if len(noted) >= MOST_REMEMBERED:
        noted.clear()
    noted[customer_id, door, address] = now
    values = {"customer": customer_id, "door": door, "address": address, "now": now, "most": MOST_SHOWN}
    with conn.transaction():
        conn.execute(NOTE, values)
        conn.execute(FORGET, values)


def read_network(typed: str) -> Network:
    """A network as people write it: an address, or a network with its length. Raises Refused(NOT_A_NETWORK)."""
    try:
        network = ip_network(typed.strip(), strict=False)
    except ValueError:
        raise Refused(Reason.NOT_A_NETWORK, "network", typed.strip()) from None
    if network.prefixlen == 0:  # everybody: then there is no list
        raise Refused(Reason.NOT_A_NETWORK, "network", typed.strip())
    return network


@transaction.atomic
def allow(by: Person, typed: str, *, note: str, now: datetime) -> AllowedNetwork:
    """Put a network on the list of one's account. Raises Refused: NOT_A_NETWORK, TOO_MANY_NETWORKS."""
    network = read_network(typed)
    assert by.customer_id is not None, "staff have no list"
    customer = Customer.objects.select_for_update(no_key=True).get(pk=by.customer_id)
    if AllowedNetwork.objects.filter(customer=customer).exclude(network=str(network)).count() >= MOST_NETWORKS:
        raise Refused(Reason.TOO_MANY_NETWORKS, "network", str(MOST_NETWORKS))
    row, _made = AllowedNetwork.objects.update_or_create(
        customer=customer,
        network=str(network),
        defaults={"note": note[:LONGEST_NOTE], "added_by": by, "added_at": now},
    )
    RefusedAddress.objects.filter(customer=customer, address__in=_now_allowed(customer, network)).delete()
    return row


def _now_allowed(customer: Customer, network: Network) -> list[str]:
    addresses = RefusedAddress.objects.filter(customer=customer).values_list("address", flat=True)
    return [address for address in addresses if _is_in((network,), address)]


def disallow(by: Person, network_id: int) -> None:
    """Take a network off the list; where it was the last, everybody may call again."""
    AllowedNetwork.objects.filter(pk=network_id, customer=by.customer).delete()
