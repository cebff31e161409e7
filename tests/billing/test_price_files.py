"""Price lists taken out and put back as CSV; a file with one wrong line changes nothing (spec S43, S83)."""

import csv
import io
from collections.abc import Iterable, Sequence

import pytest

from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import AuditEntry, Customer, Person
from sampan.billing import price_files
from sampan.billing.money import pips_of
from sampan.billing.price_files import LISTED_HEAD, OWN_HEAD, Fault, NothingTaken
from sampan.billing.tables import CustomerPrice, Price
from sampan.database import Connection
from tests.world import NOW, make_customer, make_places, make_staff

HEAD = ",".join(LISTED_HEAD)
LATER = "2026-12-31 18:00"


@pytest.fixture
def fanny(database: Connection) -> Person:
    make_places()
    return make_staff("fanny", role=Person.StaffRole.FINANCE)


def put(text: str, by: Person) -> price_files.PriceFile:
    return price_files.put_list(text, why="the operator's new prices", by=by, now=NOW)


def written(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows([head, *lines])
    return file.getvalue()


def test_what_was_taken_out_can_be_put_back_and_changes_nothing(database: Connection, fanny: Person) -> None:
    before = list(Price.objects.order_by("pk").values())
    file = put(written(LISTED_HEAD, price_files.list_lines()), fanny)
    assert (file.new, file.changed, file.unchanged) == ([], [], len(before))
    assert list(Price.objects.order_by("pk").values()) == before


def test_lines_are_added_and_what_is_not_in_force_yet_is_changed(database: Connection, fanny: Person) -> None:
    put(f"{HEAD}\nHong Kong,hk-business,2,{LATER},0.27\nMacau,macau,1,,0.33\n", fanny)
    file = put(f"\ufeff{HEAD.upper()}\r\n Hong Kong , hk-business,2,{LATER}, 0.2650 \r\n\r\n", fanny)
    assert (len(file.new), len(file.changed)) == (0, 1)
    price = Price.objects.get(tier=2)
    assert (price.unit_pips, price.effective_from.isoformat()) == (pips_of("0.265"), "2026-12-31T10:00:00+00:00")
    now = Price.objects.get(destination__name="Macau", effective_from__gte=NOW.replace(second=0))
    assert now.unit_pips == pips_of("0.33")
    log = AuditEntry.objects.filter(act="prices.change").latest("pk")
    assert (log.by, log.after["changed"], log.after["lines"][0]["pips"]) == (fanny, 1, 2650)


@pytest.mark.parametrize(
    ("line", "value", "fault"),
    [
        (f"Atlantis,overseas,1,{LATER},0.3", "Atlantis", Fault.DESTINATION),
        (f"Macau,by-pigeon,1,{LATER},0.3", "by-pigeon", Fault.ROUTE),
        (f"Macau,macau,0,{LATER},0.3", "0", Fault.TIER),
        (f"Macau,macau,10,{LATER},0.3", "10", Fault.TIER),
        (f"Macau,macau,²,{LATER},0.3", "²", Fault.TIER),
        ("Macau,macau,1,31/12/2026,0.3", "31/12/2026", Fault.TIME),
        (f"Macau,macau,1,{LATER},0", "0", Fault.PRICE),
        (f"Macau,macau,1,{LATER},", "", Fault.PRICE),
        (f"Macau,macau,1,{LATER},-0.3", "-0.3", Fault.PRICE),
        (f"Macau,macau,1,{LATER},0.30001", "0.30001", Fault.PRICE),
        (f"Macau,macau,1,{LATER},100.0001", "100.0001", Fault.PRICE),
        ("Macau,macau,1,2026-11-23 09:59,0.3", "2026-11-23 09:59", Fault.PAST),
        ("Macau,macau,1,2026-01-01 08:00,0.3", "2026-01-01 08:00", Fault.PAST),
        ("Macau,macau,1", "3", Fault.COLUMNS),
    ],
)
def test_a_wrong_line_is_named_with_row_value_and_reason_and_nothing_is_taken(
    database: Connection, fanny: Person, line: str, value: str, fault: Fault
) -> None:
    count = Price.objects.count()
    with pytest.raises(NothingTaken) as raised:
        put(f"{HEAD}\nHong Kong,hk-business,2,{LATER},0.27\n{line}\n", fanny)
    assert raised.value.file.flaws == [(3, value, fault)]
    assert Price.objects.count() == count


def test_one_price_stands_once_in_a_file(database: Connection, fanny: Person) -> None:
    with pytest.raises(NothingTaken) as raised:
        put(f"{HEAD}\nMacau,macau,2,{LATER},0.27\nMacau,macau,2,{LATER},0.28\n", fanny)
    assert raised.value.file.flaws == [(3, LATER, Fault.TWICE)]


@pytest.mark.parametrize("text", ["", "destination,route,from,hkd_per_unit\n", "PK\x03\x04"])
def test_a_file_without_its_first_line_says_what_that_is(database: Connection, fanny: Person, text: str) -> None:
    file = price_files.read_list(text, NOW)
    assert [flaw.fault for flaw in file.flaws] == [Fault.HEAD]


def test_a_file_is_bounded_and_so_are_its_flaws(database: Connection, fanny: Person) -> None:
    file = price_files.read_list(f"{HEAD}\n" + "\n" * price_files.MOST_ROWS + "a,b,c,d,e\n", NOW)
    assert file.flaws == [(price_files.MOST_ROWS + 2, "", Fault.TOO_MANY)]
    file = price_files.read_list(f"{HEAD}\n" + "a,b,c,d,e\n" * 1000, NOW)
    assert len(file.flaws) == price_files.MOST_FLAWS


def test_a_customers_own_prices_go_the_same_way_and_can_end(database: Connection, fanny: Person) -> None:
    harbour: Customer = make_customer()
    head = ",".join(OWN_HEAD)
    text = f"{head}\nHong Kong,hk-business,,0.25\nHong Kong,hk-business,{LATER},\n"
    price_files.put_own(harbour, text, why="a contract", by=fanny, now=NOW)
    rows = list(CustomerPrice.objects.order_by("effective_from").values_list("unit_pips", flat=True))
    assert rows == [2500, None]
    again = written(OWN_HEAD, price_files.own_lines(harbour.pk))
    assert price_files.read_own(harbour.pk, again, NOW).unchanged == 2
    assert AuditEntry.objects.get(act="prices.change").customer == harbour


@pytest.mark.parametrize("role", [role for role in Person.StaffRole if role != Person.StaffRole.FINANCE])
def test_only_finance_changes_prices(database: Connection, fanny: Person, role: str) -> None:
    other = make_staff("other", role=Person.StaffRole(role))
    with pytest.raises(NotAllowed):
        put(f"{HEAD}\nMacau,macau,2,{LATER},0.27\n", other)
    with pytest.raises(NotAllowed):
        price_files.put_own(make_customer(), ",".join(OWN_HEAD), why="", by=other, now=NOW)
