"""Argon2 one at a time: each hash takes 64 MiB while it is made, and a process of ours has 200 MB at most.

Calls that come together wait some 50 ms for each other. They are few: who has proved itself is remembered (`access`).
"""

import threading
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher

_ONE_AT_A_TIME = threading.Lock()


class PasswordHasher(Argon2PasswordHasher):
    """Django's, with the second choice of RFC 9106; settings.py names it for every password and key (spec S136)."""

    time_cost = 3
    memory_cost = 64 * 1024  # KiB
    parallelism = 4

    def encode(self, *args: Any, **kwargs: Any) -> str:
        """The hash to keep."""
        with _ONE_AT_A_TIME:
            return super().encode(*args, **kwargs)

    def verify(self, *args: Any, **kwargs: Any) -> bool:
        """Whether the password is the one of a hash."""
        with _ONE_AT_A_TIME:
            return super().verify(*args, **kwargs)
