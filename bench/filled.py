"""What a message costs when the tables are full, beside what it cost when they were empty.

The tables are filled as time would have filled them: seven of ten messages alone in their batch, as the APIs make them,
three of ten in batches of a thousand, of twenty customers, over the last weeks; each with its part and its receipt, its
hold and its charge. The database's own promises (checks, keys, the trigger that moves the balances) hold meanwhile.
"""

import time
from typing import Any

from bench.sampan_up import CUSTOMERS, Measured

STEP = 500_000  # messages a commit
WEEKS = 7  # younger than what is deleted by itself (spec S130)
TABLES = ("batch", "message", "message_part", "transfer")
SINGLES, BULK, ALTERNATE = 7_000, 1_000, 10_000  # of so many, so many come alone; the others in batches of a thousand
BATCHES = SINGLES + (ALTERNATE - SINGLES) // BULK
A_TRANSFER = 10  # messages of one customer share a hold and a charge

# One row a message to be: which batch, which transfer, whose, when. `n` counts from 0 within a step.
PLACES = f"""
CREATE TEMPORARY TABLE place AS
SELECT n, %(first_message)s::int8 + n AS id,
       %(first_batch)s::int8 + n / {ALTERNATE} * {BATCHES}
           + CASE WHEN n %% {ALTERNATE} < {SINGLES} THEN n %% {ALTERNATE}
             ELSE {SINGLES} + (n %% {ALTERNATE} - {SINGLES}) / {BULK} END AS batch_id,
       n %% {ALTERNATE} >= {SINGLES} AS is_bulk,
       n / {A_TRANSFER} AS share,
       c.id AS customer_id, c.available_id, c.held_id, c.charged_id, s.*,
       %(begin)s::timestamptz + %(span)s::interval * (CASE WHEN n %% {ALTERNATE} < {SINGLES} THEN n
           ELSE n / {BULK} * {BULK} END)::float8 / %(step)s AS created_at,
       85260000000 + (random() * 9999999)::int8 AS recipient,
       CASE WHEN random() < 0.95 THEN 22 ELSE 21 END AS status
  FROM generate_series(0, %(step)s - 1) AS n
  JOIN (SELECT p.customer_id AS id, row_number() OVER (ORDER BY p.customer_id) - 1 AS place,
               (SELECT id FROM account a WHERE a.customer_id = p.customer_id AND kind = 1) AS available_id,
               (SELECT id FROM account a WHERE a.customer_id = p.customer_id AND kind = 2) AS held_id,
               (SELECT id FROM account a WHERE a.customer_id = p.customer_id AND kind = 3) AS charged_id
          FROM person p WHERE login_name LIKE 'bench%%') c
    ON c.place = (CASE WHEN n %% {ALTERNATE} < {SINGLES} THEN n / {A_TRANSFER} ELSE n / {BULK} END) %% {CUSTOMERS}
 CROSS JOIN (SELECT m.destination_id, m.route_id, m.operator_id, m.price_pips, m.coding, m.units, b.person_id, b.source,
                    b.purpose, b.validity_minutes, b.route, b.sender, b.signature, b.text, p.link_id
               FROM message m JOIN batch b ON b.id = m.batch_id JOIN message_part p ON p.message_id = m.id
              WHERE m.status = 22 ORDER BY m.id LIMIT 1) s
"""
TRANSFERS = """
INSERT INTO transfer (id, at, kind, customer_id, from_account_id, to_account_id, amount_pips, note)
SELECT %(first_transfer)s::int8 + 2 * share + k.place, min(created_at), k.kind, customer_id,
       CASE k.place WHEN 0 THEN available_id ELSE held_id END, CASE k.place WHEN 0 THEN held_id ELSE charged_id END,
       sum(price_pips), ''
  FROM place CROSS JOIN (VALUES (0, 1), (1, 2)) AS k (place, kind)
 GROUP BY share, k.place, k.kind, customer_id, available_id, held_id, charged_id
 ORDER BY 1
"""
BATCH = """
INSERT INTO batch (id, customer_id, person_id, created_at, started_at, price_pips, recipients, state, source, purpose,
                   validity_minutes, route, sender, signature, name, text)
SELECT batch_id, min(customer_id), min(person_id), min(created_at), min(created_at), sum(price_pips), count(*), 2,
       min(source), min(purpose), min(validity_minutes), min(route), min(sender), min(signature), '', min(text)
  FROM place GROUP BY batch_id ORDER BY batch_id
"""
MESSAGE = """
INSERT INTO message (id, batch_id, customer_id, created_at, recipient, price_pips, charged_pips, hold_id, charge_id,
                     taken_at, final_at, destination_id, route_id, operator_id, status, reason, coding, units, parts,
                     answered_parts, taken_parts, delivered_parts)
SELECT id, batch_id, customer_id, created_at, recipient, price_pips, price_pips, %(first_transfer)s::int8 + 2 * share,
       %(first_transfer)s::int8 + 2 * share + 1, created_at + interval '1 s', created_at + interval '4 s',
       destination_id, route_id, operator_id, status, CASE status WHEN 22 THEN 300 ELSE 303 END, coding, units, 1, 1, 1,
       CASE status WHEN 22 THEN 1 ELSE 0 END
  FROM place ORDER BY id
"""
PART = """
INSERT INTO message_part (message_id, part, try_number, submitted_at, answered_at, receipt_at, sequence_number,
                          operator_id, link_id, command_status, receipt_state, operator_ref, receipt_error)
SELECT id, 1, 1, created_at + interval '0.5 s', created_at + interval '1 s', created_at + interval '4 s', id,
       operator_id, link_id, 0, CASE status WHEN 22 THEN 2 ELSE 5 END, to_hex(id * 7919), '000'
  FROM place ORDER BY id
"""
IDS = "SELECT nextval('message_id'), nextval('batch_id'), nextval(pg_get_serial_sequence('transfer', 'id'))"
MOVE_ON = """
SELECT setval('message_id', %(first_message)s + %(step)s), setval('batch_id', %(first_batch)s + %(batches)s),
       setval(pg_get_serial_sequence('transfer', 'id'), %(first_transfer)s + %(transfers)s)
"""


