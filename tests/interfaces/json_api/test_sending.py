"""POST /v1/messages (spec S2, S4, S8, S123)."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from sampan.accounts.tables import Customer
from sampan.billing import ledger
from sampan.billing.tables import Account
from sampan.database import Connection, connect
from sampan.interfaces.json_api import door, sending
from sampan.messages.tables import Batch, Message, Queued, Source
from tests.interfaces.json_api.asking import RIGHT, Ask, key_of, with_door
from tests.world import make_customer, make_places

MESSAGES = "/v1/messages"
FIXED_LINE = "85221234567"


@pytest.fixture(autouse=True)
def harbour(database: Connection) -> Customer:
    make_places()
    return make_customer()


def test_a_text_is_accepted_and_says_its_id_units_and_price(database: Connection, harbour: Customer) -> None:
    async def scenario(ask: Ask) -> None:
        said = await ask("POST", MESSAGES, RIGHT | {"name": "Roses"})
        assert said.status == 202
        assert said.body == {
            "test": False,
            "dry_run": False,
            "purpose": "transactional",
            "messages": 1,
            "units": 1,
            "price_hkd": "0.2900",
            "results": [{"to": "85261234567", "id": "100001", "units": 1, "price_hkd": "0.2900"}],
            "batch_id": said.body["batch_id"],
        }
        batch = Batch.objects.get()
        assert (str(batch.pk), batch.name, batch.source) == (said.body["batch_id"], "Roses", Source.JSON)
        assert ledger.balances(database, [harbour.pk])[harbour.pk, Account.Kind.HELD] == 2_900

    with_door(scenario)


def test_each_recipient_has_a_result_and_who_cannot_be_sent_to_is_left_out(database: Connection) -> None:
    async def scenario(ask: Ask) -> None:
        to = ["85261234567", FIXED_LINE, "+8613812345678", "79123456789", "85261234567"]
        said = await ask("POST", MESSAGES, RIGHT | {"to": to})
        assert said.status == 202
        first, fixed, china, moscow, again = said.body["results"]
        assert fixed == {
            "to": FIXED_LINE,
            "reason": "not-a-mobile",
            "reason_code": 302,
            "detail": "Fixed line. Only mobiles can receive SMS.",
        }
        assert (china["price_hkd"], moscow["reason"], moscow["reason_code"]) == ("0.3600", "no-route", 306)
        assert again == first
        assert (said.body["messages"], said.body["price_hkd"]) == (2, "0.6500")
        assert Message.objects.count() == 3

    with_door(scenario)


def test_a_template_gives_each_recipient_its_own_text() -> None:
    """spec S4"""

    async def scenario(ask: Ask) -> None:
        to = [{"to": "85261234567", "fields": {"name": "Wing"}}, {"to": "85261234568", "fields": {}}]
        said = await ask("POST", MESSAGES, RIGHT | {"to": to, "text": "Dear {name|Customer}"})
        assert said.status == 202
        assert list(Message.objects.order_by("id").values_list("text", flat=True)) == ["Dear Wing", "Dear Customer"]
        said = await ask("POST", MESSAGES, RIGHT | {"to": to, "text": "Dear {name}"})
        assert (said.status, said.body["type"], said.body["field"]) == (422, "/v1/problems/no-such-field", "text")

    with_door(scenario)


def test_a_dry_run_says_the_price_and_writes_nothing(database: Connection, harbour: Customer) -> None:
    """spec S2"""

    async def scenario(ask: Ask) -> None:
        said = await ask("POST", MESSAGES, RIGHT | {"dry_run": True, "to": ["85261234567", FIXED_LINE]})
        assert said.status == 200
        assert (said.body["dry_run"], said.body["price_hkd"], said.body["messages"]) == (True, "0.2900", 1)
        assert said.body["results"][0] == {"to": "85261234567", "units": 1, "price_hkd": "0.2900"}
        assert "batch_id" not in said.body
        assert not Batch.objects.exists()
        assert ledger.balances(database, [harbour.pk])[harbour.pk, Account.Kind.HELD] == 0

    with_door(scenario)


def test_later_is_later_and_a_time_needs_its_offset() -> None:
    async def scenario(ask: Ask) -> None:
        at = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
        said = await ask("POST", MESSAGES, RIGHT | {"scheduled_at": at.isoformat()})
        assert (said.status, said.body["scheduled_at"]) == (202, f"{at:%Y-%m-%dT%H:%M:%SZ}")
        assert Batch.objects.get().scheduled_at == at
        said = await ask("POST", MESSAGES, RIGHT | {"scheduled_at": "2030-01-01T10:00:00"})
        assert (said.status, said.body["field"]) == (400, "scheduled_at")

    with_door(scenario)


def test_a_test_key_sends_to_nobody_for_nothing_and_says_so(database: Connection, harbour: Customer) -> None:
    """spec S123"""

    async def scenario(ask: Ask) -> None:
        said = await ask("POST", MESSAGES, RIGHT)
        assert (said.status, said.body["test"], said.body["price_hkd"]) == (202, True, "0.0000")
        assert Batch.objects.get().source == Source.TEST
        assert set(Queued.objects.values_list("operator_id", flat=True)) == {0}
        assert ledger.balances(database, [harbour.pk])[harbour.pk, Account.Kind.HELD] == 0

    with_door(scenario, key_of(test=True))


# Never twice (spec S8)


def test_a_repeat_gives_the_first_answer_and_says_so(database: Connection) -> None:
    async def scenario(ask: Ask) -> None:
        asked = RIGHT | {"to": ["85261234567", FIXED_LINE, "79123456789", "85261234567"]}
        key = {"idempotency-key": "order 7"}
        first = await ask("POST", MESSAGES, asked, headers=key)
        database.execute("UPDATE price SET unit_pips = 9000")  # what is in force now changes nothing
        again = await ask("POST", MESSAGES, asked, headers=key)
        assert again.body == first.body
        assert "idempotency-replayed" not in first.headers
        assert (again.status, again.headers["idempotency-replayed"]) == (202, "true")
        assert Batch.objects.count() == 1
        other = await ask("POST", MESSAGES, asked | {"text": "Other"}, headers=key)
        assert (other.status, other.body["type"]) == (422, "/v1/problems/reference-reused")
        assert other.body["field"] == "idempotency-key"

    with_door(scenario)


def test_the_repeat_of_a_large_one_too(database: Connection) -> None:
    async def scenario(ask: Ask) -> None:
        asked = RIGHT | {"to": [str(85261000000 + n) for n in range(sending.MANY + 1)]}
        key = {"idempotency-key": "k"}
        first = await ask("POST", MESSAGES, asked, headers=key)
        again = await ask("POST", MESSAGES, asked, headers=key)
        assert first.status == again.status == 202
        assert again.body == first.body
        assert again.headers["idempotency-replayed"] == "true"
        assert Batch.objects.count() == 1

    with_door(scenario)


def test_what_a_test_key_tried_is_not_taken_for_sent(database: Connection) -> None:
    test_key = key_of(test=True)

    async def scenario(ask: Ask) -> None:
        key = {"idempotency-key": "order 7"}
        tried = await ask("POST", MESSAGES, RIGHT, headers=key, key=test_key)
        sent = await ask("POST", MESSAGES, RIGHT, headers=key)
        assert (tried.body["test"], sent.body["test"]) == (True, False)
        assert "idempotency-replayed" not in sent.headers
        assert Batch.objects.count() == 2

    with_door(scenario)


@pytest.mark.parametrize("key", ["x" * 256, "Schlüssel", "a\tb"])
def test_an_idempotency_key_that_cannot_be_kept_is_refused(key: str) -> None:
    async def scenario(ask: Ask) -> None:
        said = await ask("POST", MESSAGES, RIGHT, headers={"idempotency-key": key})
        assert (said.status, said.body["field"]) == (400, "idempotency-key")

    with_door(scenario)


def test_a_repeat_that_waits_too_long_for_the_first_is_told_to_come_again(
    database: Connection, harbour: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "ANSWER_WITHIN_S", 0.3)

    async def scenario(ask: Ask) -> None:
        with connect("the first") as first, first.transaction(force_rollback=True):
            first.execute(
                "INSERT INTO client_reference VALUES (%s, 'order 7', '', 1, now())",
                [harbour.pk],
            )
            said = await ask("POST", MESSAGES, RIGHT, headers={"idempotency-key": "order 7"})
            assert (said.status, said.body["type"]) == (409, "/v1/problems/still-in-work")
            assert int(said.headers["retry-after"]) > 0
        monkeypatch.undo()
        said = await ask("POST", MESSAGES, RIGHT, headers={"idempotency-key": "order 7"})
        assert said.status == 202

    with_door(scenario)


# What is wrong, named


@pytest.mark.parametrize(
    ("body", "status", "kind", "field"),
    [
        (RIGHT | {"txet": "x"}, 400, "invalid", "txet"),
        (RIGHT | {"to": [{"to": "85261234567", "name": "Wing"}]}, 400, "invalid", "to[0].name"),
        ({"to": "85261234567"}, 400, "invalid", "text"),
        (RIGHT | {"text": 7}, 400, "invalid", "text"),
        (RIGHT | {"to": []}, 422, "no-recipient", "to"),
        (RIGHT | {"to": FIXED_LINE}, 422, "not-a-mobile", "to"),
        (RIGHT | {"to": [FIXED_LINE, FIXED_LINE]}, 422, "not-a-mobile", "to"),
        (RIGHT | {"text": ""}, 422, "no-text", "text"),
        (RIGHT | {"text": "a\0b"}, 422, "bad-text", "text"),
        (RIGHT | {"sender": "Mallory"}, 422, "sender-not-yours", "sender"),
        (RIGHT | {"validity_minutes": 5}, 422, "bad-validity", "validity_minutes"),
        (RIGHT | {"route": "pigeons"}, 422, "no-route", "route"),
        (RIGHT | {"text": "玫瑰", "coding": "gsm"}, 422, "not-in-alphabet", "text"),
        (RIGHT | {"name": "a\0"}, 400, "invalid", "name"),
        ([], 400, "invalid", ""),
    ],
)
def test_a_mistake_is_named_with_its_field(body: object, status: int, kind: str, field: str) -> None:
    async def scenario(ask: Ask) -> None:
        said = await ask("POST", MESSAGES, body)
        found = said.status, said.body["type"], said.body.get("field", "")
        assert found == (status, f"/v1/problems/{kind}", field)
        assert said.headers["content-type"] == "application/problem+json"
        assert said.body["detail"]
        assert not Batch.objects.exists()

    with_door(scenario)


@pytest.mark.parametrize("octets", [b"{", b"\xff\xfe", b'{"to": "\\ud800"}', b"[" * 100_000, b""])
def test_what_is_no_json_is_told(octets: bytes) -> None:
    async def scenario(ask: Ask) -> None:
        said = await ask("POST", MESSAGES, raw=octets)
        assert (said.status, said.body["type"]) in ((400, "/v1/problems/not-json"), (400, "/v1/problems/invalid"))

    with_door(scenario)


def test_a_body_that_is_too_large_or_of_another_kind_is_told() -> None:
    async def scenario(ask: Ask) -> None:
        large = b'{"text":"' + b"a" * 17_000_000 + b'"}'
        assert (await ask("POST", MESSAGES, raw=large)).status == 413
        said = await ask("POST", MESSAGES, raw=b"{}", headers={"content-length": "17000000"})
        assert (said.status, said.body["type"]) == (413, "/v1/problems/body-too-large")
        assert (await ask("POST", MESSAGES, raw=b"{}", headers={"content-type": "text/plain"})).status == 415
        assert (await ask("POST", MESSAGES, raw=b"{}", headers={"content-encoding": "gzip"})).status == 415
        too_many = [str(85260000000 + n) for n in range(sending.MOST_RECIPIENTS + 1)]
        said = await ask("POST", MESSAGES, RIGHT | {"to": too_many})
        assert (said.status, said.body["type"]) == (422, "/v1/problems/too-many-recipients")

    with_door(scenario)


def test_a_large_answer_is_packed_for_who_asks() -> None:
    async def scenario(ask: Ask) -> None:
        asked = RIGHT | {"to": [str(85261000000 + n) for n in range(50)]}
        plain = await ask("POST", MESSAGES, asked | {"dry_run": True})
        packed = await ask("POST", MESSAGES, asked | {"dry_run": True}, headers={"accept-encoding": "gzip, br"})
        assert packed.headers["content-encoding"] == "gzip"
        assert json.loads(gzip.decompress(packed.body)) == plain.body
        assert plain.headers["vary"] == packed.headers["vary"] == "accept-encoding"

    with_door(scenario)
