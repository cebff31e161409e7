"""Each area once through: batches, balance, prices, numbers, contacts, consents, replies, webhooks, codes."""

import pytest

from sampan.accounts.tables import Customer
from sampan.database import Connection
from sampan.messages.tables import Batch, Message
from tests.interfaces.json_api.asking import RIGHT, Ask, key_of, with_door
from tests.world import SENDER, make_customer, make_places, send

NUMBER = "85261234567"


@pytest.fixture(autouse=True)
def harbour(database: Connection) -> Customer:
    make_places()
    return make_customer()


def test_a_batch_is_shown_paused_resumed_and_cancelled(database: Connection) -> None:
    """spec S10"""

    async def scenario(ask: Ask) -> None:
        sent = await ask("POST", "/v1/messages", RIGHT | {"to": [NUMBER, "85261234568"], "name": "Roses"})
        path = f"/v1/batches/{sent.body['batch_id']}"
        shown = await ask("GET", path)
        assert (shown.body["name"], shown.body["state"], shown.body["held_hkd"]) == ("Roses", "running", "0.5800")
        assert (shown.body["messages"]["waiting"], shown.body["finished"]) == (2, False)
        assert (await ask("POST", f"{path}/pause")).body["state"] == "paused"
        again = await ask("POST", f"{path}/pause")
        assert (again.status, again.body["type"]) == (409, "/v1/problems/batch-not-running")
        assert (await ask("POST", f"{path}/resume")).body["state"] == "running"
        ended = await ask("POST", f"{path}/cancel")
        assert (ended.body["state"], ended.body["finished"], ended.body["held_hkd"]) == ("cancelled", True, "0.0000")
        results = await ask("GET", f"{path}/results")
        assert [each["reason"] for each in results.body["messages"]] == ["cancelled", "cancelled"]

    with_door(scenario)


def test_messages_are_found_by_what_is_asked(database: Connection, harbour: Customer) -> None:
    first = send(database, harbour, [int(NUMBER), 85261234568], sender=SENDER)
    send(database, harbour, [79123456789])
    period = "since=2026-11-22T00:00:00Z&until=2026-11-24T00:00:00Z"

    async def scenario(ask: Ask) -> None:
        async def found(query: str) -> int:
            return len((await ask("GET", "/v1/messages", query=f"{period}&{query}")).body["messages"])

        assert await found("") == 3
        assert await found(f"to={NUMBER}") == 1
        assert await found(f"batch_id={first.batch_id}") == 2
        assert await found("status=filtered") == 1
        assert await found("reason_code=306") == 1
        assert await found("sender=Nobody") == 0
        one = await ask("GET", f"/v1/messages/{first.message_ids[0]}")
        assert (one.body["text"], one.body["status_code"]) == ("Your flowers are on their way.", 2)

    with_door(scenario)


def test_money_prices_and_numbers(harbour: Customer) -> None:
    async def scenario(ask: Ask) -> None:
        assert (await ask("GET", "/v1/balance")).body == {"available_hkd": "1000.0000", "held_hkd": "0.0000"}
        statement = await ask("GET", "/v1/statement", query="since=2026-11-01T00:00:00Z&until=2026-12-01T00:00:00Z")
        assert (statement.body["closing_hkd"], len(statement.body["lines"])) == ("1000.0000", 1)
        prices = await ask("GET", "/v1/prices", query=f"to={NUMBER}")
        assert [(each["route"], each["unit_hkd"]) for each in prices.body["prices"]] == [
            ("hk-business", "0.2900"),
            ("hk-economic", "0.1800"),
        ]
        assert len((await ask("GET", "/v1/prices")).body["prices"]) > 2
        assert (await ask("GET", "/v1/prices", query=f"to=+{NUMBER}")).body == prices.body
        assert (await ask("GET", "/v1/statement", query="until=0001-01-01T00:00:00Z")).body["lines"] == []
        checked = await ask("POST", "/v1/numbers/check", {"numbers": ["6123 4567", "2123 4567", "+79123456789"]})
        good, fixed, moscow = checked.body["numbers"]
        assert (good["number"], good["mobile"], good["unit_hkd"]) == (NUMBER, True, "0.2900")
        assert (fixed["mobile"], fixed["detail"]) == (False, "Fixed line. Only mobiles can receive SMS.")
        assert (moscow["mobile"], moscow["detail"]) == (True, "No route goes there")
        assert (await ask("GET", "/v1/sender-ids")).body == {"sender_ids": ["85298765432", SENDER]}

    with_door(scenario)


