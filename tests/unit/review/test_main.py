"""The command line of the reviewer."""

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from app.review.__main__ import main

GOOD = "FROM python:slim@sha256:0\nUSER 10001\n"
INFO = "FROM python:slim\nUSER 10001\n"
WARNING = "FROM python\nUSER 10001\n"
ERROR = "FROM python:3.12-slim@sha256:0\n"


class Done(NamedTuple):
    """The result of the command."""

    status: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command in a temporary folder, with a text as its standard input."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, text: str = "") -> Done:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        try:
            status = main(arguments)
        except SystemExit as error:
            status = int(error.code or 0)
        return Done(status, *capsys.readouterr())

    return run


def test_default_path_is_the_dockerfile_in_the_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(GOOD)
    done = run()
    assert done == (0, "Dockerfile: nothing found\n", "")


def test_dash_is_standard_input(run: Run) -> None:
    done = run("-", text=ERROR)
    assert done.status == 1
    assert done.stdout.startswith("Dockerfile:1: ")


@pytest.mark.parametrize(
    ("text", "fail_on", "status"),
    [
        (GOOD, "info", 0),
        (INFO, "never", 0),
        (INFO, "error", 0),
        (INFO, "warning", 0),
        (WARNING, "error", 0),
        (ERROR, "never", 0),
        (INFO, "info", 1),
        (WARNING, "warning", 1),
        (ERROR, "error", 1),
        (ERROR, "info", 1),
    ],
)
def test_exit_status_depends_on_severity_and_fail_on(run: Run, text: str, fail_on: str, status: int) -> None:
    assert run("--fail-on", fail_on, "-", text=text).status == status


def test_warnings_fail_by_default(run: Run) -> None:
    assert run("-", text=INFO).status == 0
    assert run("-", text=WARNING).status == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing", None, "missing: No such file or directory\n"),
        ("folder", None, "folder: Is a directory\n"),
        ("binary", b"FROM a\n\xff", "binary: not valid UTF-8 at byte 8\n"),
        ("typo", b"FROM a\nRUNN b", "typo:2: unknown instruction: 'RUNN' (did you mean RUN?)\n"),
    ],
)
def test_unreadable_file_is_reported_in_one_line(
    run: Run, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    (tmp_path / "folder").mkdir()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = run(name)
    assert done == (2, "", message)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\n::error::b", r"a\n::error::b"),
        ("::error::b", r"\x3a:error::b"),
        ("a\x1b[31m", r"a\x1b[31m"),
        ("a\udcff", r"a\udcff"),
        ("##[error]b", r"\x23#[error]b"),
        ("\u202eb", r"\u202eb"),
    ],
)
@pytest.mark.parametrize("content", [None, b"\xff", b"RUNN b", b"FROM python\nUSER 10001\n"])
def test_hostile_file_name_is_printed_in_one_line(
    run: Run, tmp_path: Path, name: str, shown: str, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = run("--", name)
    printed = done.stdout + done.stderr
    assert printed.startswith(f"{shown}:")
    assert printed.replace("\n", "").isprintable()
    assert [line for line in printed.splitlines() if not line.startswith((shown, "    "))] == []


def test_name_after_two_dashes_is_not_an_option(run: Run, tmp_path: Path) -> None:
    (tmp_path / "-x").write_text(GOOD)
    assert run("--", "-x") == (0, "-x: nothing found\n", "")


@pytest.mark.parametrize("argument", ["--a\n::error::b\x1b", "--f\n::error::b\x1b", "--format=a\n::error::b\x1b"])
def test_invalid_option_is_reported_in_one_line(run: Run, argument: str) -> None:
    done = run(argument)
    assert done.status == 2
    assert done.stderr.replace("\n", "").isprintable()
    assert done.stderr.splitlines()[-1].startswith("python -m app.review: error: ")
    assert r"\n::error::b\x1b" in done.stderr.splitlines()[-1]


def test_other_files_are_reviewed_after_an_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(GOOD)
    done = run("missing", "Dockerfile")
    assert (done.status, done.stdout) == (2, "Dockerfile: nothing found\n")


@pytest.mark.parametrize("argument", ["--format=xml", "--fail-on=info,warning", "--colour"])
def test_invalid_argument_is_named(run: Run, argument: str) -> None:
    done = run(argument)
    assert done.status == 2
    assert argument.removeprefix("--").partition("=")[0] in done.stderr


@pytest.mark.parametrize(
    ("files", "path", "found"),
    [
        ({".dockerignore": ".git\n.venv\n__pycache__\n"}, "Dockerfile", False),
        ({"sub/Dockerfile": ""}, "sub/Dockerfile", False),  # unknown: it may be built from here
        ({}, "Dockerfile", True),
        ({".dockerignore": ".git\n"}, "Dockerfile", True),
        ({"sub/Dockerfile": "", "sub/.dockerignore": ".git\n"}, "sub/Dockerfile", True),
        ({".dockerignore": ".git\n.venv\n__pycache__\n", "Dockerfile.dockerignore": ".git\n"}, "Dockerfile", True),
    ],
)
def test_dockerignore_next_to_the_file_is_read(
    run: Run, tmp_path: Path, files: dict[str, str], path: str, found: bool
) -> None:
    for name, text in ({"Dockerfile": ""} | files).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("FROM a\nCOPY . .\n" if name.endswith("/Dockerfile") or not text else text)
    assert ("[dockerignore]" in run(path).stdout) is found


def test_dockerignore_may_contain_any_bytes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM a\nCOPY . .\n")
    (tmp_path / ".dockerignore").write_bytes(b"\xff\n.git\n.venv\n__pycache__\n")
    assert "[dockerignore]" not in run().stdout


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_other_formats_are_valid_json(run: Run, form: str) -> None:
    assert json.loads(run("--format", form, "-", text=ERROR).stdout)


def test_github_format_prints_workflow_commands(run: Run) -> None:
    assert run("--format=github", "-", text=WARNING).stdout.startswith("::")


@pytest.mark.parametrize(("variables", "colors"), [({"NO_COLOR": "1"}, False), ({}, True), ({"NO_COLOR": ""}, True)])
def test_terminal_gets_colors_unless_no_color_is_set(
    tmp_path: Path, project: Path, variables: dict[str, str], colors: bool
) -> None:
    (tmp_path / "Dockerfile").write_text(ERROR)
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    subprocess.run(
        [sys.executable, "-m", "app.review"],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(project)} | variables,
        stdout=theirs,
        check=False,
    )
    os.close(theirs)
    assert (b"\x1b[31merror" in os.read(ours, 10_000)) is colors
    os.close(ours)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("{} - <&-", "standard input: Bad file descriptor\n"),
        ("{} >&-", "standard output: Bad file descriptor\n"),
        ("ulimit -f 0; {} >out", "standard output: File too large\n"),
    ],
)
def test_failing_stream_is_reported_in_one_line(tmp_path: Path, project: Path, command: str, message: str) -> None:
    (tmp_path / "Dockerfile").write_text(GOOD)
    done = subprocess.run(
        ["/bin/sh", "-c", command.format(f"'{sys.executable}' -m app.review")],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(project)},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, message)


