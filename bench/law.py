"""What the law costs: the do-not-call register's import, and a large batch asked for in it (spec S93, S94)."""

import io
import time
from typing import TYPE_CHECKING

from bench.sampan_up import connected, sampan_with
from bench.smsc_process import running_smsc

if TYPE_CHECKING:
    from sampan.accounts.tables import Person

REGISTERED, PREFERENCES, SCREENED = 1_000_000, 100_000, 50_000
FIRST = 852_6000_0000

FILL = "INSERT INTO registered_number SELECT %s + n, '2020-01-01' FROM generate_series(1, %s) n"
FILL_PREFERENCES = """
    INSERT INTO preference (customer_id, number, kind, way, at, recorded_at, evidence)
    SELECT %s, %s + n * 7, 1 + n %% 2, CASE n %% 2 WHEN 0 THEN 'verbal' ELSE 'hand' END, now(), now(), ''
      FROM generate_series(1, %s) n"""
CUSTOMER = "SELECT customer_id FROM person WHERE login_name = 'bench0'"


def register(runs: int) -> list[float]:
    """Seconds to import a million numbers; from the second run on all of them are there already."""
    octets = "".join(f"{60_000_000 + n},2008-01-24\n" for n in range(REGISTERED)).encode()
    took_s = []
    with running_smsc() as smsc, sampan_with(smsc) as measured, connected(measured) as (_, now):
        from sampan.compliance.register import import_register
        from sampan.compliance.tables import RegisterImport

        officer = _compliance_officer()
        for _ in range(runs):
            began = time.perf_counter()
            done, _read = import_register(
                io.BytesIO(octets),
                kind=RegisterImport.Kind.REPLACE,
                register_date=now.date(),
                file_name="register.csv",
                by=officer,
                now=now,
                today=now.date(),
            )
            took_s.append(time.perf_counter() - began)
            assert done.total == REGISTERED
    return took_s


def _compliance_officer() -> "Person":
    from django.utils import timezone

    from sampan.accounts.tables import Person

    return Person.objects.create(
        login_name="bench-officer", staff_role=Person.StaffRole.COMPLIANCE, created_at=timezone.now()
    )


def screening(runs: int) -> list[float]:
    """Seconds to ask for 50,000 recipients, in a register of a million and beside 100,000 consents and refusals."""
    took_s = []
    with running_smsc() as smsc, sampan_with(smsc) as measured, connected(measured) as (conn, now):
        from sampan.compliance.screening import Asked, screen

        ((customer_id,),) = conn.execute(CUSTOMER).fetchall()
        conn.execute(FILL, [FIRST, REGISTERED])
        conn.execute(FILL_PREFERENCES, [customer_id, FIRST, PREFERENCES])
        conn.execute("ANALYZE registered_number, preference")
        numbers = [FIRST + n * 37 for n in range(1, SCREENED + 1)]
        asked = Asked(customer_id, numbers, promotional=True, register_filter=None, has_china=False)
        for _ in range(runs):
            began = time.perf_counter()
            (screened,) = screen(conn, [asked], now)
            took_s.append(time.perf_counter() - began)
            # 27,027 of them are on the register; every seventh has a preference, and half of those are consents.
            assert len(screened.reasons) == 25_676
    return took_s
