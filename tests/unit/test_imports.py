"""Imports from tests: which modules may import which helpers."""

from pathlib import Path

import pytest

from tests.support.imports import imported
from tests.support.project import PROJECT

# Every folder of tests may import the helpers and the limits of the service.
SHARED = {Path("tests/support"), Path("tests/service.py")}


def helpers(folder: str) -> dict[Path, list[Path]]:
    """Return the modules of tests/ that each module of a folder imports, from the project's folder."""
    found = {}
    for path in PROJECT.glob(f"{folder}/**/*.py"):
        modules = (name.with_suffix(".py") for name in imported(path) if name.parts[0] == "tests")
        found[path.relative_to(PROJECT)] = [module for module in modules if (PROJECT / module).exists()]
    assert found
    return found


@pytest.mark.parametrize("folder", ["app", "deploy"])
def test_the_service_and_its_deployment_do_not_import_tests(folder: str) -> None:
    assert {path: modules for path, modules in helpers(folder).items() if modules} == {}


def test_a_test_module_is_not_imported() -> None:
    assert [
        (path, module)
        for path, modules in helpers("tests").items()
        for module in modules
        if module.name.startswith("test_")
    ] == []


def test_shared_helpers_are_in_support() -> None:
    assert [
        (path, module)
        for path, modules in helpers("tests").items()
        for module in modules
        if SHARED.isdisjoint({module, module.parent}) and module.parent != path.parent
    ] == []
