"""The China signature."""

import pytest

from sampan.composing.signature import is_valid_signature, signed


@pytest.mark.parametrize("name", ["海港", "海港花店", "海港花店香港", "Harbor", "A1", "海港 花店", "花店😀", "😀"])
def test_two_to_six_utf_16_units_make_a_signature(name: str) -> None:
    """spec S90"""
    assert is_valid_signature(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "港",
        "海港花店香港店",
        "Harbour",
        "海港花店😀a",
        "【海港】",
        "海】港",
        " 海港",
        "海港\u3000",
        "海\n港",
        "海\u200b港",
        "海\ud800",
    ],
)
def test_anything_else_is_no_signature(name: str) -> None:
    assert not is_valid_signature(name)
    with pytest.raises(ValueError, match="no China signature"):
        signed("text", name)


def test_the_signature_stands_first_and_only_once() -> None:
    """spec S90"""
    assert signed("你好", "海港花店") == "【海港花店】你好"
    assert signed("【海港花店】你好", "海港花店") == "【海港花店】你好"
    assert signed("【别家花店】你好", "海港花店") == "【海港花店】【别家花店】你好"
