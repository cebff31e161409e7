"""Who may what at the JSON API, and what strangers see: for every operation of the table (spec S123, S125, S136)."""

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from sampan.accounts import allow_lists
from sampan.accounts.keys import networks_of
from sampan.accounts.tables import ApiKey, BlockedAddress, Customer, Person
from sampan.database import Connection, Snapshot
from sampan.interfaces.json_api.calls import Operation
from sampan.interfaces.json_api.operations import OPERATIONS
from sampan.interfaces.json_api.problems import KINDS, OF_REASONS, OWN_KINDS, wrong_of
from sampan.messages.address_book import contacts, groups
from sampan.messages.tables import Batch, Message, Source
from sampan.messages.trying import end_tests
from sampan.reasons import Reason, Refused
from sampan.webhooks import endpoints
from sampan.webhooks.endpoints import Form
from tests.interfaces.json_api.asking import ALL, RIGHT, Ask, Said, key_of, with_door
from tests.world import NOW, SENDER, make_customer, make_mallory, make_places, send

WRITES = ("POST", "PUT", "PATCH", "DELETE")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NEVER = "00000000-0000-4000-8000-000000000000"

# A right body for each operation that takes one.
BODIES: dict[str, Any] = {
    "send_messages": RIGHT | {"dry_run": True},
    "check_numbers": {"numbers": ["6123 4567"]},
    "record_consents": {"numbers": ["85261234567"], "way": "written", "evidence": "form 12"},
    "send_verification": {"to": "85261234567", "sender": SENDER},
    "check_verification": {"code": "123456"},
    "keep_contacts": {"contacts": [{"number": "85261234567", "name": "Wing", "fields": {"shop": "Central"}}]},
    "delete_contacts": {"numbers": ["85261234567"]},
    "make_group": {"name": "Brides"},
    "rename_group": {"name": "Grooms"},
    "change_members": {"numbers": ["85261234567"]},
    "add_webhook": {"url": "https://203.0.113.7/told", "events": ["message.*"]},
    "change_webhook": {"name": "till"},
    "replay_deliveries": {"since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"},
    "record_unsubscribes": {"numbers": ["85261234567"]},
}


@pytest.fixture(autouse=True)
def harbour(database: Connection) -> Customer:
    make_places()
    return make_customer()


async def asked(ask: Ask, operation: Operation, id_: str, **more: Any) -> Said:
    body = BODIES.get(operation.name)
    return await ask(operation.method, operation.path.replace("{id}", id_), body, **more)


def test_each_operation_needs_its_scope_and_no_other() -> None:
    with_all_but = {scope: key_of(scopes=[other for other in ALL if other != scope]) for scope in ALL}
    with_only = {scope: key_of(scopes=[scope]) for scope in ALL}

    async def scenario(ask: Ask) -> None:
        for operation in OPERATIONS:
            said = await asked(ask, operation, "100000", key=with_all_but[operation.scope])
            assert (said.status, said.body["type"]) == (403, "/v1/problems/scope-missing"), operation.name
            assert said.body["value"] == operation.scope, operation.name
            said = await asked(ask, operation, "100000", key=with_only[operation.scope])
            assert said.status not in (401, 403), operation.name

    with_door(scenario)


def test_without_a_key_that_counts_nothing_is_told() -> None:
    expired = key_of()
    ApiKey.objects.filter(hint=expired[:12]).update(expires_at=LONG_AGO)
    for_others = key_of(networks=networks_of("203.0.113.0/24"))
    revoked = key_of()
    ApiKey.objects.filter(hint=revoked[:12]).update(revoked_at=NOW)
    keys = {
        "": (401, "unauthorized"),
        "sk_live_guessed": (401, "bad-credentials"),
        revoked: (401, "bad-credentials"),
        expired: (401, "key-expired"),
        for_others: (403, "key-not-from-here"),
    }

    async def scenario(ask: Ask) -> None:
        for place, (operation, (key, (status, kind))) in enumerate(product(OPERATIONS, keys.items())):
            elsewhere = f"198.51.{place // 200}.{place % 200}"  # who guesses often from one address is blocked
            said = await asked(ask, operation, "100000", key=key, address=elsewhere)
            assert (said.status, said.body["type"]) == (status, f"/v1/problems/{kind}"), operation.name
            assert status == 403 or said.headers["www-authenticate"] == "Bearer", operation.name

    with_door(scenario)


