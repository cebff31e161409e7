"""The OpenAPI 3.1 document, made from the table of operations and its types."""

from collections.abc import Iterable
from typing import Any

import msgspec

from sampan.interfaces.json_api.calls import Operation
from sampan.interfaces.json_api.operations import OPERATIONS
from sampan.interfaces.json_api.problems import Problem

VERSION = "1.0.0"
REF = "#/components/schemas/{name}"
ANY_MAY_MEET = (400, 401, 403, 429, 500)
STATUS_WORDS = {
    200: "Done",
    201: "Made",
    202: "Accepted and stored",
    204: "Done",
    400: "The request cannot be read: a field is unknown, missing or of another type",
    401: "No key, or one that counts no more",
    402: "The balance is too low",
    403: "The key may not do that, or not from here, or the account is suspended",
    404: "There is no such thing",
    408: "The body did not come in time",
    409: "It is not in a state for that, or the first request with this Idempotency-Key is still in work",
    413: "The body is too large",
    415: "The body is not application/json",
    422: "Understood, and refused: the problem says why and how to mend it",
    429: "Too many requests, or wrong keys",
    500: "Our fault",
}
DESCRIPTION = """Send texts to mobiles in Hong Kong, mainland China, Macau and overseas, and read what became of them.

Every request carries `Authorization: Bearer sk_live_…`, a key from the portal. A key that begins with `sk_test_` does
the same and sends to nobody, free of charge. Times are RFC 3339, amounts are HK$ as text with four decimals, ids are
text. What is refused is answered by a problem of RFC 9457 whose `type` is an address with more about it.
"""


def document(operations: Iterable[Operation] = OPERATIONS) -> dict[str, Any]:
    """The whole document."""
    operations = tuple(operations)
    types = [each for operation in operations for each in (operation.body, operation.answer, operation.query) if each]
    schemas, components = msgspec.json.schema_components(dict.fromkeys([*types, Problem]), ref_template=REF)
    schema_of = dict(zip(dict.fromkeys([*types, Problem]), schemas, strict=True))
    queries = {operation.query.__name__ for operation in operations}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        parameters = _parameters(operation, components)
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schema_of, parameters)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sampan", "version": VERSION, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key: `sk_live_…` or `sk_test_…`"}
            },
            "schemas": {name: schema for name, schema in components.items() if name not in queries},
        },
    }


def _operation(
    operation: Operation, schema_of: dict[type[Any], dict[str, Any]], parameters: list[dict[str, Any]]
) -> dict[str, Any]:
    answers = {str(operation.status): _answer(operation.status, "application/json", schema_of[operation.answer])}
    if operation.name == "send_messages":
        answers["200"] = _answer(200, "application/json", schema_of[operation.answer])
    for status in sorted({*ANY_MAY_MEET, *operation.refusals, *((408, 413, 415) if operation.body else ())}):
        answers[str(status)] = _answer(status, "application/problem+json", schema_of[Problem])
    for status, answer in answers.items():
        answer["headers"] = _headers(int(status), operation)
    made: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"{operation.words}\n\nScope: `{operation.scope}`".strip(),
        "tags": [operation.path.split("/")[2]],
        "responses": answers,
    }
    if parameters:
        made["parameters"] = parameters
    if operation.body is not None:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema_of[operation.body]}}}
    return made


def _answer(status: int, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": STATUS_WORDS[status], "content": {media_type: {"schema": schema}}}


def _headers(status: int, operation: Operation) -> dict[str, Any]:
    """Of an answer."""
    found = {"X-Request-Id": {"description": "Yours, or one of ours", "required": True, "schema": {"type": "string"}}}
    if status == 429 or (status == 409 and operation.takes_reference):
        words = "Seconds to wait before it is tried again"
        found["Retry-After"] = {"description": words, "required": status == 429, "schema": {"type": "integer"}}
    if status < 300 and operation.takes_reference:
        words = "`true` where this is the answer of an earlier request with the same Idempotency-Key"
        found["Idempotency-Replayed"] = {"description": words, "required": False, "schema": {"const": "true"}}
    return found


def _parameters(operation: Operation, components: dict[str, Any]) -> list[dict[str, Any]]:
    """Of the address, the query and the headers."""
    found: list[dict[str, Any]] = []
    if "{id}" in operation.path:
        found.append({"name": "id", "in": "path", "required": True, "schema": {"type": "string"}})
    query = components[operation.query.__name__]
    for name, schema in query["properties"].items():
        found.append(
            {
                "name": name,
                "in": "query",
                "required": name in query.get("required", ()),
                "schema": schema,
                **({"description": words} if (words := schema.get("description")) else {}),
            }
        )
    if operation.takes_reference:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Your own name for the request; sent again with it, it is done once. Kept 30 days",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
            }
        )
    return found
