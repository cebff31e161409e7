"""Personal texts (spec S4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.composing.template import is_template, read_template
from sampan.reasons import Reason, Refused


def test_a_template_is_filled_from_a_row() -> None:
    """spec S4"""
    template = "Dear {name}, your {item} is ready. {name}, see you!"
    assert read_template(template).names == ("name", "item")
    assert read_template(template).fill({"name": "Ms Wong", "item": "wreath", "phone": "91234567"}) == (
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
        ("[{empty|}]", ("empty",), "[]"),
        ("[{empty| none }]", ("empty",), "[ none ]"),
        ("{ title |Dear customer}", ("title",), "Dear customer"),
        ("{name|Customer}", ("name",), "Wong"),
        ("{title|a|b}", ("title",), "a|b"),
        ("{braces}", ("braces",), "{name}}"),
    ],
)
def test_fields_and_braces_are_read_from_the_left(template: str, names: tuple[str, ...], text: str) -> None:
    row = {"name": "Wong", "姓名": "黃", "First name": "Amy", "empty": "", "braces": "{name}}"}
    assert read_template(template).names == names
    assert read_template(template).fill(row) == text


@pytest.mark.parametrize(
    ("template", "where"),
    [
        ("a } b", "character 3: } b"),
        ("Dear {name", "character 6: {name"),
        ("{}", "character 1: {}"),
        ("{ }", "character 1: { }"),
        ("{|Customer}", "character 1: {|Customer}"),
        ("x{a{b}}", "character 2: {a{b}}"),
        ("{first\nname}", "character 1: {first\nname}"),
        ("{name}}" + "x" * 100, "character 7: }" + "x" * 19),
    ],
)
def test_a_brace_that_is_no_field_is_refused_and_shown(template: str, where: str) -> None:
    with pytest.raises(Refused) as refused:
        read_template(template)
    assert (refused.value.reason, refused.value.field, refused.value.value) == (Reason.BAD_TEMPLATE, "text", where)


@pytest.mark.parametrize("title", [{}, {"title": ""}])
def test_fields_without_a_value_or_a_default_are_refused_by_name(title: dict[str, str]) -> None:
    """Nobody means to send "Dear ,": who does writes {title|}."""
    with pytest.raises(Refused) as refused:
        read_template("Dear {title} {name}, {item} and {item}").fill({"name": "Wong", "Item": "wreath"} | title)
    assert refused.value.reason is Reason.NO_SUCH_FIELD
    assert refused.value.value == "title, item"


def test_what_every_row_says_is_the_template_without_its_fields() -> None:
    assert read_template("Dear {stop|unsub}, {{hello}}").own_words == "Dear  , {hello}"


def test_a_text_without_braces_is_no_template() -> None:
    assert not is_template("100 % off")
    assert is_template("{{}}")
    assert is_template("}")


@given(st.text(max_size=100))
def test_a_text_with_doubled_braces_is_itself(text: str) -> None:
    assert read_template(text.replace("{", "{{").replace("}", "}}")).fill({}) == text


@given(st.text(max_size=100))
def test_what_a_row_puts_in_is_never_read_as_template(value: str) -> None:
    assert read_template("<{field|}>").fill({"field": value}) == f"<{value}>"
