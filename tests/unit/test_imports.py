"""Imports from tests: which modules may import which helpers."""

from pathlib import Path

import pytest

from tests.support.imports import imported
from tests.support.project import PROJECT

TESTS = sorted(PROJECT.glob("tests/**/*.py"))
# Every folder of tests may import the helpers and the limits of the service.
SHARED = {Path("tests/support"), Path("tests/service.py")}


def helpers(path: Path) -> list[Path]:
    """Return the modules of tests/ that a module imports."""
    modules = (name.with_suffix(".py") for name in imported(path) if name.parts[0] == "tests")
    return [module for module in modules if (PROJECT / module).exists()]


@pytest.mark.parametrize("folder", ["app", "deploy"])
def test_the_service_and_its_deployment_do_not_import_tests(folder: str) -> None:
    found = {path.relative_to(PROJECT): helpers(path) for path in PROJECT.glob(f"{folder}/**/*.py")}
    assert found
    assert {path: modules for path, modules in found.items() if modules} == {}


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_test_module_is_not_imported(path: Path) -> None:
    assert [module for module in helpers(path) if module.name.startswith("test_")] == []


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_shared_helpers_are_in_support(path: Path) -> None:
    own = path.parent.relative_to(PROJECT)
    assert [
        module for module in helpers(path) if SHARED.isdisjoint({module, module.parent}) and module.parent != own
    ] == []
