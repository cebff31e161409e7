"""The demo world: a customer with money and sender IDs, staff of every role, and an operator at the simulator."""

import io
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction

from sampan.accounts.proofs.tables import SignUp
from sampan.accounts.tables import Customer, Person
from sampan.billing.money import pips_of
from sampan.billing.opening import open_customer, open_from_sign_up
from sampan.billing.tables import Price, TopUp
from sampan.billing.top_ups import file_top_up
from sampan.compliance.footers import Profile, save_profile
from sampan.compliance.register import import_register
from sampan.compliance.screening import HONG_KONG
from sampan.compliance.signatures import approve_signature, request_signature
from sampan.compliance.tables import RegisterImport
from sampan.compliance.words import add_words
from sampan.database import beneath_django
from sampan.inbound import numbers, settings
from sampan.inbound.forwarding import set_answer
from sampan.messages.address_book import contacts, groups
from sampan.messages.address_book.contacts import Given
from sampan.ops.logins import write_demo
from sampan.ops.world import BEGINNING, ROUTES
from sampan.routing.operators import add_operator
from sampan.routing.tables import Destination, Operator
from sampan.smpp.simulator import ERRORS

BALANCE = "10,000"
FILED = "3,000"
TIER_PRICES = {2: "0.27", 3: "0.25"}
SENDERS = ("HarbourFlo", "85298765432")
GROUNDS = "business registration of the demo"
MOBILE, MAIL, REGISTRATION = 85298765432, "owner@harbour.example", "12345678"
TRIAL_MOBILE, TRIAL_REGISTRATION = 85261230000, "23456789"
WINDOW = 50
PASSWORD_OCTETS = 9
REGISTER = b"61234567,2008-01-24\n61234568,2025-06-02\n"
CHINA_WORDS = ("发票", "赌博")
ADDRESS_BOOK = {
    "Regular customers": [
        Given(85261110001, "Cheung Yuk-lan 張玉蘭", {"district": "Wan Chai", "title": "Ms"}),
        Given(85261110002, "Ho Tsz-kit 何子傑", {"district": "Mong Kok", "title": "Mr"}),
        Given(85261110003, "Kwok Siu-fong 郭少芳", {"district": "Sai Kung"}),
        Given(85366120034, "Ieong Sio Man 楊小文", {"district": "Taipa", "title": "Ms"}),
    ],
    "Wedding enquiries": [
        Given(85261110004, "Fung Wai-man 馮慧敏", {"district": "Sha Tin", "wedding": "14 March"}),
        Given(85261110001, "", {"wedding": "2 January"}),
    ],
}
OWN_NUMBER, SHARED_NUMBER, KEYWORD = "85264478200", "85264478201", "flowers"
ANSWER = ("hours", "We are open from 9 to 6, also on Sundays.")
FOOTER = Profile("Harbour Florist", "海港花店", "28123456", "28123457", is_added=True)


def simulator_dialect() -> dict[str, Any]:
    """How the simulator speaks: its own error codes, and receipts whose ids may be in hex."""
    return {"errors": dict(ERRORS), "receipt_ids": ["hex"]}


@transaction.atomic
def make_demo(folder: Path, *, host: str, port: int, account: tuple[str, str], now: datetime) -> bool:
    """Harbour Florist, staff of every role, the simulator's operator, where nobody is there yet; whether it made them.

    Their passwords stand in `demo.json` of the data folder.
    """
    if Person.objects.exists():
        return False
    customer = secrets.token_urlsafe(PASSWORD_OCTETS)
    florist = open_customer(
        login_name="harbour",
        password=customer,
        name="Harbour Florist",
        status=Customer.Status.NORMAL,
        now=now,
        senders=SENDERS,
        paid_pips=pips_of(BALANCE),
        note=GROUNDS,
    )
    Person.objects.filter(customer=florist).update(mobile=MOBILE, email=MAIL)
    Customer.objects.filter(pk=florist.pk).update(verified_mobile=MOBILE, registration_number=REGISTRATION)
    trial = _make_trial(now)
    staff = _make_staff(now)
    add_operator(
        name="simulator",
        host=host,
        port=port,
        system_id=account[0],
        password=account[1],
        route_codes=list(ROUTES),
        window=WINDOW,
        rate_parts_per_s=0,
        dialect=simulator_dialect(),
    )
    _make_money(florist, now)
    _make_law(florist, Person.objects.get(login_name="staff"), now)
    _make_address_book(florist, now)
    _make_numbers(florist, Person.objects.get(login_name="staff"), now)
    logins = {
        "customer": {"username": "harbour", "password": customer, "sender_id": SENDERS[0]},
        "trial": trial,
    }
    write_demo(folder, logins | staff)
    return True


