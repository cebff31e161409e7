"""Personal texts (spec S4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.composing.template import fields, fill
from sampan.reasons import Reason, Refused


def test_a_template_is_filled_from_a_row() -> None:
    """spec S4"""
    template = "Dear {name}, your {item} is ready. {name}, see you!"
    assert fields(template) == ("name", "item")
    assert fill(template, {"name": "Ms Wong", "item": "wreath", "phone": "91234567"}) == (
        "Dear Ms Wong, your wreath is ready. Ms Wong, see you!"
    )


@pytest.mark.parametrize(
    ("template", "names", "text"),
    [
        ("", (), ""),
        ("no fields", (), "no fields"),
        ("{name}", ("name",), "Wong"),
        ("{ name }{name}", ("name",), "WongWong"),
        ("{姓名}你好", ("姓名",), "黃你好"),
        ("{First name}!", ("First name",), "Amy!"),
        ("{{name}}", (), "{name}"),
        ("{{{name}}}", ("name",), "{Wong}"),
        ("{{}}", (), "{}"),
        ("{{ {name} }}", ("name",), "{ Wong }"),
        ("line\n{name}\nline", ("name",), "line\nWong\nline"),
        ("[{empty}]", ("empty",), "[]"),
        ("{braces}", ("braces",), "{name}}"),
    ],
)
def test_fields_and_braces_are_read_from_the_left(template: str, names: tuple[str, ...], text: str) -> None:
    row = {"name": "Wong", "姓名": "黃", "First name": "Amy", "empty": "", "braces": "{name}}"}
    assert fields(template) == names
    assert fill(template, row) == text


@pytest.mark.parametrize(
    ("template", "where"),
    [
        ("a } b", "character 3: } b"),
        ("Dear {name", "character 6: {name"),
        ("{}", "character 1: {}"),
        ("{ }", "character 1: { }"),
        ("x{a{b}}", "character 2: {a{b}}"),
        ("{first\nname}", "character 1: {first\nname}"),
        ("{name}}" + "x" * 100, "character 7: }" + "x" * 19),
    ],
)
def test_a_brace_that_is_no_field_is_refused_and_shown(template: str, where: str) -> None:
    for read in (fields, lambda template: fill(template, {"name": "Wong"})):
        with pytest.raises(Refused) as refused:
            read(template)
        assert (refused.value.reason, refused.value.field, refused.value.value) == (Reason.BAD_TEMPLATE, "text", where)


def test_fields_that_the_row_lacks_are_refused_by_name() -> None:
    with pytest.raises(Refused) as refused:
        fill("Dear {title} {name}, {item} and {item}", {"name": "Wong", "Item": "wreath"})
    assert refused.value.reason is Reason.NO_SUCH_FIELD
    assert refused.value.value == "title, item"


@given(st.text(max_size=100))
def test_a_text_with_doubled_braces_is_itself(text: str) -> None:
    assert fill(text.replace("{", "{{").replace("}", "}}"), {}) == text


@given(st.text(max_size=100))
def test_what_a_row_puts_in_is_never_read_as_template(value: str) -> None:
    assert fill("<{field}>", {"field": value}) == f"<{value}>"
