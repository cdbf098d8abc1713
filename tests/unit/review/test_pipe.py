"""Reviews over pipes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.review import pipe, report

COMMAND = [sys.executable, "-m", "app.review.pipe"]


def test_answers_each_line_with_a_line(project: Path) -> None:
    questions = [("text/plain", "FROM scratch\n", None), ("text/plain", "", None), ("application/json", "FROM a\n", "")]
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    done = subprocess.run(COMMAND, cwd=project, input=lines, capture_output=True, text=True, timeout=30, check=True)
    first, second, third = [json.loads(line) for line in done.stdout.splitlines()]
    assert first["review"].startswith("Dockerfile")
    assert second["problem"]["line"] == 1
    assert second["problem"]["detail"].startswith("line 1: no FROM")
    assert set(json.loads(third["review"])) == {"findings", "stages", "counts", "ignored", "unjudged"}
    assert done.stderr == ""


def test_too_long_dockerignore_is_a_problem() -> None:
    problem = pipe.answer("text/plain", "FROM a\nCOPY . .\n", "[a]*\n" * 20_000)["problem"]
    assert problem["detail"].startswith(".dockerignore, line ")


@pytest.mark.parametrize("media_type", pipe.MEDIA_TYPES)
@pytest.mark.parametrize(
    "text",
    [
        f"FROM python:{'9' * 5000}-slim\nRUN adduser a\n",
        f"FROM python:3.12-slim\nRUN --mount=type=cache,target=/root/.cache/pip,uid={'9' * 5000} pip install a\n",
        f"FROM python:3.12-slim\nHEALTHCHECK CMD {'[' * 9000}\n",
        f"FROM python:3.12-slim\nCMD {'[' * 4000}{']' * 4000}\n",
        f"FROM python:3.12-slim\nRUN {'sudo ' * 5000}a\n",
    ],
    ids=["a long version", "a long user id", "open brackets", "closed brackets", "prefixes"],
)
def test_very_long_text_is_reviewed_or_rejected(media_type: str, text: str) -> None:
    assert "failure" not in pipe.answer(media_type, text, None)


def test_long_number_in_the_json_form_is_rejected() -> None:
    problem = pipe.answer("text/plain", f"FROM a\nCMD [{'9' * 5000}]\n", None)["problem"]
    assert problem["detail"] == "line 2: the JSON form may contain only strings"


@pytest.mark.parametrize("media_type", pipe.MEDIA_TYPES)
def test_lone_surrogate_in_the_json_form_is_replaced(media_type: str) -> None:
    answer = pipe.answer(media_type, 'FROM python:3.12-slim\nCOPY ["\\ud800.key", "/y/"]\n', None)
    assert "\N{REPLACEMENT CHARACTER}.key can be read in the image" in answer["review"].encode().decode(
        "unicode_escape" if media_type.endswith("json") else "utf-8"
    )


def test_failure_of_the_reviewer_is_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipe, "review", lambda *_: 1 // 0)
    failure = pipe.answer("text/plain", "FROM a\n", None)["failure"]
    assert failure.splitlines()[-1].startswith("ZeroDivisionError")


def test_interrupts_are_ignored(project: Path) -> None:
    with subprocess.Popen(COMMAND, cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        line = json.dumps(("text/plain", "FROM scratch", None)) + "\n"
        for _ in range(2):
            process.stdin.write(line)
            process.stdin.flush()
            assert "review" in json.loads(process.stdout.readline())
            os.kill(process.pid, signal.SIGINT)
        process.stdin.close()
        assert process.wait(30) == 0


def test_reviewer_imports_only_the_standard_library(project: Path) -> None:
    script = f"import sys, {pipe.__name__}; sys.exit(str(sorted({{m for m in sys.modules}} & set(sys.argv)) or ''))"
    packages = ["fastapi", "starlette", "pydantic", "uvicorn", "anyio"]
    command = [sys.executable, "-c", script, *packages]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=30, check=False)
    assert done.stderr.strip() == ""


def test_json_review_matches_the_report() -> None:
    text = "FROM python:3.12\nCOPY . .\nUSER root\n"
    found = json.loads(pipe.answer("application/json", text, None)["review"])
    assert len(found["findings"]) == len(report.review(text).findings)
