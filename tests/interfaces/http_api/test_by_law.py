"""The HTTP API and the law: `dncr`, `purpose`, RANDOMID, words barred in China (spec S91, S93; http_api.md)."""

from datetime import date

import pytest

from sampan.accounts.tables import Customer
from sampan.compliance import words
from sampan.compliance.settings import change_settings
from sampan.compliance.tables import RegisteredNumber, Screening
from sampan.database import Connection, Snapshot
from tests.interfaces.http_api.asking import STATUS, Ask, answers, with_door
from tests.world import NOW, make_customer, make_places, make_staff

LISTED = 85261234567


@pytest.fixture
def harbour(database: Connection) -> Customer:
    make_places()
    RegisteredNumber.objects.create(number=LISTED, listed_on=date(2020, 1, 1))
    return make_customer()


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, "STATUS:2;ERRORCODE:300"),  # unsaid: transactional
        ({"dncr": "1"}, "STATUS:21;ERRORCODE:307"),
        ({"purpose": "promotional"}, "STATUS:21;ERRORCODE:307"),
        ({"purpose": "promotional", "dncr": "0"}, "STATUS:2;ERRORCODE:300"),
        ({"senderid": "RANDOMID"}, "STATUS:21;ERRORCODE:307"),
        ({"senderid": "RANDOMID", "purpose": "transactional"}, "STATUS:2;ERRORCODE:300"),
    ],
)
def test_who_is_on_the_register_gets_an_id_and_ends_with_its_reason(
    harbour: Customer, said: dict[str, str], status: str
) -> None:
    async def scenario(ask: Ask) -> None:
        sent = (await ask(**said)).text
        assert sent.startswith("SMSDID:")
        assert (await ask(STATUS, smsdid=sent.removeprefix("SMSDID:"))).text == status

    with_door(scenario)


def test_switching_the_filter_off_is_logged(harbour: Customer) -> None:
    async def scenario(ask: Ask) -> None:
        await ask(purpose="promotional", dncr="0")

    with_door(scenario)
    assert [screening.consent_declared for screening in Screening.objects.all()] == [True]


def test_a_word_barred_in_china_refuses_the_whole_call(harbour: Customer) -> None:
    words.add_words(["发票"], by=make_staff(), now=NOW, why="a test")
    content = {"langeng": "0", "content": "代開發.票".encode("utf-16-be").hex()}
    answers([(content | {"recipient": "85261234567,8613812345678"}, "ERROR:18")])

    async def without_china(ask: Ask) -> None:
        assert (await ask(**content)).text == "SMSDID:100001"

    with_door(without_china)


def test_where_a_footer_is_required_a_promotional_text_without_one_is_refused(harbour: Customer) -> None:
    change_settings(register_waits=False, footer_refuses=True, why="the law", by=make_staff(), now=NOW)
    Snapshot.forget_all()
    answers([({"purpose": "promotional"}, "ERROR:6"), ({"senderid": "RANDOMID"}, "ERROR:6")])
