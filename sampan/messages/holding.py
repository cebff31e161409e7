"""Sending may be held for the whole platform, such as after a restore from a backup (spec S53).

What is queued then may have gone out long before. It waits until staff have looked and release it, or cancel it.
"""

from datetime import datetime

from django.db import transaction

from sampan.accounts.acts import Act, record
from sampan.accounts.tables import Person
from sampan.database import Connection, Snapshot, beneath_django

HELD = "SELECT sending_held FROM platform_state WHERE id = 1"
SET = """
    INSERT INTO platform_state (id, sending_held, words, at) VALUES (1, %(held)s, %(words)s, %(now)s)
    ON CONFLICT (id) DO UPDATE SET sending_held = excluded.sending_held, words = excluded.words, at = excluded.at"""


def _read(conn: Connection) -> tuple[bool]:
    row = conn.execute(HELD).fetchone()
    return (bool(row and row[0]),)


_state = Snapshot(_read, "platform_state")


def is_sending_held(conn: Connection) -> bool:
    """Whether nothing may be handed to operators now."""
    return _state.get(conn)[0]


def hold_sending(conn: Connection, *, held: bool, words: str, now: datetime) -> None:
    """Hold all sending, or release it."""
    conn.execute(SET, {"held": held, "words": words, "now": now})


@transaction.atomic
def stop_sending(*, by: Person, why: str, now: datetime) -> None:
    """Staff hold all sending; `why` is shown to their colleagues. Raises NotAllowed, Refused."""
    _set(Act.HOLD_SENDING, held=True, by=by, why=why, now=now)


@transaction.atomic
def go_on_sending(*, by: Person, why: str, now: datetime) -> None:
    """Staff release what was held. Raises NotAllowed, Refused."""
    _set(Act.RELEASE_SENDING, held=False, by=by, why=why, now=now)


def _set(act: Act, *, held: bool, by: Person, why: str, now: datetime) -> None:
    record(act, by=by, subject="sending", before={"held": not held}, after={"held": held}, why=why, now=now)
    with beneath_django() as conn:
        hold_sending(conn, held=held, words=why if held else "", now=now)


GAP = 1_000_000
LEAVE_GAP = "SELECT setval(name, nextval(name) + %s) FROM (VALUES ('message_id'), ('batch_id')) AS s (name)"


def hold_after_restore(conn: Connection, now: datetime) -> None:
    """The data come from a backup: what waits may have gone out since, and ids were given that we do not know of.

    So sending is held until staff release it, and new ids begin after a gap, so that none is given a second time.
    """
    hold_sending(conn, held=True, words="after a restore", now=now)
    conn.execute(LEAVE_GAP, [GAP])
    conn.execute("SELECT ensure_partitions(2)")