def _make_trial(now: datetime) -> dict[str, str]:
    """A customer that has signed up and is to file its registration; its login."""
    password = secrets.token_urlsafe(PASSWORD_OCTETS)
    begun = SignUp.objects.create(
        login_name="trial",
        password=make_password(password),
        company="Kowloon Tea House",
        registration_number=TRIAL_REGISTRATION,
        contact="Chan Tai-man",
        email="chan@tea.example",
        mobile=TRIAL_MOBILE,
        language="en",
        created_at=now,
    )
    open_from_sign_up(begun, now=now)
    return {"username": "trial", "password": password}


def _make_staff(now: datetime) -> dict[str, dict[str, str]]:
    """One of each role, for no role does all; their logins. Each sets up a second factor when first signing in."""
    logins = {}
    for role in Person.StaffRole:
        login_name = "staff" if role == Person.StaffRole.ADMIN else role.value
        password = secrets.token_urlsafe(PASSWORD_OCTETS)
        Person.objects.create(
            login_name=login_name,
            password=make_password(password),
            name=f"Demo {login_name}",
            staff_role=role,
            created_at=now,
        )
        logins[login_name] = {"username": login_name, "password": password}
    return logins


def _make_money(customer: Customer, now: datetime) -> None:
    """Prices of the higher tiers to Hong Kong, and a top-up for finance to look for."""
    destination = Destination.objects.select_related("route").get(name="Hong Kong")
    for tier, amount in TIER_PRICES.items():
        Price.objects.create(
            destination=destination,
            route=destination.route,
            tier=tier,
            effective_from=BEGINNING,
            unit_pips=pips_of(amount),
        )
    file_top_up(
        customer.pk,
        amount_pips=pips_of(FILED),
        way=TopUp.Way.FPS,
        reference="demo FPS reference",
        document=None,
        person=customer.members.get(),
        now=now,
    )


def _make_address_book(customer: Customer, now: datetime) -> None:
    """A few people with fields for personal texts, in two groups."""
    with beneath_django() as conn:
        contacts.keep(conn, customer.pk, [person for people in ADDRESS_BOOK.values() for person in people], now)
        for name, people in ADDRESS_BOOK.items():
            group_id = groups.make_group(conn, customer.pk, name, now)
            groups.add_members(conn, customer.pk, group_id, [person.number for person in people])


def _make_numbers(customer: Customer, staff: Person, now: datetime) -> None:
    """A number of the customer's own, a keyword on a shared one, and a word that is answered."""
    operator = Operator.objects.get()
    by: dict[str, Any] = {"by": staff, "why": GROUNDS, "now": now}
    own = numbers.add_number(operator, OWN_NUMBER, is_shared=False, **by)
    shared = numbers.add_number(operator, SHARED_NUMBER, is_shared=True, **by)
    with beneath_django() as conn:
        usual = settings.in_force(conn)
    numbers.rent(own.pk, customer.pk, monthly_pips=usual.number_pips, **by)
    numbers.rent(shared.pk, customer.pk, keyword=KEYWORD, monthly_pips=usual.keyword_pips, **by)
    set_answer(customer.pk, *ANSWER, by=customer.members.get(), now=now)


def _make_law(customer: Customer, staff: Person, now: datetime) -> None:
    """A small register, some words barred in China, and the customer's footer and signature."""
    today = now.astimezone(HONG_KONG).date()
    import_register(
        io.BytesIO(REGISTER),
        kind=RegisterImport.Kind.REPLACE,
        register_date=today,
        file_name="demo register.csv",
        by=staff,
        now=now,
        today=today,
    )
    add_words(CHINA_WORDS, by=staff, now=now, why=GROUNDS)
    owner = customer.members.get()
    save_profile(customer, FOOTER, by=owner, now=now)
    asked = request_signature(customer, "海港花店", grounds=GROUNDS, by=owner, now=now)
    approve_signature(asked.pk, words="the shop's name on its registration", by=staff, now=now)
