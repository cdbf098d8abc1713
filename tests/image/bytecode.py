"""What Python loaded as bytecode, and what it compiled."""

import re

# What Python says, told to be verbose, when it compiles a module of anything but the app instead of loading bytecode.
COMPILED = re.compile(r"^# (?:code object from (?!'?/app/)'?[^'\n]+\.py'?|bytecode is stale .*)$", re.MULTILINE)


def assert_only_the_app_is_compiled(told: str) -> None:
    """Python told that it loaded bytecode, and of no module beside the app's that it was compiled."""
    assert "# /opt/python/pycache/" in told
    assert COMPILED.findall(told) == [], "import these in the Dockerfile's builder as well"
