"""What becomes of the messages of test keys: nobody gets them, and each number always ends the same (spec S123).

They wait in the queue like all others, under an operator that does not exist (`planning.TEST_OPERATOR`): no gateway can
claim them, for it owns operators by their rows, and there is none. Their price is 0, so no money moves. So pausing,
scheduling, cancelling and webhooks are those of real messages. The worker ends them here, by numbers that end as the
SMSC simulator's of the same name do (docs/api/json.md); all others are delivered.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from sampan.database import Connection
from sampan.messages import status
from sampan.messages.planning import TEST_OPERATOR
from sampan.messages.status import Evidence, Settled
from sampan.messages.tables import Status
from sampan.reasons import Reason

MOST_AT_ONCE = 2_000


class Ending(NamedTuple):
    """How a message ends, and whether an operator would have taken it."""

    status: Status
    reason: Reason
    taken: bool = True


DELIVERED = Ending(Status.DELIVERED, Reason.NONE)
ENDINGS: Mapping[int, Ending] = MappingProxyType(
    {
        85251000001: Ending(Status.UNDELIVERABLE, Reason.UNKNOWN_SUBSCRIBER),
        85251000002: Ending(Status.EXPIRED, Reason.PHONE_UNREACHABLE),
        85251000004: Ending(Status.UNDELIVERABLE, Reason.INBOX_FULL),
        85251000005: Ending(Status.UNDELIVERABLE, Reason.UNKNOWN_SUBSCRIBER, taken=False),
        85251000010: Ending(Status.UNDELIVERABLE, Reason.NETWORK_UNSUPPORTED),
        85251000011: Ending(Status.UNDELIVERABLE, Reason.BLOCKED),
        85251000012: Ending(Status.UNDELIVERABLE, Reason.OPERATOR_FAULT),
        85251000013: Ending(Status.EXPIRED, Reason.NO_RECEIPT),
    }
)

TAKE = f"""
    WITH taken AS (
        DELETE FROM queued WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM queued WHERE operator_id = {TEST_OPERATOR}
             ORDER BY operator_id, lane, customer_id, message_id LIMIT %s FOR UPDATE SKIP LOCKED))
        RETURNING message_id, parts_left)
    SELECT t.message_id, t.parts_left, m.recipient
      FROM taken t CROSS JOIN LATERAL (SELECT recipient FROM message WHERE id = t.message_id LIMIT 1) m"""


def end_tests(conn: Connection, now: datetime) -> int:
    """End the tests that wait; gives how many."""
    with conn.transaction():
        rows = conn.execute(TAKE, [MOST_AT_ONCE]).fetchall()
        settled, heard = [], []
        for message_id, parts, recipient in rows:
            ending = ENDINGS.get(recipient, DELIVERED)
            if not ending.taken:
                settled.append(Settled(message_id, parts, 0, ending.status, ending.reason))
                continue
            settled.append(Settled(message_id, parts, parts))
            delivered = parts if ending is DELIVERED else 0
            heard.append(Evidence(message_id, delivered, None if delivered else ending.status, ending.reason))
        status.settle(conn, settled, now)
        status.hear(conn, heard, now)
    return len(rows)