def test_contacts_and_groups(harbour: Customer) -> None:
    async def scenario(ask: Ask) -> None:
        given = {
            "contacts": [{"number": NUMBER, "name": "Wing", "fields": {"shop": "Central"}}, {"number": "85291234567"}]
        }
        assert (await ask("POST", "/v1/contacts", given)).body == {"added": 2, "changed": 0}
        assert (await ask("POST", "/v1/contacts", given)).body == {"added": 0, "changed": 2}
        group = await ask("POST", "/v1/groups", {"name": "Brides"})
        assert (group.status, group.body["members"]) == (201, 0)
        path = f"/v1/groups/{group.body['id']}"
        assert (await ask("POST", f"{path}/members", {"numbers": [NUMBER]})).body == {"count": 1}
        listed = await ask("GET", "/v1/contacts", query=f"group_id={group.body['id']}")
        assert [(each["number"], each["fields"]) for each in listed.body["contacts"]] == [(NUMBER, {"shop": "Central"})]
        first = await ask("GET", "/v1/contacts", query="limit=1")
        second = await ask("GET", "/v1/contacts", query=f"limit=1&cursor={first.body['next_cursor']}")
        assert [second.body["contacts"][0]["number"], "next_cursor" in second.body] == ["85291234567", False]
        assert (await ask("PATCH", path, {"name": "Grooms"})).body["name"] == "Grooms"
        assert (await ask("POST", "/v1/groups", {"name": "Grooms"})).body["type"] == "/v1/problems/name-taken"
        assert (await ask("DELETE", path)).status == 200
        assert (await ask("GET", path)).status == 404
        assert (await ask("POST", "/v1/contacts/delete", {"numbers": [NUMBER]})).body == {"count": 1}

    with_door(scenario)


def test_consents_and_unsubscribes() -> None:
    """spec S94, S96"""

    async def scenario(ask: Ask) -> None:
        consent = {"numbers": [NUMBER], "way": "written", "evidence": "form 12"}
        assert (await ask("POST", "/v1/consents", consent)).body == {"recorded": 1}
        said = await ask("POST", "/v1/consents", consent | {"evidence": ""})
        assert (said.status, said.body["field"]) == (422, "evidence")
        assert (await ask("GET", "/v1/consents")).body["numbers"][0]["evidence"] == "form 12"
        assert (await ask("POST", "/v1/unsubscribes", {"numbers": [NUMBER]})).body == {"recorded": 1}
        assert (await ask("GET", "/v1/consents")).body["numbers"] == []
        assert (await ask("GET", "/v1/unsubscribes", query=f"number={NUMBER}")).body["numbers"][0]["way"] == "hand"
        later = {"numbers": [NUMBER], "at": "2099-01-01T00:00:00Z"}
        assert (await ask("POST", "/v1/unsubscribes", later)).body["type"] == "/v1/problems/not-yet"

    with_door(scenario)


def test_webhooks() -> None:
    """spec S103"""

    async def scenario(ask: Ask) -> None:
        asked = {"url": "https://example.com/told", "events": ["message.*"], "name": "till"}
        made = await ask("POST", "/v1/webhooks", asked)
        assert made.status == 201, made.body
        assert made.body["secret"].startswith("whsec_")
        path = f"/v1/webhooks/{made.body['id']}"
        shown = await ask("GET", path)
        assert (shown.body["on"], "secret" in shown.body) == (True, False)
        assert (await ask("PATCH", path, {"on": False})).body["on"] is False
        assert (await ask("POST", f"{path}/test")).status == 409
        assert (await ask("PATCH", path, {"on": True, "name": "desk"})).body["name"] == "desk"
        tried = await ask("POST", f"{path}/test")
        assert (tried.status, tried.body["event"], tried.body["state"]) == (202, "webhook.test", "waiting")
        assert tried.body["webhook_id"] == f"msg_{tried.body['id']}"
        listed = await ask("GET", f"{path}/deliveries")
        assert [each["data"] for each in listed.body["deliveries"]] == [{"words": "It works."}]
        assert (await ask("POST", f"/v1/deliveries/{tried.body['id']}/replay")).status == 202
        assert (await ask("POST", f"{path}/secret")).body["secret"] != made.body["secret"]
        said = await ask("POST", "/v1/webhooks", asked | {"url": "https://10.0.0.1/"})
        assert (said.status, said.body["type"]) == (422, "/v1/problems/webhook-not-public"), said.body
        assert (await ask("DELETE", path)).status == 200
        assert (await ask("GET", "/v1/webhooks")).body == {"webhooks": []}

    with_door(scenario)


