"""Whether a mail truly comes from the address in its From: its domain says so by SPF and by DKIM (spec S122).

Both must say yes, and for that very domain: SPF for where the mail came from, DKIM for what it says. One alone is too
little for money. Everybody at a large mail provider sends from servers that its customers' SPF allows; and whoever was
ever sent a signed mail can send it on, with another recipient, from elsewhere.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any, Protocol

import dkim
import dns.exception
import dns.resolver
import spf

MOST_SIGNATURES = 5  # of a mail, looked at
LEAST_KEY_BITS = 1024  # RFC 8301 §3.2
LOOK_UP_WITHIN_S = 5.0
CHECK_WITHIN_S = 20  # SPF as a whole (RFC 7208 §4.6.4)
OLDEST = timedelta(days=7)
SIGNED = {b"from", b"date", b"message-id"}  # at least; what is not signed could have been changed
_TAG_OF_LENGTH = b"l"  # signs only the beginning of the text (RFC 6376 §8.2)
_DOMAIN = re.compile(r"[A-Za-z0-9._-]{1,253}")


class Dns(Protocol):
    """Where names are looked up."""

    def look_up(self, name: str, kind: str) -> list[Any]:
        """The records, [] for none: TXT as tuples of octets, MX as (preference, name), A, AAAA and PTR as text.

        Raises Away where nobody answers.
        """


class Away(Exception):
    """The domain's name servers do not answer now."""


class NotVouched(Exception):
    """The domain does not vouch for the mail; `code` is that of RFC 7372, the argument says why."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


class Resolver:
    """The name servers of this machine, or those given."""

    def __init__(self, servers: Sequence[str] = (), port: int = 53) -> None:
        try:
            self._resolver = dns.resolver.Resolver(configure=not servers)
        except dns.resolver.NoResolverConfiguration:  # then nobody vouches for anything; who signs in still sends
            self._resolver = dns.resolver.Resolver(configure=False)
        if servers:
            self._resolver.nameservers, self._resolver.port = list(servers), port
        self._resolver.lifetime = LOOK_UP_WITHIN_S

    def look_up(self, name: str, kind: str) -> list[Any]:
        """As `Dns` has it."""
        try:
            answer = self._resolver.resolve(name, kind, raise_on_no_answer=False)
        except (dns.resolver.NXDOMAIN, dns.name.EmptyLabel, dns.name.LabelTooLong, dns.name.NameTooLong):
            return []
        except dns.exception.DNSException as error:
            raise Away(type(error).__name__) from error
        return [_value(record, kind) for record in answer]


def _value(record: Any, kind: str) -> Any:
    if kind == "TXT":
        return record.strings
    if kind == "MX":
        return record.preference, record.exchange.to_text(omit_final_dot=True)
    return record.target.to_text(omit_final_dot=True) if kind == "PTR" else record.address


def require_vouched(
    octets: bytes,
    *,
    sender: str,
    envelope_sender: str,
    helo: str,
    peer: str,
    date: datetime | None,
    dns: Dns,
    now: datetime,
) -> None:
    """Go on where the domain of `sender`, the address in From, vouches for the mail. Raises NotVouched, Away."""
    domain = sender.rpartition("@")[2]
    if date is None or abs(now - date) > OLDEST:
        raise NotVouched("5.7.1", f"Its Date is not within {OLDEST.days} days of now")
    found = check_spf(envelope_sender, helo=helo, peer=peer, dns=dns)
    if found != "pass":
        raise NotVouched("5.7.23", f"SPF: {found} for {envelope_sender.rpartition('@')[2]} from {peer}")
    if not _is_of(envelope_sender.rpartition("@")[2], domain):
        raise NotVouched("5.7.23", f"SPF passed for another domain than {domain}")
    if not _is_signed_by(octets, domain, dns):
        raise NotVouched(
            "5.7.22", f"DKIM: no valid signature of {domain} over From, Date, Message-ID and the whole text"
        )


def check_spf(envelope_sender: str, *, helo: str, peer: str, dns: Dns) -> str:
    """RFC 7208's result: pass, fail, softfail, neutral, none or permerror. Raises Away where it cannot be told now."""
    if not _DOMAIN.fullmatch(envelope_sender.rpartition("@")[2]):
        return "none"
    query = _Query(dns, i=_plain(peer), s=envelope_sender, h=helo, timeout=LOOK_UP_WITHIN_S, querytime=CHECK_WITHIN_S)
    result, _code, _words = query.check()
    if result == "temperror":
        raise Away("SPF")
    return str(result)


class _Query(spf.query):  # type: ignore[misc]
    """pyspf's check, that looks names up where it is told to."""

    def __init__(self, names: Dns, **values: Any) -> None:
        super().__init__(**values)
        self._names = names

    def dns(self, name: str, qtype: str, cnames: object = None, ignore_void: bool = False) -> list[Any]:  # noqa: ARG002
        """pyspf asks this for every record."""
        key = str(name).rstrip(".").lower(), qtype
        if key not in self.cache:
            try:
                self.cache[key] = self._names.look_up(*key) if key[0] and qtype != "SPF" else []
            except Away as error:
                raise spf.TempError(str(error)) from error
        found: list[Any] = self.cache[key]
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("too many names that are not there")
        return found


def _is_signed_by(octets: bytes, domain: str, names: Dns) -> bool:
    def text_of(name: bytes, timeout: float = 0) -> bytes | None:  # noqa: ARG001
        records = names.look_up(name.decode("ascii").rstrip("."), "TXT")
        return b"".join(records[0]) if records else None

    try:
        signed = dkim.DKIM(octets, minkey=LEAST_KEY_BITS)
    except dkim.DKIMException:
        return False
    return any(_is_good(signed, place, domain, text_of) for place in range(MOST_SIGNATURES))


def _is_good(signed: Any, place: int, domain: str, text_of: Any) -> bool:
    try:
        prepared = signed.verify_headerprep(place)
        if not prepared or not _is_of(domain, prepared[0][b"d"].decode("ascii").lower()):
            return False  # before anything is looked up: strangers could have us ask for any name
        if _TAG_OF_LENGTH in prepared[0] or not set(prepared[1]) >= SIGNED:
            return False
        return bool(signed.verify(place, dnsfunc=text_of))
    except (dkim.DKIMException, UnicodeDecodeError, ValueError, KeyError):
        return False


def _is_of(domain: str, parent: str) -> bool:
    """Whether one is the other or below it; a top-level domain vouches for nobody."""
    domain, parent = domain.lower().rstrip("."), parent.lower().rstrip(".")
    return "." in parent and (domain == parent or domain.endswith(f".{parent}"))


def _plain(peer: str) -> str:
    """An IPv4 address that came in an IPv6 one."""
    address = ip_address(peer)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
