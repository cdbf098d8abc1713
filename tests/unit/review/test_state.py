"""The state after instructions."""

import pytest

from app.review.dockerfile import Dockerfile
from app.review.image import Image
from app.review.state import State


def left_by(dockerfile: str) -> State:
    """Return the state after the last stage of a Dockerfile."""
    return Dockerfile.parse(dockerfile).published.state


@pytest.mark.parametrize(
    ("dockerfile", "user", "is_root"),
    [
        ("FROM python", None, True),
        ("FROM company/base", None, None),
        ("ARG I\nFROM $I", None, None),
        ("FROM python:3.12-windowsservercore", None, None),
        ("FROM python\nUSER app", "app", False),
        ("FROM python\nUSER 10001:0", "10001:0", False),
        ("FROM python\nUSER 0:10001", "0:10001", True),
        ("FROM python\nUSER root:app", "root:app", True),
        ("FROM company/base\nUSER root", "root", True),
        ("FROM python\nUSER $WHO", "$WHO", None),
        ("FROM python\nARG WHO\nUSER $WHO:$WHO", "$WHO:$WHO", None),
        ("FROM python\nARG WHO=app\nUSER $WHO:$WHO", "app:app", False),
        ("FROM python\nUSER app\nUSER root", "root", True),
        ("FROM python AS a\nUSER app\nFROM a\nRUN x", "app", False),
        ("FROM python AS a\nUSER app\nFROM python", None, True),
        ("FROM python\nONBUILD USER app", "$", None),
        ("FROM python\nONBUILD RUN app", None, True),
    ],
)
def test_user(dockerfile: str, user: str | None, is_root: bool | None) -> None:
    state = left_by(dockerfile)
    assert (state.user, state.is_root) == (user, is_root)


@pytest.mark.parametrize(
    ("dockerfile", "path", "expected"),
    [
        ("FROM python", "a", "/a"),
        ("FROM python", ".", "/"),
        ("FROM python", "//a/", "/a"),
        ("FROM python\nWORKDIR /app", "a/../b/", "/app/b"),
        ("FROM python\nWORKDIR /app", "./", "/app"),
        ("FROM python\nWORKDIR /app", "/b", "/b"),
        ("FROM python\nWORKDIR /app", "..", "/"),
        ("FROM python\nWORKDIR /app", "../../..", "/"),
        ("FROM python\nWORKDIR app\nWORKDIR src\nWORKDIR ../lib", "a", "/app/lib/a"),
        ("FROM python\nENV HOME=/home/app\nWORKDIR $HOME/x", "$HOME", "/home/app"),
        ("FROM python\nENV HOME=/home/app\nWORKDIR $HOME/x", "a", "/home/app/x/a"),
        ("FROM python\nWORKDIR /app", "$X/a", None),  # unknown
        ("FROM python\nWORKDIR $X", "a", None),
        ("FROM python\nWORKDIR $X\nWORKDIR a", "a", None),
        ("FROM python\nWORKDIR $X\nWORKDIR /b", "a", "/b/a"),
        ("FROM python\nWORKDIR $X", "/a", "/a"),
        ("FROM company/base", "a", None),
        ("FROM company/base", "/a", "/a"),
        ("FROM company/base\nWORKDIR app", "a", None),
        ("FROM company/base\nWORKDIR /app", "a", "/app/a"),
        ("FROM python\nWORKDIR /my app", "a", "/my app/a"),
        ("FROM python\n" + f"WORKDIR {'a' * 100}\n" * 20, "a", None),  # too long
    ],
)
def test_path_is_relative_to_the_working_directory(dockerfile: str, path: str, expected: str | None) -> None:
    assert left_by(dockerfile).path(path) == expected


@pytest.mark.parametrize(
    ("dockerfile", "text", "expected"),
    [
        ("FROM a\nENV A=1", "$A", "1"),
        ("FROM a\nENV A 1 2", "${A}", "1 2"),
        ("FROM a\nENV A=1\nENV A=2 B=$A", "$A$B", "21"),  # an ENV expands all of its values before it sets any
        ("FROM a\nARG A=1\nENV A=2", "$A", "2"),
        ("FROM a\nENV A=2\nARG A=1", "$A", "2"),
        ("FROM a\nARG A=1\nENV A=$A", "$A", "1"),
        ("FROM a\nARG A=1\nARG B=$A$A", "$B", "11"),
        ("FROM a\nARG A", "$A", None),
        ("FROM a\nARG A", "${A:-b}", "b"),
        ("FROM a\nENV A=$X", "$A", None),
        ("FROM a\nENV A=", "$A", ""),
        ("ARG A=1\nFROM a", "$A", None),  # it must be declared
        ("ARG A=1\nFROM a\nARG A", "$A", "1"),
        ("ARG A=1\nFROM a\nARG A=2", "$A", "2"),
        ("ARG A=1\nARG B=$A\nFROM a\nARG B", "$B", "1"),
        ("FROM a AS x\nARG A=1\nENV B=2\nFROM x", "$A$B", "12"),
        ("FROM a AS x\nARG A=1\nFROM a", "$A", None),
        ("FROM python", "$PATH", "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("FROM company/base", "$PATH", None),
    ],
)
def test_variables_are_expanded(dockerfile: str, text: str, expected: str | None) -> None:
    assert left_by(dockerfile).expand(text) == expected


@pytest.mark.parametrize(
    ("dockerfile", "shell"),
    [
        ("FROM a", None),
        ('FROM a\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]', "bash"),
        ('FROM a AS x\nSHELL ["/bin/bash", "-c"]\nFROM x', "bash"),
        ('FROM a\nSHELL ["/bin/bash", "-c"]\nSHELL ["sh", "-c"]', "sh"),
    ],
)
def test_shell(dockerfile: str, shell: str | None) -> None:
    assert left_by(dockerfile).shell == shell


def test_step_runs_in_the_state_of_earlier_steps() -> None:
    steps = Dockerfile.parse("FROM python\nUSER a\nWORKDIR /a\nUSER b\nRUN c").published.steps
    assert [(step.state.user, step.state.workdir) for step in steps] == [
        (None, None),
        (None, None),
        ("a", None),
        ("a", "/a"),
        ("b", "/a"),
    ]


def test_state_without_an_image_is_unknown() -> None:
    assert State.on(None) == State(is_bare=False)
    assert State.on(Image.parse("python")).is_bare
