"""Signing in to the pages by login name and password, with a limit on guessing (spec S125, S131, S136)."""

from datetime import datetime, timedelta
from ipaddress import ip_address

from django.contrib.auth import authenticate
from django.db.models import Q

from sampan.accounts.tables import LONGEST_LOGIN_NAME, Person, SignInFailure

WITHIN = timedelta(minutes=15)
KEPT_FOR = timedelta(days=1)
MOST_FAILURES_OF_BOTH = 5  # for one login name from one address
MOST_FAILURES_OF_A_NAME = 50  # from anywhere: high, so that no stranger can lock somebody out with a few tries
MOST_FAILURES_OF_AN_ADDRESS = 50


class TooManyFailures(Exception):
    """Nobody is asked for a password now; at `until` one may try again."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


def prove(login_name: str, password: str, *, address: str | None, now: datetime) -> Person | None:
    """The person with this login name (in any case) and password; None where they do not match.

    It is as slow whether the name or the password is wrong. Raises TooManyFailures.
    """
    name = login_name.lower()[:LONGEST_LOGIN_NAME]
    _refuse_guessing(name, address, now)
    person = authenticate(None, username=login_name, password=password)
    if not isinstance(person, Person):
        SignInFailure.objects.filter(at__lt=now - KEPT_FOR).delete()
        SignInFailure.objects.create(login_name=name, address=address, at=now)
        return None
    SignInFailure.objects.filter(login_name=name, address=address).delete()
    return person


def _refuse_guessing(name: str, address: str | None, now: datetime) -> None:
    limits = [
        (Q(login_name=name, address=address), MOST_FAILURES_OF_BOTH),
        (Q(login_name=name), MOST_FAILURES_OF_A_NAME),
    ]
    if address and ip_address(address).is_global:  # else a proxy's of ours, that stands for many
        limits.append((Q(address=address), MOST_FAILURES_OF_AN_ADDRESS))
    for who, most in limits:
        lately = SignInFailure.objects.filter(who, at__gt=now - WITHIN).order_by("-at")
        earliest = lately.values_list("at", flat=True)[most - 1 : most].first()
        if earliest is not None:
            raise TooManyFailures(earliest + WITHIN)
