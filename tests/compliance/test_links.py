"""Unsubscribe links: short, of one length, and nobody's to guess (spec S95)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.compliance.links import DIGITS, ID_DIGITS, TOKEN_LENGTH, message_of, token_of
from sampan.reasons import Reason, Refused


@given(st.integers(min_value=0, max_value=62**ID_DIGITS - 1))
def test_a_token_leads_to_its_message_and_is_always_as_long(message_id: int) -> None:
    token = token_of(message_id)
    assert len(token) == TOKEN_LENGTH
    assert token.isalnum()
    assert message_of(token) == message_id


@pytest.mark.parametrize("token", ["", "0" * TOKEN_LENGTH, token_of(100_001)[:-1], token_of(100_001) + "0", "é" * 16])
def test_a_token_that_we_did_not_make_leads_nowhere(token: str) -> None:
    with pytest.raises(Refused) as caught:
        message_of(token)
    assert caught.value.reason == Reason.BAD_LINK


@given(st.integers(min_value=0, max_value=TOKEN_LENGTH - 1), st.sampled_from(DIGITS))
def test_a_token_that_was_changed_anywhere_leads_nowhere(place: int, digit: str) -> None:
    token = token_of(123_456)
    changed = token[:place] + digit + token[place + 1 :]
    if changed != token:
        with pytest.raises(Refused):
            message_of(changed)
