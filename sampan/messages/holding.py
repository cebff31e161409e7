"""Sending may be held for the whole platform, such as after a restore from a backup (spec S53).

What is queued then may have gone out long before. It waits until staff have looked and release it, or cancel it.
"""

from datetime import datetime

from sampan.database import Connection, Snapshot

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
