"""The pages' words: one for everything a customer can meet, in two halves where it is an error (design: Writing)."""

import pytest
from django.utils.translation import override

from sampan.accounts.tables import Person
from sampan.interfaces.place_words import PLACES, place_words
from sampan.interfaces.words import (
    FAULTS,
    MEANINGS,
    PURPOSES,
    REASONS,
    REFUSALS,
    ROLES,
    SOURCES,
    STATUSES,
    words_of_flaw,
    words_of_refusal,
)
from sampan.messages.reports.shown import Shown
from sampan.messages.tables import Purpose, Source
from sampan.ops.world import DESTINATIONS, ROUTES
from sampan.reasons import Reason, Refused
from sampan.routing.numbers import Fault, Flaw


def test_every_status_source_purpose_and_role_has_its_word() -> None:
    assert set(STATUSES) == set(Shown)
    assert set(SOURCES) == set(Source)
    assert set(PURPOSES) == set(Purpose)
    assert set(ROLES) == set(Person.Role)


def test_every_reason_that_can_end_a_message_has_its_words() -> None:
    """spec S72"""
    assert set(REASONS) == {reason for reason in Reason if reason.shown}
    assert set(MEANINGS) <= set(REASONS)


def test_every_fault_of_a_number_is_marked_for_translation() -> None:
    """spec S1, S135"""
    assert {fault.value for fault in Fault} == FAULTS
    assert words_of_flaw(Flaw(Fault.HONG_KONG_LENGTH, "9123 456", 7)) == "7 digits. A Hong Kong number has 8."


def test_every_refusal_of_a_file_has_its_words() -> None:
    files = {reason for reason in Reason if reason.name.startswith("FILE_")}
    assert files | {Reason.NOT_A_SPREADSHEET, Reason.NO_SUCH_SHEET, Reason.OVERLOADED} <= set(REFUSALS)


@pytest.mark.parametrize("reason", REFUSALS)
def test_a_refusal_says_what_is_wrong_and_how_to_mend_it(reason: Reason) -> None:
    """design: Writing; two sentences, no exclamation, no "please", "sorry" or "oops" """
    words = words_of_refusal(Refused(reason, "", "42"))
    assert words.count(". ") >= 1
    assert words.endswith(".")
    assert "{value}" not in words
    assert not {"please", "sorry", "oops"} & set(words.lower().split())
    assert "!" not in words


def test_the_routes_and_destinations_of_a_new_platform_have_words_and_others_stay_as_they_are() -> None:
    """spec S43, S135"""
    assert {*DESTINATIONS, *(name for name, _own_sender, _receipts in ROUTES.values())} == PLACES
    with override("zh-hant"):
        assert place_words("Hong Kong, business") == "香港商務"
        assert place_words("Our partner’s route") == "Our partner’s route"
