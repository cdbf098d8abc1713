"""template/follow.py: it follows a page exactly, and stops at the first failure."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.git import git

GOOD = """# Page

`app/greeting.txt`:

```text
hello
```

```diff
--- a/app/greeting.txt
+++ b/app/greeting.txt
@@ -1 +1 @@
-hello
+goodbye
```

<!-- not run: no network -->

```console
$ exit 1
```

```console
$ cat \\
    app/greeting.txt |
    cat
goodbye
$ echo one && echo two && echo three
one
…
three
$ WORD=four
$ echo $WORD; false
four
```
"""

RUNNING = """# Page

<!-- keeps running -->

```console
$ trap 'echo stopped > stopped.txt' EXIT; echo started; sleep 1; echo hello > late.txt; sleep 60
started
```

```console
$ curl --silent "file://$PWD/late.txt"
hello
```
"""


def follow(project: Path, folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Follow a page with this text in a repository in the folder."""
    git(folder, "init", "--quiet")
    page = folder / "page.md"
    page.write_text(text)
    command = [sys.executable, "-m", "template.follow", str(folder), str(page)]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def test_files_are_created_diffs_applied_and_commands_run(project: Path, tmp_path: Path) -> None:
    done = follow(project, tmp_path, GOOD)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "app/greeting.txt").read_text() == "goodbye\n"
    assert "page.md:19: console: not run: no network" in done.stdout


def test_reason_below_the_title_leaves_out_the_page(project: Path, tmp_path: Path) -> None:
    done = follow(project, tmp_path, GOOD.replace("# Page\n", "# Page\n\n<!-- not run: cluster -->\n"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "page.md:25: console: not run: cluster" in done.stdout
    assert not (tmp_path / "app").exists()


@pytest.mark.parametrize(
    ("right", "wrong", "error"),
    [
        pytest.param("$ cat ", "$ false ", "page.md:23: console: exit code 1; this was not printed:", id="a command"),
        pytest.param("\ngoodbye\n$", "\nhello\n$", "page.md:23: console: this was not printed:", id="an output"),
        pytest.param("three\n$", "five\n$", "page.md:23: console: this was not printed:", id="its end"),
        pytest.param("\nfour\n```", "\n…\n```", "page.md:23: console: exit code 1", id="an output in part"),
        pytest.param("$WORD", "$WORK", "page.md:23: console: the shell ended", id="a variable"),
        pytest.param("-hello", "-hi", "page.md:9: diff: exit code 1", id="a diff"),
        pytest.param("`app/greeting.txt`:", "`app/other.txt`:", "page.md:9: diff: exit code 1", id="a file"),
    ],
)
def test_failed_step_is_reported_with_its_line(
    right: str, wrong: str, error: str, project: Path, tmp_path: Path
) -> None:
    assert right in GOOD
    done = follow(project, tmp_path, GOOD.replace(right, wrong))
    assert done.returncode == 1
    assert done.stderr.startswith(error)


def test_keeps_a_command_running_to_the_end_of_the_page(project: Path, tmp_path: Path) -> None:
    done = follow(project, tmp_path, RUNNING)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "stopped.txt").exists()


def test_fail_if_a_running_command_ends(project: Path, tmp_path: Path) -> None:
    done = follow(project, tmp_path, RUNNING.replace("; sleep 60", ""))
    assert done.returncode == 1
    assert "the command that keeps running ended with exit code 0" in done.stderr


def test_fail_if_a_running_command_does_not_start(project: Path, tmp_path: Path) -> None:
    done = follow(project, tmp_path, RUNNING.replace("; sleep 60", "").replace("\nstarted\n", "\nbegun\n"))
    assert done.returncode == 1
    assert done.stderr.startswith("page.md:5: keeps running: this was not printed:")