def fill(measured: Measured, count: int) -> dict[str, Any]:
    """So many messages more, all of them final; gives how long that took and how large the tables are."""
    began = time.perf_counter()
    for place in range(count // STEP):
        _step(measured, place, count // STEP)
    with measured.platform.connect() as conn:
        conn.execute("SELECT ensure_partitions(2)")
        for table in TABLES:
            conn.execute(f"VACUUM (ANALYZE) {table}".encode())
        octets = conn.execute("SELECT pg_database_size(current_database())").fetchall()[0][0]
    return {"filled_s": round(time.perf_counter() - began), "database_gb": round(octets / 1e9, 1)}


def _step(measured: Measured, place: int, places: int) -> None:
    """One commit's worth: nothing else writes meanwhile, so that ids follow one another."""
    with measured.platform.connect() as conn, conn.transaction():
        ids = conn.execute(IDS).fetchone()
        assert ids is not None
        values: dict[str, Any] = dict(zip(("first_message", "first_batch", "first_transfer"), ids, strict=True))
        values |= {"step": STEP, "batches": STEP // ALTERNATE * BATCHES, "transfers": 2 * STEP // A_TRANSFER}
        span_s = WEEKS * 7 * 86_400 / places
        sql = "SELECT now() - %s * interval '1 s', %s * interval '1 s'"
        begin, span = conn.execute(sql, [span_s * (places - place), span_s]).fetchall()[0]
        values |= {"begin": begin, "span": span}
        conn.execute(MOVE_ON, values)
        conn.execute("SELECT ensure_partitions(1)")
        conn.execute(PLACES, values)
        for sql in (TRANSFERS, BATCH, MESSAGE, PART):
            conn.execute(sql, values)
        conn.execute("DROP TABLE place")
