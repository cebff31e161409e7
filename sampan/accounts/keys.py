"""API keys: made and shown once; what is kept proves one without telling it (spec S136)."""

import hashlib
import secrets
import string
from datetime import datetime

from sampan.accounts.tables import ApiKey, Person

ALPHABET = string.ascii_letters + string.digits
CHARACTERS = 20  # as many as the HTTP API's `password` takes: 119 bits
SHORT_CHARACTERS = 8  # as many as SMPP 3.4 gives a password: 47 bits, for ESMEs that keep to it


def digest(key: str) -> bytes:
    """What is kept of a key. No slow hash: nobody guesses 119 bits."""
    return hashlib.sha256(key.encode()).digest()


def add_key(person: Person, *, name: str, now: datetime, characters: int = CHARACTERS) -> str:
    """A new key that acts for a member of a customer; it cannot be shown again."""
    key = "".join(secrets.choice(ALPHABET) for _ in range(characters))
    assert person.customer is not None, "staff have no keys"
    ApiKey.objects.create(customer=person.customer, person=person, name=name, sha256=digest(key), created_at=now)
    return key
