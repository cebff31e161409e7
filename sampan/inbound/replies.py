"""A customer's replies, for its members and its programs: lists, conversations, what has been read. Never another's."""

from datetime import datetime
from typing import NamedTuple

from sampan.database import Connection
from sampan.messages.reports.shown import SHOWN, Shown
from sampan.reasons import BY_NUMBER, Reason

MOST_AT_ONCE = 1_000
MOST_EXPORTED = 100_000


class ReplyFacts(NamedTuple):
    """One reply. `id` grows in the order in which replies became known, so it serves as a cursor."""

    id: int
    received_at: datetime
    handset: str  # digits with the country code; or as the operator named it
    number: str  # to which it was written
    keyword: str  # of a shared number; "" where there was none
    text: str
    parts: int
    parts_missing: int  # of a long text; "[…]" stands for them
    message_id: int | None  # which it answers (spec S6)
    unsubscribed: bool  # it was a STOP word (spec S112)
    answer: str  # the word that was answered by itself, or ""
    not_sent: Reason | None  # why an answer or a forward of it did not go
    is_read: bool


class Asked(NamedTuple):
    """Which replies; what is not said does not matter."""

    since: datetime | None = None
    until: datetime | None = None
    handset: str = ""
    number: str = ""  # of ours
    keyword: str = ""
    text: str = ""  # a part of it, in any case
    unread: bool = False


EVERYTHING = Asked()
COLUMNS = """id, received_at, handset, number, keyword, text, parts, parts_missing, message_id, unsubscribed, answer,
             not_sent, read_at IS NOT NULL"""
WHERE = """
     WHERE customer_id = %(customer)s
       AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s)
       AND (%(until)s::timestamptz IS NULL OR received_at < %(until)s)
       AND (%(handset)s = '' OR handset = %(handset)s) AND (%(number)s = '' OR number = %(number)s)
       AND (%(keyword)s = '' OR keyword = %(keyword)s)
       AND (%(text)s = '' OR strpos(lower(text), lower(%(text)s)) > 0)
       AND (NOT %(unread)s OR read_at IS NULL)"""
NEWEST_FIRST = f"""
    SELECT {COLUMNS} FROM reply {WHERE} AND (%(before)s::int8 IS NULL OR id < %(before)s)
     ORDER BY id DESC LIMIT %(most)s"""
OLDEST_FIRST = f"SELECT {COLUMNS} FROM reply {WHERE} AND id > %(after)s ORDER BY id LIMIT %(most)s"


def newest(
    conn: Connection, customer_id: int, asked: Asked = EVERYTHING, *, before: int | None = None, most: int = 50
) -> list[ReplyFacts]:
    """The newest replies below id `before`; for pages."""
    values = {"customer": customer_id, "before": before, "most": min(most, MOST_EXPORTED)}
    return [_facts(row) for row in conn.execute(NEWEST_FIRST, asked._asdict() | values)]


def following(
    conn: Connection, customer_id: int, asked: Asked = EVERYTHING, *, after: int = 0, most: int = 100
) -> list[ReplyFacts]:
    """Replies with ids above `after`, in their order: a program that asks again with the last id misses none."""
    values = {"customer": customer_id, "after": after, "most": min(most, MOST_AT_ONCE)}
    return [_facts(row) for row in conn.execute(OLDEST_FIRST, asked._asdict() | values)]


ONE = f"SELECT {COLUMNS} FROM reply WHERE customer_id = %s AND id = %s"


def reply(conn: Connection, customer_id: int, reply_id: int) -> ReplyFacts | None:
    """One reply of this customer; None where it has none with that id."""
    row = conn.execute(ONE, [customer_id, reply_id]).fetchone()
    return _facts(row) if row else None


def _facts(row: tuple[object, ...]) -> ReplyFacts:
    facts = ReplyFacts(*row)  # type: ignore[arg-type]
    return facts._replace(not_sent=BY_NUMBER[facts.not_sent] if facts.not_sent is not None else None)  # type: ignore[index]


# Conversations


class Thread(NamedTuple):
    """All that one handset wrote, by its latest reply."""

    handset: str
    last_id: int
    last_at: datetime
    text: str
    unread: int