def test_closed_pipe_is_not_reported(tmp_path: Path, project: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python\n" + "COPY .env .\n" * 900)
    command = f"'{sys.executable}' -m app.review --format=json | head -1"
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[\n", "")


FIXABLE = "FROM python:3.12-slim@sha256:0\r\nUSER 10001\r\nCMD python -m app\r\n"
FIXED = FIXABLE.replace("CMD python -m app", 'CMD ["python", "-m", "app"]').replace(
    "0\r\nUSER", "0\r\nENV PYTHONUNBUFFERED=1\r\nUSER"
)


def test_fix_writes_the_safe_fixes_and_reviews_the_result(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_bytes(FIXABLE.encode())
    file.chmod(0o640)
    assert run("--fix") == (0, "Dockerfile: nothing found\n", "Dockerfile: 2 fixed\n")
    assert file.read_bytes() == FIXED.encode()
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["Dockerfile"]
    assert run("--fix").stderr == "Dockerfile: 0 fixed\n"


def test_fix_exits_1_if_findings_remain(run: Run, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.12-slim@sha256:0\nCMD python -m app\n")
    done = run("--fix")
    assert done.status == 1
    assert "[root-user]" in done.stdout
    assert "USER" not in (tmp_path / "Dockerfile").read_text()


def test_unsafe_fixes_are_written_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.12-slim@sha256:0\nCMD python -m app\n")
    assert run("--unsafe-fixes").status == 0
    assert "USER 10001\n" in (tmp_path / "Dockerfile").read_text()


def test_fix_writes_through_a_link(run: Run, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(FIXABLE.encode())
    (tmp_path / "Dockerfile").symlink_to("real")
    run("--fix")
    assert (tmp_path / "Dockerfile").is_symlink()
    assert (tmp_path / "real").read_bytes() == FIXED.encode()


def test_fix_of_standard_input_prints_the_fixed_text(run: Run) -> None:
    done = run("--fix", "-", text=FIXABLE)
    assert done == (0, FIXED, "Dockerfile: 2 fixed\nDockerfile: nothing found\n")


def test_diff_prints_the_change_and_writes_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(FIXABLE.encode())
    done = run("--diff")
    assert (done.status, done.stderr) == (1, "")
    assert done.stdout.startswith("--- Dockerfile\n+++ Dockerfile\n@@ ")
    assert '+CMD ["python", "-m", "app"]\r\n' in done.stdout
    assert (tmp_path / "Dockerfile").read_bytes() == FIXABLE.encode()


def test_diff_without_fixes_is_empty(run: Run, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(GOOD)
    assert run("--diff") == (0, "", "")


def test_unwritable_file_is_reported_and_unchanged(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "Dockerfile").write_bytes(FIXABLE.encode())
    monkeypatch.setattr("shutil.copymode", fail)
    done = run("--fix")
    assert (done.status, done.stderr) == (2, "Dockerfile: No space left on device\n")
    assert (tmp_path / "Dockerfile").read_bytes() == FIXABLE.encode()
    assert [path.name for path in tmp_path.iterdir()] == ["Dockerfile"]


def test_explain_prints_the_rule(run: Run) -> None:
    done = run("--explain", "root-user")
    assert done.status == 0
    assert done.stdout.startswith("The published image runs as root (error). ")
    assert "\n\nWrong:\n\nFROM python" in done.stdout


def test_explain_rejects_an_unknown_rule(run: Run) -> None:
    done = run("--explain", "rot-user")
    assert done.status == 2
    assert "rot-user" in done.stderr
