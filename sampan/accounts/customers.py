"""What every door needs to know of a customer, kept in memory."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from zoneinfo import ZoneInfo

from sampan.accounts.quiet_hours import QuietHours
from sampan.accounts.tables import Customer
from sampan.database import Connection, Snapshot, array_of


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """A customer as submissions see it."""

    id: int
    name: str
    status: Customer.Status
    tier: int
    validity_minutes: int
    message_limit_pips: int | None
    api_purpose: int
    portal_purpose: int
    economic_purpose: int
    promotional_only: bool
    api_password_allowed: bool
    verified_mobile: int | None
    senders: frozenset[str]
    reply_senders: frozenset[str]  # of these, numbers whose replies reach us (spec S110)
    zone: ZoneInfo
    quiet_hours: QuietHours | None  # of its promotional texts
    results_kept_months: int
    networks: tuple[IPv4Network | IPv6Network, ...]  # that its APIs may be called from; none named: all


FACTS = """
    SELECT c.id, c.name, c.status, c.tier, c.validity_minutes, c.message_limit_pips, c.api_purpose,
           c.api_password_allowed, c.verified_mobile, c.portal_purpose, c.economic_purpose, c.promotional_only,
           c.time_zone, c.quiet_from, c.quiet_until, c.results_kept_months,
           ARRAY(SELECT network FROM allowed_network n WHERE n.customer_id = c.id ORDER BY network),
           array_agg(s.text) FILTER (WHERE s.withdrawn_at IS NULL AND s.text IS NOT NULL),
           array_agg(s.text) FILTER (WHERE s.withdrawn_at IS NULL AND s.takes_replies)
      FROM customer c LEFT JOIN sender_id s ON s.customer_id = c.id
     WHERE c.id = ANY(%s::int8[]) GROUP BY c.id"""

_known: Snapshot[dict[int, CustomerFacts]] = Snapshot(lambda _conn: {}, "customer", "sender_id", "allowed_network")


def remembered(id_: int) -> CustomerFacts | None:
    """A customer whose facts are in memory and still good, without a database at hand."""
    known = _known.current()
    return known.get(id_) if known else None


def customers(conn: Connection, ids: set[int]) -> dict[int, CustomerFacts]:
    """The facts of these customers (of some more, too); those not yet in memory are read at once."""
    known = _known.get(conn)
    if missing := ids - known.keys():
        for id_, name, status, tier, validity, limit, purpose, password_allowed, mobile, *rest in conn.execute(
            FACTS, [array_of(missing)]
        ):
            portal, economic, promotional_only, zone_name, quiet_from, quiet_until, *rest = rest
            kept_months, networks, senders, reply_senders = rest
            zone = ZoneInfo(zone_name)
            known[id_] = CustomerFacts(
                id=id_,
                name=name,
                status=Customer.Status(status),
                tier=tier,
                validity_minutes=validity,
                message_limit_pips=limit,
                api_purpose=purpose,
                portal_purpose=portal,
                economic_purpose=economic,
                promotional_only=promotional_only,
                api_password_allowed=password_allowed,
                verified_mobile=mobile,
                senders=frozenset(senders or ()),
                reply_senders=frozenset(reply_senders or ()),
                zone=zone,
                quiet_hours=QuietHours(quiet_from, quiet_until, zone) if quiet_from is not None else None,
                results_kept_months=kept_months,
                networks=tuple(map(ip_network, networks)),
            )
    return known
