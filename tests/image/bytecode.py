"""Check that Python loads bytecode instead of compiling modules again."""

import re

# With PYTHONVERBOSE, Python prints these lines when it compiles a module. Only the app may be compiled.
COMPILED = re.compile(r"^# (?:code object from (?!'?/app/)'?[^'\n]+\.py'?|bytecode is stale .*)$", re.MULTILINE)


def assert_only_the_app_is_compiled(output: str) -> None:
    """Assert that Python loaded bytecode, and compiled no module except those of the app."""
    assert "# /opt/python/pycache/" in output
    assert COMPILED.findall(output) == [], "import these in the Dockerfile's builder as well"