def test_mallory_sees_and_changes_nothing_of_harbours(database: Connection, harbour: Customer) -> None:
    make_mallory()
    secret = "Table for two, Ms Chan"
    accepted = send(database, harbour, text=secret, name=secret, source=Source.JSON)
    before = Batch.objects.values_list("state").get(), Message.objects.values_list("status").get()
    contacts.keep(database, harbour.pk, [contacts.Given(85261234567, secret)], NOW)
    group_id = groups.make_group(database, harbour.pk, secret, NOW)
    owner = Person.objects.get(login_name="harbour")
    webhook, _ = endpoints.add_endpoint(
        owner, url="https://example.com/told", form=Form.SIGNED_JSON, events=["message.*"], name=secret, now=NOW
    )
    own_ids = accepted.batch_id, accepted.message_ids[0], group_id, webhook.pk

    async def scenario(ask: Ask) -> None:
        for operation, id_ in product(OPERATIONS, (*map(str, own_ids), NEVER)):
            said = await asked(ask, operation, id_)
            shown = json.dumps(said.body, ensure_ascii=False)
            assert secret not in shown, operation.name
            assert f'"{accepted.message_ids[0]}"' not in shown or said.status == 404, operation.name
            if "{id}" in operation.path:
                assert said.status == 404, operation.name

    with_door(scenario, key_of("mallory"))
    assert (Batch.objects.values_list("state").get(), Message.objects.values_list("status").get()) == before
    assert [each.name for each in contacts.by_id(database, contacts.Search(harbour.pk), most=9)] == [secret]
    assert [each.name for each in groups.groups_of(database, harbour.pk)] == [secret]
    assert [each.name for each in endpoints.endpoints(harbour.pk)] == [secret]


def test_a_test_key_sees_only_tests_and_stops_nothing_live(database: Connection, harbour: Customer) -> None:
    live = send(database, harbour, source=Source.JSON)
    tried = send(database, harbour, source=Source.TEST)
    end_tests(database, NOW)

    async def scenario(ask: Ask) -> None:
        for accepted, status in ((live, 404), (tried, 200)):
            assert (await ask("GET", f"/v1/messages/{accepted.message_ids[0]}")).status == status
            assert (await ask("GET", f"/v1/batches/{accepted.batch_id}")).status == status
            assert (await ask("GET", f"/v1/batches/{accepted.batch_id}/results")).status == status
        assert (await ask("POST", f"/v1/batches/{live.batch_id}/cancel")).status == 404
        listed = await ask("GET", "/v1/messages", query="since=2026-11-01T00:00:00Z&until=2027-01-01T00:00:00Z")
        assert [each["id"] for each in listed.body["messages"]] == [str(tried.message_ids[0])]
        assert listed.body["messages"][0]["test"] is True
        batches = await ask("GET", "/v1/batches")
        assert [each["id"] for each in batches.body["batches"]] == [str(tried.batch_id)]

    with_door(scenario, key_of(test=True))


def test_a_key_is_refused_the_moment_it_is_revoked(database: Connection) -> None:
    key = key_of()

    async def scenario(ask: Ask) -> None:
        assert (await ask("GET", "/v1/balance")).status == 200
        ApiKey.objects.update(revoked_at=datetime.now(UTC))
        Snapshot.forget_all()  # as the database's notification does
        assert (await ask("GET", "/v1/balance")).status == 401

    with_door(scenario, key)


def test_the_last_use_of_a_key_is_noted() -> None:
    async def scenario(ask: Ask) -> None:
        await ask("GET", "/v1/balance")

    key = key_of()
    with_door(scenario, key)
    used_at = ApiKey.objects.get(hint=key[:12]).last_used_at
    assert used_at is not None
    assert datetime.now(UTC) - used_at < timedelta(minutes=1)


def test_the_accounts_allow_list_holds_here_too(harbour: Customer) -> None:
    """spec S125"""
    allow_lists.allow(Person.objects.get(login_name="harbour"), "203.0.113.0/24", note="shop", now=NOW)

    async def scenario(ask: Ask) -> None:
        said = await ask("GET", "/v1/balance", address="198.51.100.1")
        assert (said.status, said.body["type"]) == (403, "/v1/problems/address-not-allowed")
        assert (await ask("GET", "/v1/balance", address="203.0.113.9")).status == 200

    with_door(scenario)


