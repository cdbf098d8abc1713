"""Rules about how commands are written."""

import pytest

from tests.unit.review.rules.table import fixes, lines

SLIM = "FROM python:3.12-slim\n"


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (SLIM + 'CMD ["python", "-m", "app"]', []),
        (SLIM + "CMD [ -f x ] && python app.py", []),
        (SLIM + 'RUN [ "$X" ]', []),  # a test
        (SLIM + "RUN [ 'a' = 'b' ] || true", []),
        (SLIM + 'ENTRYPOINT ["sh", "-c"]\nCMD ["python -m app"]', []),  # an argument
        (SLIM + 'CMD ["python", "-c", "import app; app.run()"]', []),
        ("FROM python:3.12-windowsservercore\n" + 'CMD ["C:\\\\a b\\\\c.exe"]', []),
        (SLIM + "CMD ['python', '-m', 'app']", [2]),
        (SLIM + 'CMD ["python", "-m", "app",]', [2]),
        (SLIM + "ENTRYPOINT ['python']", [2]),
        (SLIM + "CMD [“python”, “app.py”]", [2]),
        (SLIM + "RUN ['pip', 'list']", [2]),
        (SLIM + 'CMD ["python -m app"]', [2]),
        (SLIM + 'ENTRYPOINT ["python -m", "app"]', [2]),
        (SLIM + 'RUN ["pip list"]', [2]),
    ],
)
def test_not_json(dockerfile: str, expected: list[int]) -> None:
    assert lines("not-json", dockerfile) == expected


@pytest.mark.parametrize(
    ("instruction", "fix"),
    [
        ("CMD ['python', '-m', 'app']", 'CMD ["python", "-m", "app"]'),
        ('ENTRYPOINT ["python -m", "app"]', 'ENTRYPOINT ["python", "-m", "app"]'),
        ("CMD [\"python -c 'a b'\"]", 'a string for each word: ["program", "argument"]'),
    ],
)
def test_fix_writes_out_the_json_form(instruction: str, fix: str) -> None:
    assert fixes("not-json", SLIM + instruction) == [fix]
    assert lines("shell-form-command", SLIM + instruction) == []


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (SLIM + 'CMD ["bash", "-c", "exec gunicorn --bind 0.0.0.0:$PORT app"]', []),
        (SLIM + 'CMD ["tini", "--", "/bin/sh", "-c", "exec gunicorn --bind :$PORT app"]', []),
        (SLIM + "CMD gunicorn --bind 0.0.0.0:$PORT app", []),
        (SLIM + 'ENTRYPOINT ["/srv/start"]\nCMD ["$PORT"]', []),  # a script may expand it
        (SLIM + 'ENTRYPOINT ["docker-entrypoint.sh"]\nCMD ["--port=$PORT"]', []),
        (SLIM + 'CMD ["python", "-c", "print(\'$PORT\')"]', []),
        (SLIM + 'CMD ["nginx", "-g", "log $remote_addr"]', []),  # a variable of nginx
        (SLIM + "HEALTHCHECK CMD curl http://localhost:$PORT", []),
        (SLIM + 'RUN ["sh", "-c", "pip install app==$VERSION"]', []),
        (SLIM + 'CMD ["gunicorn", "--bind", "0.0.0.0:$PORT", "app"]', [2]),
        (SLIM + 'HEALTHCHECK CMD ["curl", "http://localhost:$PORT"]', [2]),
        (SLIM + 'RUN ["pip", "install", "app==$VERSION"]', [2]),
        (SLIM + 'CMD ["gunicorn", "--bind", "0.0.0.0:${PORT:-8000}", "app"]', [2]),
        (SLIM + 'CMD ["gunicorn", "-c", "conf.py", "--bind", ":$PORT", "app"]', [2]),
        (SLIM + 'ENTRYPOINT ["gunicorn"]\nCMD ["--bind", ":$PORT", "app"]', [3]),
    ],
)
def test_exec_form_variable(dockerfile: str, expected: list[int]) -> None:
    assert lines("exec-form-variable", dockerfile) == expected


@pytest.mark.parametrize(
    ("dockerfile", "fix"),
    [
        ('CMD ["a", "$PORT", "b c"]', 'CMD ["sh", "-c", "exec a $PORT \'b c\'"]'),
        ('CMD ["a", "x $PORT"]', 'CMD ["sh", "-c", "exec a \\"x $PORT\\""]'),
        (
            'ARG PORT\nCMD ["a", "$PORT"]',
            "ENV PORT=$PORT, because an ARG is not set at run time, and a shell that expands it",
        ),
    ],
)
def test_fix_lets_a_shell_expand_the_variable(dockerfile: str, fix: str) -> None:
    assert fixes("exec-form-variable", SLIM + dockerfile) == [fix]


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (SLIM + "ENTRYPOINT a\nCMD b\nHEALTHCHECK CMD c", []),
        (SLIM + "CMD a\nFROM python:3.12-slim\nCMD b", []),
        ("FROM python:3.12-slim AS a\nCMD a\nFROM a\nCMD b", []),
        (SLIM + "CMD a\nCMD b\nCMD c", [2, 3]),
        (SLIM + "ENTRYPOINT a\nCMD b\nENTRYPOINT c", [2]),
        (SLIM + "HEALTHCHECK CMD a\nHEALTHCHECK NONE", [2]),
    ],
)
def test_overridden(dockerfile: str, expected: list[int]) -> None:
    assert lines("overridden", dockerfile) == expected


@pytest.mark.parametrize(
    ("run", "fix"),
    [
        ("cd /x && pip list", None),
        (". /opt/venv/bin/activate && pip list", None),
        ("export A=1 && make", None),
        ("if true; then cd /x; fi", None),
        ("(cd /x)", None),
        ("make || cd /x", None),
        ("cd", None),
        (". /opt/venv/bin/activate", "ENV PATH=/opt/venv/bin:$PATH"),
        ("python -m venv /v && . /v/bin/activate", "ENV PATH=/v/bin:$PATH"),
        ("source ~/.cargo/env", "ENV with the variables that the file sets"),
        ("cd /srv", "WORKDIR /srv"),
        ("conda activate app", "`conda run -n app …` in each RUN"),
        ("export A=1 B=2", "ENV A=1 B=2"),
    ],
)
def test_lost_between_runs(run: str, fix: str | None) -> None:
    assert fixes("lost-between-runs", f"{SLIM}RUN {run}\n") == ([fix] if fix else [])


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (SLIM + "RUN . /x && a", []),
        (SLIM + 'RUN bash -c "source /x && a"', []),
        (SLIM + 'SHELL ["/bin/bash", "-c"]\nRUN source /x && a', []),
        (SLIM + "RUN echo source of all", []),
        (SLIM + "RUN source /x || . /x", []),
        ("FROM alpine\nRUN source /x && a", []),  # ash supports it
        ("FROM company/base\nRUN source /x && a", []),
        (SLIM + "RUN source /x", []),  # another rule reports that it has no effect
        (SLIM + "RUN source /x && a", [2]),
        (SLIM + "RUN a && \\\n    source /x && b", [2]),
    ],
)
def test_source_in_sh(dockerfile: str, expected: list[int]) -> None:
    assert lines("source-in-sh", dockerfile) == expected
