"""A registered address in From proves nothing: its domain vouches for the mail, by SPF and by DKIM (spec S122)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sampan.interfaces.smtp_door.authentic import Away, NotVouched, check_spf, require_vouched
from tests.interfaces.smtp_door.running import SELECTOR, Zone, mail, octets_of, signed, vouching_zone
from tests.world import NOW

SENDER = "orders@harbour.example"
HERE = "127.0.0.1"
KEY = f"{SELECTOR}._domainkey.harbour.example"
RECOMMENDED = [b"from", b"to", b"subject", b"date", b"message-id"]


def ask(
    octets: bytes,
    zone: Zone,
    *,
    sender: str = SENDER,
    envelope_sender: str = SENDER,
    peer: str = HERE,
    age: timedelta = timedelta(),
) -> None:
    require_vouched(
        octets,
        sender=sender,
        envelope_sender=envelope_sender,
        helo="mx.harbour.example",
        peer=peer,
        date=NOW,
        dns=zone,
        now=NOW + age,
    )


def good_mail() -> bytes:
    return signed(octets_of(mail(sender=SENDER, subject="Roses", date=NOW)))


def refused(octets: bytes, zone: Zone, **changes: object) -> str:
    with pytest.raises(NotVouched) as error:
        ask(octets, zone, **changes)  # type: ignore[arg-type]
    return str(error.value)


def test_a_signed_mail_from_where_the_domain_sends_is_believed() -> None:
    ask(good_mail(), vouching_zone())
    ask(good_mail(), vouching_zone(), peer="::ffff:127.0.0.1")


def test_from_alone_is_never_enough() -> None:
    assert "SPF: none" in refused(octets_of(mail(sender=SENDER)), Zone())
    assert "DKIM" in refused(octets_of(mail(sender=SENDER)), vouching_zone())


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 ip4:192.0.2.1 -all", "fail"),
        ("v=spf1 ip4:192.0.2.1 ~all", "softfail"),
        ("v=spf1 ?all", "neutral"),
        ("", "none"),
        ("v=spf1 nonsense:x -all", "permerror"),
        ("v=spf1 ip4:127.0.0.0/8 -all", "pass"),
    ],
)
def test_spf_says(record: str, result: str) -> None:
    """RFC 7208"""
    zone = Zone()
    zone.text("harbour.example", record)
    assert check_spf(SENDER, helo="mx", peer=HERE, dns=zone) == result


def test_spf_follows_names() -> None:
    zone = Zone()
    zone.text("harbour.example", "v=spf1 mx include:provider.example -all")
    zone.text("provider.example", "v=spf1 a:out.provider.example -all")
    zone.records["harbour.example", "MX"] = [(10, "mx.harbour.example")]
    zone.records["mx.harbour.example", "A"] = ["192.0.2.1"]
    zone.records["out.provider.example", "A"] = [HERE, "192.0.2.7"]
    zone.records["mx.harbour.example", "AAAA"] = ["2001:db8::5"]
    answers = {peer: check_spf(SENDER, helo="mx", peer=peer, dns=zone) for peer in (HERE, "192.0.2.1", "192.0.2.9")}
    assert answers == {HERE: "pass", "192.0.2.1": "pass", "192.0.2.9": "fail"}
    assert check_spf(SENDER, helo="mx", peer="2001:db8::5", dns=zone) == "pass"


def test_spf_asks_only_so_many_names() -> None:
    """RFC 7208 §4.6.4: else one mail would have us ask for thousands."""
    zone = Zone()
    for number in range(100):
        zone.text(f"{number or 'harbour'}.example", f"v=spf1 include:{number + 1}.example -all")
    assert check_spf(SENDER, helo="mx", peer=HERE, dns=zone) == "permerror"
    assert len(zone.asked) < 20
    zone = Zone()
    zone.text("harbour.example", "v=spf1 " + " ".join(f"a:{n}.gone.example" for n in range(9)) + " -all")
    assert check_spf(SENDER, helo="mx", peer=HERE, dns=zone) == "permerror"


@pytest.mark.parametrize("envelope_sender", ["mallory@evil.example", "<>", "a@harbour.example.evil.example", "x@", "x"])
def test_spf_of_another_domain_helps_nobody(envelope_sender: str) -> None:
    zone = vouching_zone()
    zone.text("evil.example", "v=spf1 +all")
    zone.text("harbour.example.evil.example", "v=spf1 +all")
    assert "SPF" in refused(good_mail(), zone, envelope_sender=envelope_sender)


def test_a_domain_below_may_be_the_envelopes() -> None:
    zone = vouching_zone()
    zone.text("bounces.harbour.example", "v=spf1 ip4:127.0.0.1 -all")
    ask(good_mail(), zone, envelope_sender="x@bounces.harbour.example")


def test_a_mail_that_was_signed_and_then_sent_on_from_elsewhere_is_not_believed() -> None:
    """Whoever was ever sent one has it."""
    assert "SPF: fail" in refused(good_mail(), vouching_zone(), peer="203.0.113.9")


@pytest.mark.parametrize(
    "change",
    [
        lambda octets: octets.replace(b"are ready", b"are free!"),
        lambda octets: octets + b"and more\r\n",
        lambda octets: octets.replace(b"Subject: Roses", b"Subject: [dncr=0]"),
        lambda octets: octets.replace(b"<1@harbour", b"<2@harbour"),
        lambda octets: octets.replace(b"b=", b"b=zzzz", 1),
        lambda octets: octets.replace(b"DKIM-Signature:", b"DKIM-Signature: v=1; a=\r\nX:", 1),
    ],
)
def test_what_was_changed_since_it_was_signed_is_not_believed(change: Callable[[bytes], bytes]) -> None:
    octets = good_mail()
    assert change(octets) != octets
    assert "DKIM" in refused(change(octets), vouching_zone())


@pytest.mark.parametrize(
    "how",
    [
        {"include_headers": [b"from", b"subject"]},
        {"include_headers": [b"from", b"date", b"subject"]},
        {"length": True, "include_headers": RECOMMENDED},
    ],
)
def test_a_signature_that_leaves_room_is_none(how: dict[str, Any]) -> None:
    assert "DKIM" in refused(signed(octets_of(mail(sender=SENDER, date=NOW)), **how), vouching_zone())


def test_another_domains_signature_helps_nobody_and_asks_for_no_name() -> None:
    octets = signed(octets_of(mail(sender=SENDER, date=NOW)), "evil.example")
    zone = vouching_zone()
    zone.records[f"{SELECTOR}._domainkey.evil.example", "TXT"] = zone.records[KEY, "TXT"]
    assert "DKIM" in refused(octets, zone)
    assert not any("evil" in name for name, _ in zone.asked)


def test_one_good_signature_among_others_is_enough_and_many_are_not_looked_at() -> None:
    octets = octets_of(mail(sender=SENDER, date=NOW))
    ask(signed(signed(octets), "list.example"), vouching_zone())
    many = signed(octets)
    for _ in range(5):
        many = signed(many, "list.example")
    assert "DKIM" in refused(many, vouching_zone())


def test_a_key_that_is_revoked_or_gone_signs_nothing() -> None:
    """RFC 6376 §3.6.1: an empty p= is a revoked key."""
    for record in ("v=DKIM1; k=rsa; p=", ""):
        zone = vouching_zone()
        zone.text(KEY, record)
        assert "DKIM" in refused(good_mail(), zone)


@pytest.mark.parametrize("age", [timedelta(days=8), -timedelta(days=8)])
def test_an_old_mail_is_not_believed(age: timedelta) -> None:
    """A repeat is known for 30 days (spec S8); after that it would send again."""
    assert "Date" in refused(good_mail(), vouching_zone(), age=age)


def test_while_nobody_answers_it_cannot_be_told() -> None:
    zone = vouching_zone()
    zone.is_away = True
    with pytest.raises(Away):
        ask(good_mail(), zone)
