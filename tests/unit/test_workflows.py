""".github/workflows: people can run all of their commands, and one job fails if any other does.

`make audit` checks the commit ids of actions, and the permissions and time limits of jobs.
"""

import re
from pathlib import Path

import pytest

from tests.support.makefile import MAKEFILES
from tests.support.project import PROJECT

WORKFLOWS = sorted(PROJECT.glob(".github/workflows/*"))
# Other commands, which only make sense on GitHub.
OWN = {
    "cp",  # for an upload
    "echo",  # a notice
    "exit",  # in the job that waits for all others
    "gh",
}


def runs(workflow: str) -> list[str]:
    """Return the command of each step, without comments."""
    return re.findall(r"^ +(?:- )?run: ([^#\n]*[^# \n])", workflow, re.MULTILINE)


def jobs(workflow: str) -> dict[str, str]:
    """Return the text of each job by name."""
    _, *parts = re.split(r"^  (\w+):\n", workflow.split("\njobs:\n")[1], flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_each_step_runs_one_command_that_people_can_run_too(path: Path, project: Path) -> None:
    makefile = "".join(path.read_text() for path in MAKEFILES)
    for command in runs(path.read_text()):
        program, *arguments = command.split()
        if program == "make":
            assert re.search(rf"^(?:\S+ )*{re.escape(arguments[0])}(?: \S+)*:", makefile, re.MULTILINE), command
        elif program not in OWN:
            assert program.startswith(("scripts/", ".github/")), command
            assert (project / program).stat().st_mode & 0o100, command


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_step_contains_text_of_others(path: Path) -> None:
    assert [command for command in runs(path.read_text()) if "${{" in command] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_each_action_has_its_version_beside_its_commit_id(path: Path) -> None:
    for uses in re.findall(r"uses: (.*)", path.read_text()):
        assert uses.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", uses), uses


def test_one_job_fails_if_any_other_does(project: Path) -> None:
    *others, last = (found := jobs((project / ".github/workflows/ci.yml").read_text()))
    assert re.findall(r"^      - (\w+)$", found[last], re.MULTILINE) == others
    assert "\n    if: always()\n" in found[last]
    assert "contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')" in found[last]
    # A skipped job counts as passed, so list those with a condition here.
    conditions = {name: re.findall(r"^    if: (.*)$", found[name], re.MULTILINE) for name in others}
    assert conditions == {
        "changes": [],
        "test": [],
        "host": ["needs.changes.outputs.code == 'true'"],
        "image": ["needs.changes.outputs.code == 'true'"],
        "scan": ["needs.changes.outputs.code == 'true'"],
        "dependencies": ["github.event_name == 'pull_request' && github.event.repository.private != true"],
        "audit": [],
        "cluster": ["needs.changes.outputs.tooling == 'true'"],
        "rollout": ["needs.changes.outputs.tooling == 'true'"],
    }


def test_every_folder_of_tests_is_run(project: Path) -> None:
    image = jobs((project / ".github/workflows/ci.yml").read_text())["image"]
    folders = {str(Path(*path.relative_to(project).parts[:2])) for path in project.glob("tests/**/test_*.py")}
    named = (project / "Makefile").read_text().split()
    assert folders - {"tests/unit"} <= {*re.findall(r"tests/\w+", image), *named}


def test_ruleset_requires_that_job(project: Path) -> None:
    name = re.findall(r"^    name: (.*)$", jobs((project / ".github/workflows/ci.yml").read_text())["ci"], re.MULTILINE)
    assert re.findall(r'"context": "(.*?)"', (project / ".github" / "ruleset.json").read_text()) == name
