"""The tests themselves: where helpers live, and who decides what is skipped."""

import ast

from tests.support.repository import ROOT

FILES = sorted((ROOT / "tests").glob("**/*.py"))


def _imported(file):
    """The names of the modules that this file imports, or imports something from."""
    package = file.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else ()
            origin = ".".join(filter(None, [*start, node.module]))
            yield from (origin, *(f"{origin}.{alias.name}" for alias in node.names))


def _holds_tests(module):
    """Whether its name says that pytest collects it, or its fixtures."""
    last = module.rpartition(".")[2]
    return module.startswith("tests.") and (last == "conftest" or (last.startswith("test_") and _is_file(module)))


def _is_file(module):
    return (ROOT / module.replace(".", "/")).with_suffix(".py").exists()


def test_helpers_are_imported_from_support_and_fixtures_not_at_all():
    wrong = {str(file.relative_to(ROOT)): [each for each in _imported(file) if _holds_tests(each)] for file in FILES}
    assert {file: modules for file, modules in wrong.items() if modules} == {}


def test_what_is_missing_is_decided_in_one_place():
    """By markers; see needs. What depends on the version of the host or of a library says so with skipif."""
    calls = {
        (file.name, ast.unparse(node.func))
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
    }
    assert {file for file, call in calls if call in ("pytest.skip", "pytest.importorskip")} == {"needs.py"}
