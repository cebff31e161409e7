"""The house style, enforced (docs/decisions/0002-house-style.md)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60
BANNED_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "manager",
    "managers",
    "service",
    "services",
    "base",
    "common",
    "misc",
}


def python_files() -> list[Path]:
    return sorted(p for folder in ("sampan", "tests", "bench") for p in (ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("path", python_files(), ids=named)
def test_a_file_is_short_says_what_it_is_for_and_has_short_functions(path: Path) -> None:
    source = path.read_text()
    tree = ast.parse(source)
    if "migrations" not in path.parts:
        assert source.count("\n") <= MOST_LINES_OF_A_FILE, "make it a folder of the same name"
        assert ast.get_docstring(tree), "the first line says what the file is for"
    for function in functions(tree):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= MOST_LINES_OF_A_FUNCTION, f"{function.name} has {length} lines"


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    assert [named(p) for p in python_files() if BANNED_NAMES & set(p.with_suffix("").parts)] == []


def test_public_functions_of_the_package_have_docstrings() -> None:
    """A public function outside the doors' own views says what it gives."""
    bare = []
    for path in (ROOT / "sampan").rglob("*.py"):
        if "migrations" in path.parts or path.name == "tables.py":
            continue
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name[0] == "_":
                continue
            if not ast.get_docstring(node):
                bare.append(f"{named(path)}: {node.name}")
    assert bare == []


def test_every_table_says_what_a_row_is() -> None:
    for path in (ROOT / "sampan").rglob("tables.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                assert ast.get_docstring(node), f"{named(path)}: {node.name}"


def test_no_lock_file_names_a_host_and_every_package_has_hashes() -> None:
    for path in ROOT.glob("requirements*.txt"):
        assert not re.search(r"://|--index|--find-links", path.read_text()), path.name
        pins = re.findall(r"(?m)^[a-z0-9-]+==", path.read_text())
        assert pins, path.name
        assert path.read_text().count("--hash=") >= len(pins), path.name


def test_no_todo_stands_without_a_number() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX)\b(?!.*#\d)")
    mine = Path(__file__)
    assert [named(p) for p in python_files() if p != mine and words.search(p.read_text())] == []


def test_every_spec_number_cited_exists() -> None:
    known = set(re.findall(r"(?m)^(S\d+a?)\.", (ROOT / "docs/spec.md").read_text()))
    cited = {(named(p), number) for p in python_files() for number in re.findall(r"spec (S\d+a?)\b", p.read_text())}
    assert {(path, number) for path, number in cited if number not in known} == set()


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(p.name[:4]) for p in (ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
