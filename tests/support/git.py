"""Run git without the configuration of this machine."""

import os
import subprocess
from pathlib import Path

# A configuration could sign commits or rewrite addresses. The date is fixed, and its time zone is not UTC.
GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_COMMITTER_DATE": "1000000000 +0200"}


def git(project: Path, *arguments: str) -> str:
    """Return what git prints in a folder."""
    someone = ("-c", "user.name=someone", "-c", "user.email=someone@example.com")
    command = ["git", *someone, *arguments]
    return subprocess.run(command, cwd=project, env=os.environ | GIT, capture_output=True, text=True, check=True).stdout