def test_a_code_is_sent_and_comes_back(database: Connection) -> None:
    """spec S9"""

    async def scenario(ask: Ask) -> None:
        asked = {"to": NUMBER, "sender": SENDER, "template": "{code} opens the shop."}
        key = {"idempotency-key": "login 7"}
        sent = await ask("POST", "/v1/verifications", asked, headers=key)
        assert (sent.status, sent.body["status"], sent.body["to"]) == (202, "pending", NUMBER)
        again = await ask("POST", "/v1/verifications", asked, headers=key)
        assert (again.body, again.headers["idempotency-replayed"]) == (sent.body, "true")
        soon = await ask("POST", "/v1/verifications", asked)
        assert (soon.status, soon.body["type"]) == (429, "/v1/problems/verified-lately")
        assert 0 < int(soon.headers["retry-after"]) <= 30
        code = Batch.objects.get(pk=Message.objects.get().batch_id).text[:6]
        path = f"/v1/verifications/{sent.body['id']}"
        wrong = f"{(int(code) + 1) % 10**6:06}"
        assert (await ask("POST", f"{path}/check", {"code": wrong})).body == {"status": "wrong", "tries_left": 4}
        assert (await ask("POST", f"{path}/check", {"code": code})).body["status"] == "verified"
        assert (await ask("POST", f"{path}/check", {"code": code})).body["status"] == "used"
        assert (await ask("GET", path)).body["status"] == "verified"

    with_door(scenario)


def test_a_key_of_an_earlier_text_sends_no_code_nor_the_other_way_round() -> None:
    """spec S8"""

    async def scenario(ask: Ask) -> None:
        code = {"to": NUMBER, "sender": SENDER}
        for first, path, then, body in (
            (("POST", "/v1/messages", RIGHT), "/v1/verifications", "order 7", code),
            (("POST", "/v1/verifications", code), "/v1/messages", "login 7", RIGHT),
        ):
            key = {"idempotency-key": then}
            assert (await ask(*first, headers=key)).status == 202
            said = await ask("POST", path, body, headers=key)
            assert (said.status, said.body["type"]) == (422, "/v1/problems/reference-reused")
        assert Batch.objects.count() == 2

    with_door(scenario)


def test_the_text_of_a_test_is_no_code_though_it_has_the_same_words() -> None:
    async def scenario(ask: Ask) -> None:
        key = {"idempotency-key": "login 7"}
        text = RIGHT | {"text": "123456 is your code.", "purpose": "transactional", "validity_minutes": 10}
        assert (await ask("POST", "/v1/messages", text, headers=key)).status == 202
        said = await ask("POST", "/v1/verifications", {"to": NUMBER, "sender": SENDER}, headers=key)
        assert (said.status, said.body["type"]) == (422, "/v1/problems/reference-reused")

    with_door(scenario, key_of(test=True))


def test_a_held_batch_goes_on_too(database: Connection) -> None:
    """spec S53"""

    async def scenario(ask: Ask) -> None:
        sent = await ask("POST", "/v1/messages", RIGHT)
        path = f"/v1/batches/{sent.body['batch_id']}"
        await ask("POST", f"{path}/pause")
        Batch.objects.update(state=Batch.State.HELD, held_for=Batch.HeldFor.LATE)
        assert (await ask("GET", path)).body["state"] == "held"
        assert (await ask("POST", f"{path}/resume")).body["state"] == "running"

    with_door(scenario)


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "field"),
    [
        ("POST", "/v1/contacts", "", {"contacts": [{"number": NUMBER}, {"number": "2123"}]}, "contacts[1].number"),
        ("POST", "/v1/contacts/delete", "", {"numbers": ["2123"]}, "numbers[0]"),
        ("POST", "/v1/consents", "", {"numbers": ["2123"], "way": "verbal", "evidence": "x"}, "numbers[0]"),
        ("POST", "/v1/unsubscribes", "", {"numbers": [NUMBER, "2123"]}, "numbers[1]"),
        ("GET", "/v1/contacts", "number=2123", None, "number"),
        ("GET", "/v1/consents", "number=2123", None, "number"),
        ("GET", "/v1/messages", "to=2123", None, "to"),
        ("POST", "/v1/verifications", "", {"to": NUMBER, "sender": SENDER, "template": "\0{code}"}, "template"),
    ],
)
def test_a_mistake_is_named_where_it_stands(method: str, path: str, query: str, body: object, field: str) -> None:
    """RFC 9457, spec S123"""

    async def scenario(ask: Ask) -> None:
        said = await ask(method, path, body, query=query)
        assert (said.status, said.body["field"]) == (422, field)

    with_door(scenario)


def test_a_time_keeps_its_offset_though_the_query_took_its_plus() -> None:
    async def scenario(ask: Ask) -> None:
        for moment in ("2026-11-22T08:00:00+08:00", "2026-11-22T08:00:00.5+08:00", "2026-11-22T08:00:00%2B08:00"):
            said = await ask("GET", "/v1/statement", query=f"since={moment}")
            assert (said.status, said.body.get("since", "")[-6:]) == (200, "+08:00")

    with_door(scenario)


def test_replies_are_not_for_test_keys() -> None:
    async def scenario(ask: Ask) -> None:
        assert (await ask("GET", "/v1/replies")).body["replies"] == []
        said = await ask("GET", "/v1/replies", key=key_of(test=True))
        assert (said.status, said.body["type"]) == (403, "/v1/problems/not-for-tests")

    with_door(scenario)