# The latest of each handset; the index by handset finds whether there is a later one.
THREADS = f"""
    SELECT r.handset, r.id, r.received_at, r.text,
           (SELECT count(*) FROM reply u WHERE u.customer_id = r.customer_id AND u.handset = r.handset
               AND u.read_at IS NULL)
      FROM (SELECT * FROM reply {WHERE}) r
     WHERE NOT EXISTS (SELECT FROM reply n
                        WHERE n.customer_id = r.customer_id AND n.handset = r.handset AND n.id > r.id)
       AND (%(before)s::int8 IS NULL OR r.id < %(before)s)
     ORDER BY r.id DESC LIMIT %(most)s"""
# Who looks for something sees who wrote it, also where it was not their last word.
FOUND_THREADS = f"""
    SELECT * FROM (
        SELECT DISTINCT ON (r.handset) r.handset, r.id, r.received_at, r.text,
               (SELECT count(*) FROM reply u WHERE u.customer_id = r.customer_id AND u.handset = r.handset
                   AND u.read_at IS NULL)
          FROM reply r {WHERE} ORDER BY r.handset, r.id DESC) AS latest
     WHERE %(before)s::int8 IS NULL OR id < %(before)s ORDER BY id DESC LIMIT %(most)s"""


def threads(
    conn: Connection, customer_id: int, asked: Asked = EVERYTHING, *, before: int | None = None, most: int = 50
) -> list[Thread]:
    """Handsets by their latest reply that is asked for, newest first, below id `before`."""
    values = asked._asdict() | {"customer": customer_id, "before": before, "most": most}
    return [Thread(*row) for row in conn.execute(THREADS if asked == EVERYTHING else FOUND_THREADS, values)]


class Bubble(NamedTuple):
    """One text of a conversation: theirs with its reply, or ours with its message."""

    at: datetime
    text: str
    reply: ReplyFacts | None
    message_id: int | None
    shown: Shown | None


OURS = f"""
    SELECT m.created_at, coalesce(m.text, b.text), m.id, {SHOWN}
      FROM (SELECT * FROM message WHERE customer_id = %(customer)s AND created_at >= %(since)s
             ORDER BY created_at DESC, id DESC LIMIT %(looked_at)s) m
      JOIN batch b ON b.id = m.batch_id
     WHERE m.recipient = %(handset)s LIMIT %(most)s"""
MOST_LOOKED_AT = 50_000  # of a customer's latest messages: no index says who was written to


def conversation(conn: Connection, customer_id: int, handset: str, *, since: datetime, most: int = 200) -> list[Bubble]:
    """What a handset wrote since then, and what was sent to it, in order of time; the latest `most` of each."""
    theirs = newest(conn, customer_id, Asked(since=since, handset=handset), most=most)
    bubbles = [Bubble(each.received_at, each.text, each, None, None) for each in theirs]
    if handset.isdigit():
        values = {
            "customer": customer_id,
            "handset": int(handset),
            "since": since,
            "looked_at": MOST_LOOKED_AT,
            "most": most,
        }
        for at, text, message_id, shown in conn.execute(OURS, values):
            bubbles.append(Bubble(at, text, None, message_id, Shown(shown)))
    return sorted(bubbles, key=lambda bubble: bubble.at)


# Read and unread

READ = """
    UPDATE reply SET read_at = %(now)s
     WHERE customer_id = %(customer)s AND read_at IS NULL AND id <= %(last)s
       AND (%(handset)s = '' OR handset = %(handset)s)"""
UNREAD = "SELECT count(*) FROM (SELECT FROM reply WHERE customer_id = %s AND read_at IS NULL LIMIT %s) AS found"
AGAIN = "UPDATE reply SET read_at = NULL WHERE customer_id = %s AND id = %s"
MOST_COUNTED = 1_000


def mark_read(conn: Connection, customer_id: int, *, last_id: int, handset: str = "", now: datetime) -> int:
    """Replies up to that id, of one handset or of all, have been read; gives how many had not."""
    values = {"customer": customer_id, "last": last_id, "handset": handset, "now": now}
    return conn.execute(READ, values).rowcount


def mark_unread(conn: Connection, customer_id: int, reply_id: int) -> bool:
    """It is to be looked at once more; whether there is such a reply."""
    return conn.execute(AGAIN, [customer_id, reply_id]).rowcount > 0


def unread(conn: Connection, customer_id: int) -> int:
    """How many have not been read, counted up to 1,000."""
    row = conn.execute(UNREAD, [customer_id, MOST_COUNTED]).fetchone()
    return int(row[0]) if row else 0