def test_who_guesses_keys_is_let_in_no_more() -> None:
    """spec S125"""

    async def scenario(ask: Ask) -> None:
        for number in range(20):
            assert (await ask("GET", "/v1/balance", key=f"sk_live_{number}", address="8.8.8.8")).status == 401
        Snapshot.forget_all()
        said = await ask("GET", "/v1/balance", address="8.8.8.8")
        assert (said.status, said.body["type"]) == (429, "/v1/problems/address-blocked")
        assert int(said.headers["retry-after"]) > 0
        assert BlockedAddress.objects.get().door == "JSON"

    with_door(scenario)


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/v1/pigeons", 404, "not-found"),
        ("GET", "/v1/", 404, "not-found"),
        ("GET", "/v1/messages/", 404, "not-found"),
        ("GET", "/v1/messages/abc", 404, "not-found"),
        ("GET", f"/v1/messages/{'9' * 30}", 404, "not-found"),
        ("GET", "/v1/messages/7/parts", 404, "not-found"),
        ("DELETE", "/v1/messages", 405, "method-not-allowed"),
        ("POST", "/v1/balance", 405, "method-not-allowed"),
    ],
)
def test_what_is_not_there_is_told(method: str, path: str, status: int, kind: str) -> None:
    async def scenario(ask: Ask) -> None:
        said = await ask(method, path)
        assert (said.status, said.body["type"]) == (status, f"/v1/problems/{kind}")
        assert status != 405 or "GET" in said.headers["allow"]

    with_door(scenario)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=many", "limit"),
        ("pages=7", "pages"),
        ("cursor=no", "cursor"),
        ("cursor=WzEsMl0", "cursor"),
        ("limit=1&limit=2", ""),
        ("status=gone", "status"),
        ("since=yesterday", "since"),
        ("since=-6.8e-137", "since"),
        ("until=1700000000", "until"),
        ("batch_id=9999999999999999999999", "batch_id"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named(query: str, field: str) -> None:
    async def scenario(ask: Ask) -> None:
        said = await ask("GET", "/v1/messages", query=query)
        assert (said.status, said.body.get("field", "")) == (400, field)

    with_door(scenario)


def test_a_list_goes_on_where_the_page_before_ended(database: Connection, harbour: Customer) -> None:
    accepted = send(database, harbour, [85261234560 + n for n in range(7)], source=Source.JSON)
    sent = list(map(str, accepted.message_ids))

    async def scenario(ask: Ask) -> None:
        for path, expected in (("/v1/messages", sent[::-1]), (f"/v1/batches/{accepted.batch_id}/results", sent)):
            found: list[str] = []
            cursor = period = ""
            if path == "/v1/messages":
                period = "&since=2026-11-01T00:00:00Z&until=2027-01-01T00:00:00Z"
            for _page in range(3):
                said = await ask("GET", path, query=f"limit=3{period}&cursor={cursor}")
                found += [each["id"] for each in said.body["messages"]]
                cursor = said.body.get("next_cursor", "")
            assert (found, cursor) == (expected, "")

    with_door(scenario)


def test_a_request_keeps_the_id_it_came_with() -> None:
    async def scenario(ask: Ask) -> None:
        mine = str(uuid.uuid4())
        said = await ask("GET", "/v1/pigeons", headers={"x-request-id": mine})
        assert said.headers["x-request-id"] == said.body["request_id"] == mine
        said = await ask("GET", "/v1/balance")
        assert said.headers["x-request-id"].startswith("req_")

    with_door(scenario)


def test_whoever_is_to_come_again_is_told_when() -> None:
    for reason, kind in OF_REASONS.items():
        headers = dict(wrong_of(Refused(reason, value="7")).headers)
        assert (b"retry-after" in headers) == (kind.status == 429), reason


def test_every_reason_is_a_problem_with_an_address_of_its_own() -> None:
    assert set(OF_REASONS) == set(Reason)
    assert len(KINDS) == len(OWN_KINDS) + len(OF_REASONS)
    for kind in KINDS.values():
        assert 400 <= kind.status <= 500
        assert kind.title
        assert "{value}" not in kind.title
        assert not re.search("[a-z] It ", kind.title)
        assert kind.name.replace("-", "").isalnum()
