"""The command line as scripts use it: for people and in JSON, errors in one line, exit codes that mean something."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sampan.accounts.keys import TEST_SCOPES, Scope, digest, holder_of
from sampan.accounts.tables import ApiKey, Customer
from sampan.billing.tables import Transfer
from sampan.database import Connection
from sampan.messages.submit import submit
from sampan.ops.cli import main
from sampan.routing.tables import Link, Operator, RouteOperator
from tests.dispatch.steps import Owner
from tests.world import draft_of, make_customer, make_places, plan_of, send

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def sampan(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a verb; gives its exit code, output and errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


ADD_OPERATOR = ("--host", "127.0.0.1", "--port", "2775", "--system-id", "s", "--password", "p")


@pytest.mark.parametrize("verb", [(), ("customer",), ("operator",), ("batch",), ("up",), ("message",), ("reconcile",)])
def test_every_verb_tells_what_it_takes(sampan: Run, verb: tuple[str, ...]) -> None:
    code, out, _ = sampan(*verb, "--help")
    assert code == 0
    assert out.startswith("usage: sampan")


def test_wrong_usage_is_2(sampan: Run) -> None:
    code, _, err = sampan("customer", "add")
    assert code == 2
    assert "required" in err


def test_without_a_platform_it_is_3_and_one_line(sampan: Run, tmp_path: object) -> None:
    code, _, err = sampan("customer", "add", "x", "--password", "y", "--data", f"{tmp_path}/nowhere")
    assert code == 3
    assert err.count("\n") == 1
    assert "sampan up" in err


def test_a_customer_is_opened_with_balance_and_senders(database: Connection, sampan: Run) -> None:
    arguments = ("--password", "secret1", "--balance", "1,000", "--sender", "HarbourFlo", "--sender", "85298765432")
    code, out, _ = sampan("customer", "add", "harbour", *arguments, "--json")
    assert code == 0
    assert json.loads(out)["login"] == "harbour"
    customer = Customer.objects.get()
    assert customer.status == Customer.Status.NORMAL
    assert {sender.text for sender in customer.sender_ids.all()} == {"HarbourFlo", "85298765432"}
    assert Transfer.objects.get().amount_pips == 10_000_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("harbour", "--password", "x"), "in use"),
        (("Harbour", "--password", "x"), "in use"),
        (("other", "--password", "x", "--balance", "lots"), "no amount"),
        (("other", "--password", "x", "--balance", "-1"), "below 0"),
        (("other", "--password", "x", "--sender", "no way!"), "letter"),
        (("o" * 21, "--password", "x"), "20 characters"),
    ],
)
def test_what_is_refused_is_1_in_one_line_and_leaves_nothing(
    database: Connection, sampan: Run, arguments: tuple[str, ...], words: str
) -> None:
    make_customer()
    code, out, err = sampan("customer", "add", *arguments)
    assert (code, out) == (1, "")
    assert words in err
    assert err.count("\n") == 1
    assert Customer.objects.count() == 1


def test_a_top_up_is_there_at_once(database: Connection, sampan: Run) -> None:
    make_customer(balance="1")
    code, out, _ = sampan("customer", "top-up", "HARBOUR", "2.50")
    assert (code, out) == (0, "HK$3.50 available\n")
    assert sampan("customer", "top-up", "nobody", "1")[0] == 1
    assert sampan("customer", "top-up", "harbour", "0")[0] == 1


def test_a_key_is_made_for_each_api(database: Connection, sampan: Run) -> None:
    make_customer()
    code, out, _ = sampan("customer", "key", "harbour")
    assert (code, bytes(ApiKey.objects.get().sha256)) == (0, digest(out.strip()))
    for kind, scopes in (("live", set(Scope)), ("test", set(TEST_SCOPES))):
        code, out, _ = sampan("customer", "key", "harbour", "--json-api", kind)
        holder = holder_of(database, out.strip())
        assert (code, holder.is_test, set(holder.scopes)) == (0, kind == "test", scopes)


def test_an_operator_is_connected_changed_and_listed(database: Connection, sampan: Run) -> None:
    make_places()
    code, _, err = sampan("operator", "add", "lamma", *ADD_OPERATOR, "--routes", "hk-business,overseas", "--rate", "50")
    assert (code, err) == (0, "")
    lamma = Operator.objects.get(name="lamma")
    assert set(RouteOperator.objects.filter(operator=lamma).values_list("position", flat=True)) == {2}
    assert sampan("operator", "route", "lamma", "hk-business", "--position", "1", "--share", "50")[0] == 0
    assert sampan("operator", "link", "lamma", *ADD_OPERATOR, "--bind", "receiver", "--window", "5")[0] == 0
    assert (
        sampan("operator", "set", "lamma", "--rate", "10", "--sender", "Lamma", "--dialect", '{"one_receipt": true}')[0]
        == 0
    )
    for verb, state in (("pause", "Paused"), ("drain", "Draining"), ("resume", "Active")):
        assert sampan("operator", verb, "lamma")[1] == f"lamma: {state}\n"
    _, out, _ = sampan("operator", "list", "--json")
    found = {each["name"]: each for each in json.loads(out)}
    assert found["lamma"]["rate"] == 10
    assert found["lamma"]["routes"] == ["hk-business", "overseas"]
    assert [link["window"] for link in found["lamma"]["links"]] == [10, 5]
    assert Link.objects.filter(operator=lamma, bind=Link.Bind.RECEIVER).count() == 1
    assert "lamma: Active" in sampan("operator", "list")[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "kai-tak", *ADD_OPERATOR, "--routes", "overseas"), "already"),
        (("add", "new", *ADD_OPERATOR, "--routes", "pigeon"), "hk-business"),
        (("add", "new", *ADD_OPERATOR, "--routes", "overseas", "--dialect", "{"), "--dialect"),
        (("add", "new", *ADD_OPERATOR, "--routes", "overseas", "--dialect", '{"speling": 1}'), "speling"),
        (("add", "new", *ADD_OPERATOR[:-1], "nine-char", "--routes", "overseas"), "password"),
        (("add", "new", *ADD_OPERATOR, "--routes", "overseas", "--tls-key", "/nowhere"), "PEM"),
        (("pause", "nobody"), "no operator"),
        (("route", "kai-tak", "pigeon"), "no route"),
    ],
)
def test_operators_that_cannot_be_are_refused(
    database: Connection, sampan: Run, arguments: tuple[str, ...], words: str
) -> None:
    make_places()
    code, _, err = sampan("operator", *arguments)
    assert code == 1
    assert words in err
    assert err.count("\n") == 1
    assert Operator.objects.count() == 1


def test_everything_known_of_a_message(database: Connection, sampan: Run) -> None:
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour, text="花" * 80).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.taken(id_, 1, "abc")
    _, out, _ = sampan("message", str(id_), "--json")
    facts = json.loads(out)
    assert (facts["status"], facts["reason"], facts["price"], facts["operator"]) == (4, 301, "0.5800", "kai-tak")
    assert [(part["part"], part["state"], part["operator_ref"]) for part in facts["parts"]] == [
        (1, "taken", "abc"),
        (2, "submitting", None),
    ]
    assert facts["transfers"][0]["amount_pips"] == 5_800
    assert "HarbourFlo" in sampan("message", str(id_))[1]
    code, _, err = sampan("message", "999999")
    assert code == 1
    assert "no message" in err


def test_batches_are_paused_resumed_and_cancelled(database: Connection, sampan: Run) -> None:
    make_places()
    harbour = make_customer()
    now = datetime.now(UTC)
    (outcome,) = submit(database, [plan_of(database, draft_of(database, harbour), now)], now)
    batch_id = str(outcome.batch_id)  # type: ignore[union-attr]
    assert sampan("batch", "pause", batch_id)[1] == f"Batch {batch_id} paused, messages: 1\n"
    assert sampan("batch", "resume", batch_id)[0] == 0
    assert json.loads(sampan("batch", "cancel", batch_id, "--json")[1])["messages"] == 1
    assert sampan("batch", "cancel", batch_id)[0] == 1
    assert sampan("batch", "release", "999")[0] == 1


def test_sending_is_held_and_released_for_all(database: Connection, sampan: Run) -> None:
    assert sampan("sending", "show")[1] == "Sending goes on\n"
    assert sampan("sending", "hold", "--why", "a test")[1] == "Sending is held\n"
    assert sampan("sending", "release")[1] == "Sending goes on\n"


def test_books_that_do_not_balance_are_1_and_say_where(
    database: Connection, migrated_database: Connection, sampan: Run
) -> None:
    make_places()
    send(database, make_customer())
    assert sampan("reconcile") == (0, "The books balance.\n", "")
    with migrated_database.transaction():
        migrated_database.execute("SET LOCAL session_replication_role = replica")
        migrated_database.execute("UPDATE message SET price_pips = price_pips + 1")
    code, out, _ = sampan("reconcile")
    assert code == 1
    assert "a hold is the prices of its messages" in out


def test_the_first_administrator_is_made_and_no_second_one(database: Connection, sampan: Run) -> None:
    code, out, _ = sampan("staff", "first", "ada", "--password", "a boat of my own", "--json")
    assert (code, json.loads(out)) == (0, {"login": "ada"})
    code, _, err = sampan("staff", "first", "ben", "--password", "a boat of my own")
    assert (code, "There is an administrator already" in err) == (1, True)
    code, _, err = sampan("staff", "first", "cat", "--password", "short")
    assert (code, err.count("\n")) == (1, 1)
