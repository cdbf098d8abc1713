"""Run git without the configuration of this machine."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

# A configuration could sign commits or rewrite addresses. The date is fixed, and its time zone is not UTC.
GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_COMMITTER_DATE": "1000000000 +0200"}


def git(project: Path, *arguments: str) -> str:
    """Return what git prints in a folder."""
    someone = ("-c", "user.name=someone", "-c", "user.email=someone@example.com")
    command = ["git", *someone, *arguments]
    return subprocess.run(command, cwd=project, env=os.environ | GIT, capture_output=True, text=True, check=True).stdout


def ignored(folder: Path, rules: str, paths: Iterable[str], *options: str) -> set[str]:
    """Return the paths that git ignores by these rules, in a repository that is created in the folder."""
    git(folder, "init", "--quiet")
    (folder / ".gitignore").write_text(rules)
    command = ["git", "-c", f"core.excludesFile={os.devnull}", *options, "check-ignore", "--no-index", "--stdin", "-z"]
    names, environment = "\0".join(paths), os.environ | GIT
    done = subprocess.run(
        command, cwd=folder, env=environment, input=names, stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode in {0, 1}  # 1: none of them
    return set(done.stdout.split("\0")) - {""}
