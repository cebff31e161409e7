"""How strictly the platform takes the law, and of what date its register is: kept in memory by every process."""

from datetime import date, datetime
from typing import NamedTuple

from django.db import transaction

from sampan.accounts import acts
from sampan.accounts.acts import Act
from sampan.accounts.tables import Person
from sampan.compliance.tables import ComplianceSettings
from sampan.database import Connection, Snapshot


class Strictness(NamedTuple):
    """What is in force."""

    register_waits: bool
    footer_refuses: bool
    register_date: date | None  # None: no register was imported yet


IN_FORCE = """
    SELECT coalesce(s.register_waits, false), coalesce(s.footer_refuses, false),
           (SELECT register_date FROM register_import ORDER BY id DESC LIMIT 1)
      FROM (SELECT 1) AS one LEFT JOIN compliance_settings s ON s.id = 1"""


def _load(conn: Connection) -> Strictness:
    row = conn.execute(IN_FORCE).fetchone()
    assert row is not None
    return Strictness(*row)


strictness = Snapshot(_load, "compliance_settings", "register_import")


@transaction.atomic
def change_settings(*, register_waits: bool, footer_refuses: bool, why: str, by: Person, now: datetime) -> None:
    """Staff set both. Raises NotAllowed, NO_GROUNDS."""
    acts.require(by, Act.SET_COMPLIANCE)
    ComplianceSettings.objects.get_or_create(id=1)
    row = ComplianceSettings.objects.select_for_update().get(id=1)
    before = {"register_waits": row.register_waits, "footer_refuses": row.footer_refuses}
    row.register_waits, row.footer_refuses = register_waits, footer_refuses
    row.save()
    after = {"register_waits": register_waits, "footer_refuses": footer_refuses}
    acts.record(Act.SET_COMPLIANCE, by=by, subject=row, before=before, after=after, why=why, now=now)
