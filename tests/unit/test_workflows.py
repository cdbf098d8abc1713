""".github/workflows: people can run the commands, one job fails if another does, and a release signs each platform.

`make audit` checks that each job has permissions and a timeout.
"""

import json
import re
from pathlib import Path

import pytest

from tests.support.makefile import MAKEFILES
from tests.support.project import PROJECT

WORKFLOWS = sorted(PROJECT.glob(".github/workflows/*"))
# Other commands, which only GitHub needs.
OWN = {
    ".venv/bin/python",
    "cp",  # into the folder to upload
    "echo",  # a notice
    "exit",  # in the job that sums up
    "gh",
}
# It runs a command, and reports on it.
REPORTING = ".github/run "
PLATFORMS = {"amd64": "ubuntu-26.04", "arm64": "ubuntu-26.04-arm"}


def runs(workflow: str) -> list[str]:
    """Return the command of each step, without a comment."""
    return re.findall(r"^ +(?:- )?run: ([^#\n]*[^# \n])", workflow, re.MULTILINE)


def jobs(workflow: str) -> dict[str, str]:
    """Return the text of each job."""
    _, *parts = re.split(r"^  (\w+):\n", workflow.split("\njobs:\n")[1], flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_each_step_runs_one_command_that_people_can_run_too(path: Path, project: Path) -> None:
    makefile = "".join(path.read_text() for path in MAKEFILES)
    for command in runs(path.read_text()):
        program, *arguments = command.removeprefix(REPORTING).split()
        if program == "make":
            assert re.search(rf"^(?:\S+ )*{re.escape(arguments[0])}(?: \S+)*:", makefile, re.MULTILINE), command
        elif program not in OWN:
            assert program.startswith(("scripts/", ".github/")), command
            assert (project / program).stat().st_mode & 0o100, command


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_step_contains_text_of_others(path: Path) -> None:
    assert [command for command in runs(path.read_text()) if "${{" in command] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_variable_becomes_a_setting_of_make(path: Path, project: Path) -> None:
    # make reads IMAGE from the environment, and stops if it is a digest.
    (names,) = re.findall(r"^NAMES = (.*)$", (project / "Makefile").read_text(), re.MULTILINE)
    for job in jobs(path.read_text()).values():
        if re.search(r"run: (?:\.github/run )?make ", job):
            assert set(re.findall(r"^ +([A-Z_]+): ", job, re.MULTILINE)) & set(names.split()) == set()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_each_action_has_its_version_next_to_its_commit_id(path: Path) -> None:
    for uses in re.findall(r"uses: (.*)", path.read_text()):
        assert uses.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", uses), uses


def test_one_job_fails_if_any_other_does(project: Path) -> None:
    *others, last = (found := jobs((project / ".github/workflows/ci.yml").read_text()))
    assert re.findall(r"^      - (\w+)$", found[last], re.MULTILINE) == others
    assert "\n    if: always()\n" in found[last]
    assert "contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')" in found[last]
    # A skipped job counts as passed, so every condition is listed here.
    conditions = {name: re.findall(r"^    if: (.*)$", found[name], re.MULTILINE) for name in others}
    assert conditions == {
        "changes": [],
        "test": [],
        "host": ["needs.changes.outputs.code == 'true'"],
        "image": ["needs.changes.outputs.service == 'true'"],
        "tools": ["needs.changes.outputs.tooling == 'true'"],
        "scan": ["needs.changes.outputs.service == 'true'"],
        "dependencies": ["github.event_name == 'pull_request' && github.event.repository.private != true"],
        "audit": [],
        "cluster": ["needs.changes.outputs.delivery == 'true'"],
        "rollout": ["needs.changes.outputs.delivery == 'true'"],
    }


def test_every_folder_of_tests_is_run(project: Path) -> None:
    workflow = (project / ".github/workflows/ci.yml").read_text()
    folders = {str(Path(*path.relative_to(project).parts[:2])) for path in project.glob("tests/**/test_*.py")}
    named = (project / "Makefile").read_text().split()
    assert folders - {"tests/unit"} <= {*re.findall(r"tests/\w+", workflow), *named}


def test_ruleset_requires_that_job(project: Path) -> None:
    name = re.findall(r"^    name: (.*)$", jobs((project / ".github/workflows/ci.yml").read_text())["ci"], re.MULTILINE)
    assert re.findall(r'"context": "(.*?)"', (project / ".github" / "ruleset.json").read_text()) == name


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_command_of_the_project_reports_annotations_and_a_summary(path: Path) -> None:
    silent = {command for command in runs(path.read_text()) if command.startswith(("make ", "scripts/"))}
    # These prepare for a command that reports.
    assert silent <= {"make venv", "make .venv/installed", "scripts/changes"}


def test_the_linters_ask_github_about_the_actions(project: Path) -> None:
    assert "GH_TOKEN: ${{ github.token }}" in jobs((project / ".github/workflows/ci.yml").read_text())["audit"]
    assert '$([ -n "${GH_TOKEN:-}" ] || echo --offline)' in (project / "scripts/audit").read_text()


def test_a_rebuild_is_released_from_its_tag(project: Path) -> None:
    weekly = (project / ".github/workflows/weekly.yml").read_text()
    (command,) = (command for command in runs(weekly) if command.startswith("gh workflow run "))
    # The signed provenance names the commit of this reference.
    assert '--ref "refs/tags/$TAG"' in command
    fields = set(re.findall(r'--field "(\w+)=', command))
    release = (project / ".github/workflows/release.yml").read_text()
    dispatch, _, _ = release.partition("  workflow_dispatch:\n")[2].partition("\n\n")
    assert set(re.findall(r"^      (\w+):$", dispatch, re.MULTILINE)) == fields


def test_release_tags_cannot_be_moved(project: Path) -> None:
    rules = json.loads((project / ".github/ruleset-tags.json").read_text())
    (trigger,) = re.findall(r'tags: \["(.*?)"\]', (project / ".github/workflows/release.yml").read_text())
    assert rules["conditions"]["ref_name"]["include"] == [f"refs/tags/{trigger[0]}*"]
    assert {rule["type"] for rule in rules["rules"]} == {"deletion", "non_fast_forward", "update"}


@pytest.fixture
def publish(project: Path) -> dict[str, str]:
    """Return the jobs of publish.yml."""
    return jobs((project / ".github/workflows/publish.yml").read_text())


def permissions(job: str) -> set[str]:
    """Return the permissions to write."""
    return set(re.findall(r"^      ([a-z-]+): write", job, re.MULTILINE))


def test_a_release_builds_and_tests_each_platform_on_its_own_runner(publish: dict[str, str]) -> None:
    for job in ("build", "verify"):
        assert dict(re.findall(r"- platform: (\w+)\n +runner: (\S+)\n", publish[job])) == PLATFORMS
    assert "setup-qemu" not in "".join(publish.values())


def test_a_release_tests_before_it_tags_and_signs(publish: dict[str, str]) -> None:
    lines = {name: "".join(re.findall(r"^    needs: (.*)$", job, re.MULTILINE)) for name, job in publish.items()}
    needs = {name: set(re.findall(r"\w+", line)) for name, line in lines.items()}
    assert needs == {
        "ready": set(),
        "build": {"ready"},
        "verify": {"ready", "build"},
        "sign": {"ready", "build", "verify"},
    }


def test_every_job_builds_the_commit_that_was_found_ready(publish: dict[str, str]) -> None:
    refs = {name: re.findall(r"^          ref: ([^#\n]*[^# \n])", job, re.MULTILINE) for name, job in publish.items()}
    commit = ["${{ github.sha }}"]
    # Only the first job looks at the tag, to see whether it has moved.
    assert refs == {"ready": ["refs/tags/${{ inputs.tag }}"], "build": commit, "verify": commit, "sign": commit}


def test_only_the_job_that_signs_can_sign_and_tests_can_write_nothing(publish: dict[str, str]) -> None:
    assert {name: permissions(job) for name, job in publish.items()} == {
        "ready": set(),
        "build": {"packages"},
        "verify": set(),
        "sign": {"packages", "id-token", "attestations"},
    }


def attested(sign: str) -> list[tuple[str, str]]:
    """Return what each attestation is about, and its SBOM, or an empty string for provenance."""
    steps = re.split(r"^      - ", sign, flags=re.MULTILINE)
    return [
        (re.findall(r"subject-digest: \S+ \S+\.(\w+) ", step)[0], "".join(re.findall(r"sbom-path: (\S+)", step)))
        for step in steps
        if "uses: actions/attest@" in step
    ]


def test_every_platform_has_provenance_and_an_sbom(publish: dict[str, str]) -> None:
    expected = [("digest", ""), *((platform, "") for platform in PLATFORMS)]
    expected += [(platform, f"release/image.{platform}.spdx.json") for platform in PLATFORMS]
    assert sorted(attested(publish["sign"])) == sorted(expected)
    # The job of each platform makes the file, and its artifact goes to the job that signs.
    made = {"output-file: image.${{ matrix.platform }}.spdx.json", "name: sbom-${{ matrix.platform }}"}
    assert [line for line in made if line not in publish["verify"]] == []
    assert "pattern: sbom-*\n          path: release\n" in publish["sign"]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_missing_sbom_is_found(publish: dict[str, str], platform: str) -> None:
    without = publish["sign"].replace(f"sbom-path: release/image.{platform}.spdx.json", "")
    assert attested(without) != attested(publish["sign"])


def test_every_platform_is_part_of_the_image(publish: dict[str, str]) -> None:
    (merge,) = re.findall(r"run: .github/run scripts/release merge .* release (.*)$", publish["sign"], re.MULTILINE)
    for platform in PLATFORMS:
        assert f'"${platform.upper()}"' in merge.split()
        assert f"{platform.upper()}: ${{{{ needs.build.outputs.{platform} }}}}\n" in publish["sign"]
        assert f"{platform}: ${{{{ steps.build.outputs.{platform} }}}}\n" in publish["build"]


def test_docs_estimate_the_cost_of_every_job(project: Path) -> None:
    found = jobs((project / ".github/workflows/ci.yml").read_text())
    # Billed are only the jobs of private repositories.
    billed = {name for name, job in found.items() if not re.search(r"^    if: .*\bprivate != true", job, re.MULTILINE)}
    rows = re.findall(r"^\| (`.*?) \| .*\d.* \|$", (project / "docs/release.md").read_text(), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == billed


def test_findings_reach_code_scanning_where_it_exists(project: Path) -> None:
    steps = re.split(r"^      - ", (project / ".github/workflows/ci.yml").read_text(), flags=re.MULTILINE)
    (upload,) = (step for step in steps if "codeql-action/upload-sarif" in step)
    assert upload.startswith("if: github.event.repository.private != true\n")
