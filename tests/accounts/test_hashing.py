"""Passwords that are checked together do not take the memory of all of them at once."""

import subprocess
import sys

MEBIBYTE_KIB = 1024
PROGRAM = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
import django
django.setup()
from django.contrib.auth.hashers import check_password, make_password
kept = make_password("roses")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with ThreadPoolExecutor(4) as threads:
    assert list(threads.map(lambda word: check_password(word, kept), ["roses", "tulips"] * 4)) == [True, False] * 4
print(kept.split("$")[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_eight_checks_at_once_take_hardly_more_memory_than_one() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    algorithm, more_kib = done.stdout.split()
    assert algorithm == "argon2"
    assert int(more_kib) < 50 * MEBIBYTE_KIB
