"""The OpenAPI document and the door say the same: tried by schemathesis with much that fits it and much that does not.

`SCHEMATHESIS_EXAMPLES=500` tries more than `make test` does.
"""

import os
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sampan.database import Connection
from sampan.interfaces.json_api.document import document
from sampan.interfaces.json_api.operations import OPERATIONS
from sampan.messages.tables import Source
from tests.interfaces.json_api.asking import RIGHT, Ask, key_of, with_door
from tests.interfaces.running import web_process
from tests.world import make_customer, make_places, send

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "5"))
PAGE = Path(__file__).parents[3] / "docs/api/json.md"
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


def tried(operation: Any, mode: GenerationMode, address: str, key: str, ids: list[str]) -> int:
    """Try one operation; gives how many answers there were of success."""
    good = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(case=operation.as_strategy(generation_mode=mode), id_=st.sampled_from(ids))
    def once(case: "Case[Any]", id_: str) -> None:
        nonlocal good
        if "id" in (case.path_parameters or {}) and mode is GenerationMode.POSITIVE:
            case.path_parameters["id"] = id_
        response = case.call(base_url=address, headers={"Authorization": f"Bearer {key}"})
        case.validate_response(response, checks=CHECKS)
        good += response.status_code < 400

    once()
    return good


def test_the_door_answers_as_the_document_says(database: Connection) -> None:
    make_places()
    harbour = make_customer(balance="100000")
    accepted = send(database, harbour, source=Source.JSON)
    ids = [str(accepted.batch_id), str(accepted.message_ids[0]), "7", "abc"]
    schema, key = schemathesis.openapi.from_dict(document()), key_of()
    good: dict[str, int] = {}
    with web_process() as web:
        for found in schema.get_all_operations():
            operation = found.ok()  # type: ignore[union-attr] # where the document were wrong, this fails
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                name = f"{operation.method.upper()} {operation.path}"
                good[name] = good.get(name, 0) + tried(operation, mode, web.address, key, ids)
    assert len(good) == len(OPERATIONS)
    reads = {name for name in good if name.startswith("GET") and "{id}" not in name}
    assert not [name for name in reads if not good[name]]


def test_the_document_is_given_to_everybody_and_names_every_operation() -> None:
    async def scenario(ask: Ask) -> None:
        said = await ask("GET", "/v1/openapi.json", key="")
        assert said.status == 200
        assert said.body["openapi"] == "3.1.0"
        found = {(method.upper(), path) for path, methods in said.body["paths"].items() for method in methods}
        assert found == {(operation.method, operation.path) for operation in OPERATIONS}
        assert (await ask("POST", "/v1/messages", RIGHT | {"dry_run": True})).status == 200

    with_door(scenario)


def test_the_page_of_the_docs_names_every_operation() -> None:
    """After a change: WRITE_PAGES=1 .venv/bin/pytest tests/interfaces/json_api/test_document.py -k docs"""
    rows = [f"| {each.summary} | `{each.method} {each.path}` | `{each.scope}` |" for each in OPERATIONS]
    head, marker, rest = PAGE.read_text().partition("| --- | --- | --- |\n")
    listed, gap, after = rest.partition("\n\n")
    assert marker
    if os.environ.get("WRITE_PAGES"):
        PAGE.write_text(head + marker + "\n".join(rows) + gap + after)
    else:
        assert listed.rstrip().splitlines() == rows
