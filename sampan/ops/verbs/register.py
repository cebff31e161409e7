"""`sampan register import`: the do-not-call register from a file of any size (spec S93)."""

import argparse
from datetime import UTC, date, datetime
from pathlib import Path

from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import Person
from sampan.compliance.register import import_register
from sampan.compliance.screening import HONG_KONG
from sampan.compliance.tables import RegisterImport
from sampan.ops.cli import Answer, VerbRefused
from sampan.reasons import Refused

KINDS = {
    "replace": RegisterImport.Kind.REPLACE,
    "add": RegisterImport.Kind.ADD,
    "remove": RegisterImport.Kind.REMOVE,
}


def import_file(arguments: argparse.Namespace) -> Answer:
    """In the name of the member of staff who is named, whose role must allow it."""
    now = datetime.now(UTC)
    path = Path(arguments.file)
    try:
        by = Person.objects.get(login_name__iexact=arguments.by)
        with path.open("rb") as file:
            done, read = import_register(
                file,
                kind=KINDS[arguments.kind],
                register_date=date.fromisoformat(arguments.as_of),
                file_name=path.name,
                by=by,
                now=now,
                today=now.astimezone(HONG_KONG).date(),
                may_shrink=arguments.may_shrink,
            )
    except (Refused, NotAllowed, OSError) as error:
        raise VerbRefused(str(error)) from error
    except Person.DoesNotExist:
        raise VerbRefused(f"Nobody signs in as {arguments.by}. Name a member of staff") from None
    except ValueError as error:
        raise VerbRefused(f"{error}. Write the date as 2026-11-21") from error
    facts = {
        "register_date": done.register_date.isoformat(),
        "added": done.added,
        "removed": done.removed,
        "total": done.total,
        "bad_rows": read.bad,
    }
    lines = [f"Added {done.added:,}, removed {done.removed:,}; numbers on the register: {done.total:,}"]
    lines += [f"row {row} was left out: {value}" for row, value in read.bad_rows]
    return Answer(facts, lines)
