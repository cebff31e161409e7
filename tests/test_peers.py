"""docs/operating/peers.md names tests that exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "docs/operating/peers.md"


def test_each_test_that_the_table_names_exists() -> None:
    named = re.findall(r"`(tests/[^`]+\.py)::(test_\w+)`", TABLE.read_text())
    assert len(named) > 20
    functions = {path: functions_of(ROOT / path) for path, _ in named}
    assert [(path, name) for path, name in named if name not in functions[path]] == []


def functions_of(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}
