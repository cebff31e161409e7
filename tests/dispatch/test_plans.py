"""The statements of the hot path find rows by their keys, also where they were planned while their tables were empty.

Vacuum leaves the statistics of an empty table behind whenever it comes in a quiet moment, and plans are kept. A join of
given rows with a table then looks cheapest as reading all of the table, and all given rows again for each of its rows.
"""

import re

import pytest

from sampan.database import Connection, connect
from sampan.dispatch import claims, inbox, matching, receipts, results
from sampan.messages import batches, status

HOT = r"(?:queued|attempt|inbox_receipt|message|message_\d+)"
A_SCAN = re.compile(rf"(?:Scan|Scan using \w+) on {HOT}\b")
PARAMETER = re.compile(r"%\((\w+)\)s")
STATEMENTS = {
    "claim": claims.CLAIM,
    "attempt": claims.ATTEMPT,
    "requeue": claims.REQUEUE,
    "withdraw": claims.WITHDRAW,
    "take": results.TAKE,
    "lock": results.LOCK,
    "end": results.END,
    "lose": results.LOSE,
    "undo an attempt": results.UNATTEMPT,
    "finish": receipts.FINISH,
    "try again": receipts.TRY_AGAIN,
    "find by the operator's id": matching.BY_REF,
    "postpone": inbox.POSTPONE,
    "settle": status.SETTLE,
    "hear": status.HEAR,
    "doubt": status.DOUBT,
    "unqueue": batches.UNQUEUE,
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_it_goes_by_keys_though_it_was_planned_for_empty_tables(database: Connection, name: str) -> None:
    database.execute("VACUUM (ANALYZE) queued, attempt, inbox_receipt, message")
    names = list(dict.fromkeys(PARAMETER.findall(STATEMENTS[name])))
    sql = PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", STATEMENTS[name]).replace("%%", "%")
    with connect("tests", by_key=True) as conn:
        conn.execute(f"PREPARE it AS {sql}".encode())
        nothing = ", ".join(["NULL"] * len(names))
        plan = [line for (line,) in conn.execute(f"EXPLAIN EXECUTE it ({nothing})".encode())]
    scans = [place for place, line in enumerate(plan) if A_SCAN.search(line)]
    assert scans, plan
    for place in scans:
        by_key = next(line for line in plan[place + 1 :] if "Disabled" not in line)
        assert re.search("(Index|TID|Recheck) Cond:", by_key), "\n".join(plan)
