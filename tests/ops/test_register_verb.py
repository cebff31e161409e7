"""`sampan register import` (spec S93)."""

import json
from pathlib import Path

import pytest

from sampan.accounts.tables import Person
from sampan.compliance.tables import RegisteredNumber
from sampan.database import Connection
from sampan.ops.cli import main
from tests.world import make_customer, make_staff


def test_a_file_is_imported_in_the_name_of_staff(
    database: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_staff("carol", role=Person.StaffRole.COMPLIANCE)
    path = tmp_path / "register.csv"
    path.write_text("61234567,2008-01-24\nnone\n")
    assert main(["register", "import", str(path), "--by", "carol", "--as-of", "2026-11-20", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer == {"register_date": "2026-11-20", "added": 1, "removed": 0, "total": 1, "bad_rows": 1}
    assert main(["register", "import", str(path), "--by", "carol", "--as-of", "2026-11-21", "--kind", "remove"]) == 0
    assert "row 2 was left out: none" in capsys.readouterr().out
    assert not RegisteredNumber.objects.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"--by": "nobody"}, "Nobody signs in as nobody"),
        ({"--by": "harbour"}, "may not register.import"),
        ({"--as-of": "yesterday"}, "Write the date as 2026-11-21"),
        ({"file": "/no/such/file"}, "No such file"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    database: Connection,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, str],
    said: str,
) -> None:
    make_staff("carol", role=Person.StaffRole.COMPLIANCE)
    make_customer()
    path = tmp_path / "register.csv"
    path.write_text("61234567\n")
    given = {"file": str(path), "--by": "carol", "--as-of": "2026-11-20"} | changes
    arguments = [given.pop("file"), *(part for pair in given.items() for part in pair)]
    assert main(["register", "import", *arguments]) == 1
    assert said in capsys.readouterr().err
    assert not RegisteredNumber.objects.exists()
