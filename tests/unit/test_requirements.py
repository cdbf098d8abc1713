"""The locked requirements."""

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.support.project import PROJECT
from tests.support.requirements import meets, pins, required

LOCKED = [
    *sorted(PROJECT.glob("requirements*.txt")),
    *sorted(PROJECT.glob("requirements/*.txt")),
    *sorted(PROJECT.glob("template/*.txt")),
]


@pytest.mark.parametrize(
    ("below", "above"),
    [("requirements.txt", "requirements-dev.txt"), ("requirements-dev.txt", "requirements/verify.txt")],
)
def test_the_locked_files_agree(project: Path, below: str, above: str) -> None:
    first, second = (pins((project / name).read_text()) for name in (below, above))
    shared = first.keys() & second.keys()
    assert shared
    assert {name: first[name] for name in shared} == {name: second[name] for name in shared}


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: str(path.relative_to(PROJECT)))
def test_locked_file_has_hashes_and_its_command(path: Path) -> None:
    text = path.read_text()
    assert pins(text)
    assert text.count("==") <= text.count("--hash=sha256:")
    # Dependabot looks for these options.
    assert "--universal --python-version 3.11 --generate-hashes\n" in text.splitlines(keepends=True)[1]


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: str(path.relative_to(PROJECT)))
def test_locked_file_meets_its_source(path: Path) -> None:
    locked = pins(path.read_text())
    wanted = required(path.with_suffix(".in").read_text())
    assert wanted
    wrong = [str(one) for one in wanted if not meets(locked.get(canonicalize_name(one.name)), one)]
    assert wrong == [], "run make lock"


def imports(text: str) -> set[str]:
    """Return the modules without which a module cannot be imported: those outside functions, `if` and `try`."""
    names: set[str] = set()
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.Import):
            names |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            names.add(statement.module)
    return {name.partition(".")[0] for name in names}


def test_app_imports_only_what_the_image_contains(project: Path) -> None:
    # The tests would also find packages that only requirements-dev.txt names.
    locked = pins((project / "requirements.txt").read_text())
    there = {
        module
        for module, packages in packages_distributions().items()
        if any(canonicalize_name(package) in locked for package in packages)
    }
    there |= {*sys.stdlib_module_names, "app"}
    # app/telemetry.py imports the collector only if its packages are there.
    paths = set(project.glob("app/**/*.py")) - {project / "app/collector.py"}
    missing = {str(path.relative_to(project)): imports(path.read_text()) - there for path in paths}
    assert {path: names for path, names in missing.items() if names} == {}, "add them to requirements.in"


@pytest.mark.parametrize(
    ("line", "locked", "met"),
    [
        ("a", "a==1.0", True),
        ("a>=2  # the newest", "a==1.0", False),
        ("a", "b==1.0", False),
        ("A_B[c]<2", "a-b==1.0 ; python_version < '3.12'", True),
        ("a @ https://a.example/a-1.tar.gz", "a @ https://a.example/a-1.tar.gz", True),
        ("a @ https://a.example/a-2.tar.gz", "a @ https://a.example/a-1.tar.gz", False),
        ("a @ https://a.example/a-1.tar.gz", "a==1.0", False),
        ("a", "a @ https://a.example/a-1.tar.gz", False),
    ],
)
def test_requirement_is_met_by_a_version_or_a_url(line: str, locked: str, met: bool) -> None:
    (requirement,) = required(line)
    assert meets(pins(f"{locked} \\").get(canonicalize_name(requirement.name)), requirement) is met
