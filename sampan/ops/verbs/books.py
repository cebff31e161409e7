"""`sampan reconcile`: do the books agree with the messages? Exits 1 and says where they do not."""

import argparse

from sampan.database import connect
from sampan.messages.reconcile import discrepancies
from sampan.ops.cli import Answer


def reconcile(_arguments: argparse.Namespace) -> Answer:
    """All checks."""
    with connect("reconcile") as conn:
        found = discrepancies(conn)
    lines = [each.words for each in found]
    return Answer([each._asdict() for each in found], lines or ["The books balance."], code=1 if found else 0)
