"""git, as nobody in particular has configured it."""

import os
import subprocess
from pathlib import Path

# No configuration of whoever runs this: it could sign commits, or write addresses anew.
# Its clock stands, in a zone of its own.
GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_COMMITTER_DATE": "1000000000 +0200"}


def git(project: Path, *arguments: str) -> str:
    """What git prints."""
    someone = ("-c", "user.name=someone", "-c", "user.email=someone@example.com")
    command = ["git", *someone, *arguments]
    return subprocess.run(command, cwd=project, env=os.environ | GIT, capture_output=True, text=True, check=True).stdout
