"""The OpenAPI document as people read it: each operation with the fields it takes and gives, made for the page."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sampan.interfaces.json_api.calls import Operation
from sampan.interfaces.json_api.document import document
from sampan.interfaces.json_api.operations import OPERATIONS

DEEPEST = 3
KINDS = {
    "string": "text",
    "integer": "whole number",
    "boolean": "true or false",
    "number": "number",
    "object": "object",
}


Piece = tuple[str, bool]  # words, and whether they are code


def pieces(words: str) -> list[Piece]:
    """Words cut at their backticks."""
    return [(text, place % 2 == 1) for place, text in enumerate(words.split("`")) if text]


class Field(NamedTuple):
    """One field: `results[].id`."""

    name: str
    kind: str
    required: bool
    words: str

    @property
    def pieces(self) -> list[Piece]:
        """Its words, as the page shows them."""
        return pieces(self.words)


@dataclass(frozen=True)
class Described:
    """One operation with its fields."""

    operation: Operation
    parameters: list[Field]
    body: list[Field]
    answer: list[Field]

    @property
    def pieces(self) -> list[Piece]:
        """More of what it does, as the page shows it."""
        return pieces(self.operation.words)

    @property
    def group(self) -> str:
        """Of what it is."""
        return self.operation.path.split("/")[2]


@cache
def described() -> tuple[Described, ...]:
    """Every operation, in the order of the table."""
    whole = document()
    schemas = whole["components"]["schemas"]
    found = []
    for operation in OPERATIONS:
        entry = whole["paths"][operation.path][operation.method.lower()]
        parameters = [
            Field(each["name"], _kind(each["schema"]), each["required"], each.get("description", ""))
            for each in entry.get("parameters", ())
            if each["in"] != "path"
        ]
        body = _content(entry.get("requestBody", {}))
        answer = _content(entry["responses"][str(operation.status)])
        found.append(Described(operation, parameters, list(_fields(body, schemas)), list(_fields(answer, schemas))))
    return tuple(found)


def _content(entry: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = entry.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _fields(schema: dict[str, Any], schemas: dict[str, Any], before: str = "", depth: int = 1) -> Iterator[Field]:
    """The fields of an object and of those within it."""
    inner = _object(schema, schemas)
    required = inner.get("required", ())
    for name, each in inner.get("properties", {}).items():
        yield Field(before + name, _kind(each), name in required, each.get("description", ""))
        if depth < DEEPEST:
            place, within = _within(each)
            yield from _fields(within, schemas, f"{before}{name}{place}.", depth + 1)


def _object(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "")
    found: dict[str, Any] = schemas[reference.rpartition("/")[2]] if reference else schema
    return found if "properties" in found else {}


def _within(schema: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The object within a field, if any, and how one gets to it."""
    if "$ref" in schema:
        return "", schema
    if schema.get("type") == "array":
        return "[]", _within(schema["items"])[1]
    for choice in schema.get("anyOf", ()):
        place, found = _within(choice)
        if found:
            return place, found
    return "", {}


def _kind(schema: dict[str, Any]) -> str:
    """In a word or two."""
    if "$ref" in schema:
        return "object"
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        kinds = [_kind(each) for each in schema["anyOf"] if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if schema.get("format") == "date-time":
        return "time"
    return KINDS.get(schema.get("type", ""), "anything")
