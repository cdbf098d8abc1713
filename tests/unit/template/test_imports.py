"""The imports of template/."""

from pathlib import Path

from tests.support.imports import imported
from tests.support.project import PROJECT

# It imports the property tests, because it runs them.
RUNNER = Path("template/fuzz.py")


def test_the_template_does_not_import_tests() -> None:
    paths = {path.relative_to(PROJECT): path for path in PROJECT.glob("template/**/*.py")}
    overlay = {name for name in paths if name.is_relative_to("template/overlay")}
    assert RUNNER in paths
    for name in paths.keys() - overlay - {RUNNER}:
        assert [str(module) for module in imported(paths[name]) if module.parts[0] == "tests"] == [], name
