"""A batch with a message in every state that a customer can see, brought there by the platform's own steps."""

from datetime import datetime
from typing import NamedTuple

from sampan.accounts.tables import Customer
from sampan.database import Connection
from sampan.messages.reports.shown import Shown
from sampan.messages.tables import Source
from sampan.routing.tables import Operator
from tests.dispatch.steps import ENROUTE, UNDELIVERABLE, Owner
from tests.world import NOW, make_customer, make_places, send

TEXT = "海港花店聖誕市集本星期六開幕！上環文咸東街18號，憑此短訊免費換領迷你花束一份。" * 2  # two parts
RECIPIENTS = {
    "delivered": 85291230001,
    "processing": 85291230002,
    "retry": 85291230003,
    "unknown": 85291230004,
    "undeliverable": 85291230005,
    "refused": 85291230006,
    "being handed over": 85291230007,
    "waiting": 85291230008,
    "sent": 8613800138000,
    "filtered": 79123456789,
}
SHOWN = {
    "refused": Shown.UNDELIVERABLE,
    "being handed over": Shown.PROCESSING,
}
ENROUTE_ERROR, GONE_ERROR = "027", "001"


class OneOfEach(NamedTuple):
    """The batch, and its messages by name."""

    customer: Customer
    operator: Operator
    batch_id: int
    ids: dict[str, int]

    def shown(self, name: str) -> Shown:
        """How the message is to be shown."""
        return SHOWN.get(name) or Shown(name)


def make_one_of_each(conn: Connection, now: datetime = NOW) -> OneOfEach:
    """Harbour Florist's, with two parts a message. All that was handed over happened at NOW."""
    operator = make_places(errors={GONE_ERROR: 303, ENROUTE_ERROR: 304}, refusals={"11": 303})
    florist = make_customer()
    sent = send(
        conn,
        florist,
        list(RECIPIENTS.values()),
        now=now,
        text=TEXT,
        name="Christmas market",
        source=Source.PORTAL,
    )
    ids = dict(zip(RECIPIENTS, sent.message_ids, strict=True))
    owner = Owner(operator)
    claimed = {each.message_id: each for each in owner.claim(florist)}
    owner.attempt([each for each in claimed.values() if each.message_id != ids["waiting"]])
    for name in ("delivered", "processing", "retry", "undeliverable"):
        owner.taken(ids[name], 1)
        owner.taken(ids[name], 2)
    for part in (1, 2):
        owner.taken(ids["sent"], part, f"c{part}", receipts=False)
        owner.unanswered(ids["unknown"], part)
        owner.refused(ids["refused"], part)
        owner.receipt(f"{ids['delivered']}{part}", recipient=RECIPIENTS["delivered"])
    owner.receipt(f"{ids['retry']}1", recipient=RECIPIENTS["retry"])
    owner.receipt(f"{ids['retry']}2", ENROUTE, ENROUTE_ERROR, recipient=RECIPIENTS["retry"])
    owner.receipt(f"{ids['undeliverable']}1", UNDELIVERABLE, GONE_ERROR, recipient=RECIPIENTS["undeliverable"])
    return OneOfEach(florist, operator, sent.batch_id, ids)
