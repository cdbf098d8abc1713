"""Rules about the start command and the health check."""

import pytest

from app.review.report import review
from tests.unit.review.rules.table import fixes, lines

SLIM = "FROM python:3.12-slim\n"


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (SLIM + "ENV PYTHONUNBUFFERED=1\nCMD python -m app", []),
        (SLIM + "ENV PYTHONUNBUFFERED 1\nCMD python -m app", []),
        (SLIM + "ENV PYTHONUNBUFFERED=$UNKNOWN\nCMD python -m app", []),
        ("FROM python:slim AS base\nENV PYTHONUNBUFFERED=1\nFROM base\nCMD python -m app", []),
        (SLIM + 'CMD ["python", "-u", "-m", "app"]', []),
        (SLIM + "CMD python -Ou app.py", []),
        (SLIM + "CMD PYTHONUNBUFFERED=1 python app.py", []),
        (SLIM + 'CMD ["python", "-X", "dev", "-W", "error", "-u", "app.py"]', []),
        (SLIM + 'CMD ["celery", "-A", "app", "worker"]', []),  # it logs printed output
        (SLIM + 'CMD ["uv", "sync"]', []),
        (SLIM + 'CMD ["uv", "pip", "gunicorn"]', []),
        (SLIM + 'ENTRYPOINT ["python"]\nCMD ["-u", "app.py"]', []),
        (SLIM + "ENV PYTHONUNBUFFERED=x\nCMD python app.py", []),
        ("FROM python:slim AS base\nENV PYTHONUNBUFFERED=1\nFROM python:slim\nCOPY --from=base /x /x\nCMD nginx", []),
        (SLIM + 'ENTRYPOINT ["env", "PYTHONUNBUFFERED=1", "python", "app.py"]', []),
        (SLIM, []),  # nothing starts
        (SLIM + 'CMD ["/srv/server"]', []),  # unknown
        (SLIM + 'CMD ["bash", "start.sh"]', []),  # unknown
        ("FROM company/base\nCMD python app.py", []),  # unknown
        (SLIM + "CMD python app.py\nCMD []", []),
        (SLIM + 'CMD ["python", "app.py"]', [1]),
        (SLIM + 'CMD ["uvicorn", "app.main:app"]', [1]),
        (SLIM + 'ENTRYPOINT ["python", "-m"]\nCMD ["app"]', [1]),
        (SLIM + 'ENTRYPOINT ["tini", "--"]\nCMD ["gunicorn", "app"]', [1]),
        (SLIM + "CMD exec /usr/local/bin/python3.12 app.py -u", [1]),
        (SLIM + "ENV PYTHONUNBUFFERED=\nCMD python app.py", [1]),
        (SLIM + "ENV PYTHONUNBUFFERED=0\nCMD python app.py", [1]),  # 0 means no
        (SLIM + 'CMD ["uv", "run", "--no-sync", "fastapi", "run"]', [1]),
        (SLIM + 'ENTRYPOINT ["poetry", "run"]\nCMD ["python", "-m", "app"]', [1]),
        (SLIM + 'CMD ["python", "-m", "app", "-u"]', [1]),
        (SLIM + 'ENTRYPOINT python\nCMD ["-u"]', [1]),
        (SLIM + 'ENTRYPOINT ["python"]\nCMD -u', [1]),
        (SLIM + "CMD python -O app.py", [1]),
        (SLIM + 'CMD ["python", "-c", "-u"]', [1]),
        (SLIM + 'ENTRYPOINT ["/usr/bin/tini", "-g", "--", "dumb-init", "python", "app.py"]', [1]),
        (SLIM + "ARG PYTHONUNBUFFERED=1\nCMD python app.py", [1]),
        ("FROM python:slim AS base\nENV PYTHONUNBUFFERED=1\nFROM python:slim\nCMD python app.py", [3]),
    ],
)
def test_buffered_output(dockerfile: str, expected: list[int]) -> None:
    assert lines("buffered-output", dockerfile) == expected


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ('CMD ["uvicorn", "app"]', []),
        ('CMD ["fastapi", "run"]', []),
        ('CMD ["uvicorn", "--reload"]\nCMD ["uvicorn"]', []),
        ('CMD ["uvicorn", "--reload"]\nFROM python:slim', []),
        ("RUN uvicorn --reload", []),
        ('FROM python:slim AS dev\nCMD ["uvicorn", "--reload"]', []),  # as its name says
        ('CMD ["uvicorn", "app", "--reload-dir", "app"]', []),
        ("ENTRYPOINT /start --reload-config x", []),
        ('CMD ["python", "manage.py", "runserver", "--noreload"]', []),
        ('CMD ["flask", "run"]', []),
        ('CMD ["fastapi", "run", "dev"]', []),
        ('CMD ["app", "--debug"]', []),
        ('CMD ["app", "dev"]', []),
        ("CMD " + "tini " * 9_000 + "uvicorn --reload", [2]),
        ('CMD ["uvicorn", "app", "--reload"]', [2]),
        ("CMD uvicorn app --reload", [2]),
        ('CMD ["fastapi", "dev", "app.py"]', [2]),
        ('CMD ["flask", "run", "--debug"]', [2]),
        ('ENTRYPOINT ["uvicorn"]\nCMD ["app", "--reload"]', [3]),
        ('CMD ["uv", "run", "fastapi", "dev"]', [2]),
        ('CMD ["python", "manage.py", "runserver", "0.0.0.0:8000"]', [2]),
        ("CMD django-admin runserver", [2]),
        ('CMD ["gunicorn", "--reload=true", "app"]', [2]),
        ('CMD ["flask", "--debugger", "run"]', [2]),
        ("CMD migrate && uvicorn app --reload", [2]),
        ('ENTRYPOINT ["tini", "-g", "--", "gunicorn", "--reload"]', [2]),
        ("FROM company/base\nCMD uvicorn --reload", [3]),
    ],
)
def test_reload_in_production(dockerfile: str, expected: list[int]) -> None:
    assert lines("reload-in-production", SLIM + dockerfile) == expected


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (SLIM + 'CMD ["uvicorn", "app"]', []),
        (SLIM + "CMD exec uvicorn app", []),
        (SLIM + "CMD migrate && exec uvicorn app", []),
        (SLIM + 'ENTRYPOINT exec uvicorn "$0" "$@"', []),
        (SLIM + 'CMD ["sh", "-c", "exec uvicorn app"]', []),
        (SLIM + "CMD trap 'kill $!' TERM; uvicorn app & wait", []),  # unknown
        (SLIM + 'ENTRYPOINT ["docker-entrypoint.sh"]\nCMD uvicorn app', []),  # unknown
        (SLIM + "CMD uvicorn app\nFROM python:slim", []),
        (SLIM + "CMD uvicorn app\nCMD []", []),
        (SLIM + 'SHELL ["/bin/bash", "-c"]\nCMD uvicorn app', []),  # the last command replaces bash
        (SLIM + 'CMD ["bash", "-c", "migrate; uvicorn app"]', []),
        (SLIM + 'SHELL ["/bin/bash", "-c"]\nCMD migrate > log && uvicorn app', []),
        (SLIM + 'CMD ["bash", "-c", "set -e\\nmigrate\\nuvicorn app"]', []),
        (SLIM + "CMD A=1 exec uvicorn app", []),
        (SLIM + "CMD if [ -f x ]; then exec uvicorn app; else exec uvicorn other; fi", []),
        ("FROM fedora:42\nCMD uvicorn app", []),  # its sh is bash
        ("FROM python:3.12-windowsservercore\nCMD uvicorn app", []),
        ("FROM python:3.12-alpine\nCMD uvicorn app > log", []),
        ("FROM python:3.12-alpine\nCMD test -f x || uvicorn app", []),
        ("FROM python:3.12-alpine\nCMD migrate && uvicorn app", []),  # so does BusyBox
        ("FROM company/base\nCMD uvicorn app", []),  # unknown
        (SLIM + 'CMD ["bash", "start.sh"]', []),  # unknown
        (SLIM + 'CMD ["sh"]', []),
        (SLIM + 'CMD ["sh", "-x", "start app"]', []),
        (SLIM + 'CMD ["python", "-c", "a | b"]', []),
        (SLIM + "CMD A=1", []),
        ("FROM company/base\nCMD a | b", []),  # unknown: it may have an ENTRYPOINT
        ("ARG I\nFROM $I\nCMD a | b", []),
        (SLIM + "CMD uvicorn app", [2]),
        (SLIM + "ENTRYPOINT uvicorn app", [2]),
        (SLIM + 'ENTRYPOINT uvicorn app\nCMD ["x"]', [2]),
        (SLIM + 'CMD ["sh", "-c", "migrate && uvicorn app"]', [2]),
        (SLIM + "CMD A=1 uvicorn app", [2]),
        (SLIM + "CMD uvicorn app || exit 1", [2]),
        (SLIM + "CMD uvicorn app --port $PORT", [2]),
        (SLIM + 'CMD ["/bin/sh", "-c", "uvicorn app"]', [2]),
        (SLIM + 'CMD ["dash", "-c", "uvicorn app"]', [2]),
        (SLIM + 'SHELL ["/bin/bash", "-c"]\nCMD uvicorn app 2>&1', [3]),
        ("FROM ghcr.io/astral-sh/uv:python3.12-bookworm-slim\nCMD uvicorn app", [2]),
        ('FROM alpine AS a\nCMD x\nFROM python:slim AS b\nCMD uvicorn app\nFROM b\nSHELL ["bash", "-c"]', [4]),
        (SLIM + 'CMD ["/bin/bash", "-ec", "uvicorn app | tee log"]', [2]),
        ("FROM python:3.12-alpine\nCMD uvicorn app | tee log", [2]),
        ("FROM python:slim AS base\nCMD uvicorn app\nFROM base\nUSER 1", [2]),
    ],
)
def test_shell_form_command(dockerfile: str, expected: list[int]) -> None:
    assert lines("shell-form-command", dockerfile) == expected


@pytest.mark.parametrize(
    ("command", "fix"),
    [
        ('CMD uvicorn "a b"', 'CMD ["uvicorn", "a b"]'),
        ("ENTRYPOINT uvicorn", 'ENTRYPOINT ["uvicorn"]'),
        ("CMD migrate && uvicorn", "put `exec` before uvicorn, or start it in the JSON form"),
        ("CMD uvicorn --port $PORT", "put `exec` before uvicorn, or start it in the JSON form"),
        ("CMD A=1 uvicorn", "put `exec` before uvicorn, or start it in the JSON form"),
        ('CMD ["sh", "-c", "uvicorn"]', "put `exec` before uvicorn, or start it in the JSON form"),
        ("CMD uvicorn *.py", "put `exec` before uvicorn, or start it in the JSON form"),
        ("CMD (uvicorn)", "put `exec` before uvicorn, or start it in the JSON form"),
        ("CMD uvicorn | tee log", "start one program, in the JSON form or with `exec`"),
        ("CMD uvicorn || exit 1", "start one program, in the JSON form or with `exec`"),
        ("CMD celery & uvicorn", "start one program, in the JSON form or with `exec`"),
        ("CMD uvicorn 2>&1", "put `exec` before uvicorn, or start it in the JSON form"),
    ],
)
def test_fix_contains_the_working_command(command: str, fix: str) -> None:
    assert fixes("shell-form-command", SLIM + command) == [fix]


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (SLIM + "HEALTHCHECK CMD python -m app.probe", []),
        (SLIM + "HEALTHCHECK NONE", []),
        (SLIM + "HEALTHCHECK CMD curl x\nHEALTHCHECK NONE", []),
        (SLIM + "RUN apt-get update && apt-get install -y curl\nHEALTHCHECK CMD curl x", []),
        (SLIM + "RUN apt-get install -y company-tools\nHEALTHCHECK CMD curl x", []),  # unknown
        (SLIM + "RUN ./setup\nHEALTHCHECK CMD curl x", []),  # unknown
        (SLIM + "COPY --from=a /usr/bin/curl /usr/bin/\nHEALTHCHECK CMD curl x", []),
        (SLIM + "COPY --from=a / /\nHEALTHCHECK CMD curl x", []),
        (SLIM + 'HEALTHCHECK CMD ["python", "curl.py"]', []),
        (SLIM + "HEALTHCHECK CMD curl x || python -m app.probe", []),
        (SLIM + "HEALTHCHECK CMD nc -z localhost 80", []),
        (SLIM + "RUN apt-get update && apt-get install -y wget\nHEALTHCHECK CMD curl x || wget x || exit 1", []),
        (SLIM + "RUN python install_tools.py\nHEALTHCHECK CMD curl x", []),  # unknown
        (SLIM + "COPY curl /usr/bin/curl\nHEALTHCHECK CMD curl x", []),
        ("FROM gcr.io/distroless/python3-debian12:debug\nHEALTHCHECK CMD wget x", []),  # unknown
        ("FROM python:3.12\nHEALTHCHECK CMD curl x", []),
        ("FROM python:3.12-alpine\nHEALTHCHECK CMD wget x", []),
        ("FROM company/base\nHEALTHCHECK CMD curl x", []),  # unknown
        ("FROM python:slim AS a\nRUN apt-get install curl\nFROM a\nHEALTHCHECK CMD curl x", []),
        (SLIM + "HEALTHCHECK --interval=5s CMD curl -f http://127.0.0.1/ || exit 1", [2]),
        (SLIM + 'HEALTHCHECK CMD ["/usr/bin/curl", "x"]', [2]),
        (SLIM + 'HEALTHCHECK CMD ["sh", "-c", "wget x || exit 1"]', [2]),
        (SLIM + "HEALTHCHECK CMD wget x", [2]),
        (SLIM + 'HEALTHCHECK CMD "curl"', [2]),
        (SLIM + "HEALTHCHECK CMD curl x || wget x || exit 1", [2]),
        ("FROM python:slim AS a\nHEALTHCHECK CMD curl x\nFROM a\nCMD b", [2]),
        (SLIM + "RUN python manage.py collectstatic && python -c 1\nHEALTHCHECK CMD curl x", [3]),
        (
            "FROM ghcr.io/astral-sh/uv:1 AS uv\nFROM python:slim\nCOPY --from=uv /uv /bin/\nHEALTHCHECK CMD curl x",
            [4],
        ),
        ("FROM python:3.12-alpine\nHEALTHCHECK CMD curl x", [2]),
        ("FROM debian:12\nRUN apt-get update && apt-get install -y gcc libpq5=15 wget\nHEALTHCHECK CMD curl x", [3]),
        (
            "FROM python:slim AS a\nRUN true\nFROM python:slim\nCOPY --from=a /x /x\nHEALTHCHECK CMD curl x",
            [5],
        ),
    ],
)
def test_healthcheck_tool(dockerfile: str, expected: list[int]) -> None:
    assert lines("healthcheck-tool", dockerfile) == expected


@pytest.mark.parametrize(
    ("dockerfile", "fix"),
    [
        (SLIM + "HEALTHCHECK CMD curl -f http://localhost:80/up || exit 1", "http://localhost:80/up"),
        (SLIM + "HEALTHCHECK CMD curl --fail localhost:${PORT}/up", "http://localhost:${PORT}/up"),
        (SLIM + 'HEALTHCHECK CMD ["wget", "-q", "http://127.0.0.1:1/"]', "http://127.0.0.1:1/"),
        (SLIM + "HEALTHCHECK CMD curl $URL", "http://127.0.0.1:8000/"),
    ],
)
def test_fix_requests_the_same_url_with_python(dockerfile: str, fix: str) -> None:
    expected = f"CMD python -c \"import urllib.request as r; r.urlopen('{fix}', timeout=2)\""
    assert fixes("healthcheck-tool", dockerfile) == [expected]


def test_fix_installs_the_program_without_python() -> None:
    assert fixes("healthcheck-tool", "FROM debian\nHEALTHCHECK CMD curl x") == ["install curl in this stage"]


@pytest.mark.parametrize(
    ("dockerfile", "reason"),
    [
        (SLIM + "CMD uvicorn app", "uvicorn is started without PYTHONUNBUFFERED"),
        (SLIM + "ENV PYTHONUNBUFFERED=0\nCMD python app.py", "python is started without PYTHONUNBUFFERED"),
        ("FROM a AS x\n" + SLIM + "CMD python app.py", "python is started without PYTHONUNBUFFERED"),
        (
            "FROM a AS x\nENV PYTHONUNBUFFERED=1\n" + SLIM + "CMD python app.py",
            "a stage on a fresh base image does not inherit PYTHONUNBUFFERED from stage x",
        ),
    ],
)
def test_message_says_why_the_output_is_buffered(dockerfile: str, reason: str) -> None:
    findings = review(dockerfile).findings
    (message,) = (finding.message for finding in findings if finding.rule == "buffered-output")
    assert message == f"what the service prints is buffered: {reason}"


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ('CMD ["sh", "-c", "alembic upgrade head && exec uvicorn app"]', []),
        ("CMD exec sh -c 'a && exec uvicorn app'", []),
        ("STOPSIGNAL SIGKILL\nCMD uvicorn app", []),
        ('ENTRYPOINT ["tini", "-g", "--"]\nCMD uvicorn app', []),  # it signals the whole process group
        ('ENTRYPOINT ["dumb-init", "--"]\nCMD uvicorn app', []),  # so does dumb-init
        ('ENV TINI_KILL_PROCESS_GROUP=1\nENTRYPOINT ["tini", "--"]\nCMD uvicorn app', []),
        ('ENTRYPOINT ["tini", "--"]\nCMD exec uvicorn app', []),
        ('ENTRYPOINT ["tini", "--"]\nCMD ["uvicorn", "app"]', []),
        ('CMD sh -c "a && exec uvicorn app"', [2]),  # exec replaces only the inner shell
        ("CMD exec sh -c 'a && uvicorn app'", [2]),
        ("CMD uvicorn --workers $(nproc) app", [2]),
        ("CMD while true; do python -m job; done", [2]),
        ('ENTRYPOINT ["tini", "--"]\nCMD uvicorn app; true', [3]),
        ('ENTRYPOINT ["tini", "--", "sh", "-c", "uvicorn app; true"]', [2]),
    ],
)
def test_shell_that_does_not_forward_signals_is_found(start: str, expected: list[int]) -> None:
    assert lines("shell-form-command", SLIM + start) == expected


@pytest.mark.parametrize(
    ("start", "fix"),
    [
        ("CMD gunicorn --workers $(nproc) app", "put `exec` before gunicorn, or start it in the JSON form"),
        ("CMD while true; do a; sleep 9; done", "start one program, in the JSON form or with `exec`"),
        ("CMD gunicorn app; true", "start one program, in the JSON form or with `exec`"),
        ('CMD sh -c "a && exec uvicorn app"', 'CMD ["sh", "-c", "a && exec uvicorn app"]'),
        ('CMD sh -c "a && uvicorn app"', 'CMD ["sh", "-c", "a && uvicorn app"], with `exec` before uvicorn'),
        ("CMD uvicorn app --reload", 'CMD ["uvicorn", "app"]'),  # another rule reports --reload
    ],
)
def test_fix_lets_the_service_replace_the_shell(start: str, fix: str) -> None:
    assert fixes("shell-form-command", SLIM + start) == [fix]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ('CMD ["uvicorn", "app:app", "--host", "0.0.0.0"]', []),
        ('CMD ["uvicorn", "app:app", "--host=::"]', []),
        ('CMD ["uvicorn", "app:app", "--uds", "/run/app.sock"]', []),
        ("CMD uvicorn app:app --host $HOST", []),
        ("CMD uvicorn app:app $OPTIONS", []),
        ('ENV UVICORN_HOST=0.0.0.0\nCMD ["uvicorn", "app:app"]', []),
        ('ENTRYPOINT ["uvicorn"]', []),
        ('CMD ["gunicorn", "app:app"]', []),  # gunicorn.conf.py may set it
        ('CMD ["gunicorn", "-b0.0.0.0:80", "app:app"]', []),
        ('CMD ["fastapi", "run"]', []),
        ('CMD ["flask", "routes"]', []),
        ("CMD python manage.py runserver 0.0.0.0:8000", []),
        ("CMD nginx && exec uvicorn app:app", []),  # nginx forwards requests to it
        ('CMD ["uvicorn", "app:app"]', [2]),
        ('CMD ["python", "-m", "uvicorn", "app:app", "--port", "80"]', [2]),
        ('CMD ["uv", "run", "uvicorn", "app:app", "--host", "127.0.0.1"]', [2]),
        ('ENTRYPOINT ["tini", "--"]\nCMD ["hypercorn", "app:app"]', [3]),
        ('CMD ["gunicorn", "--bind", "localhost:8000", "app:app"]', [2]),
        ("CMD flask --app app run", [2]),
        ("CMD python manage.py runserver", [2]),
        ('CMD ["sanic", "app"]', [2]),
    ],
)
def test_loopback(start: str, expected: list[int]) -> None:
    assert lines("loopback", SLIM + start) == expected


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("ENV FLASK_DEBUG=0\nCMD flask run", []),
        ("ENV UVICORN_RELOAD=1\nCMD gunicorn app", []),
        ('CMD ["python", "-m", "flask", "run", "--debug"]', [2]),
        ("ENV FLASK_DEBUG=1\nCMD flask run", [2]),
        ("CMD watchfiles 'python -m app'", [2]),
    ],
)
def test_reloading_by_variables_and_other_programs_is_found(dockerfile: str, expected: list[int]) -> None:
    assert lines("reload-in-production", SLIM + dockerfile) == expected


@pytest.mark.parametrize(
    ("start", "fix"),
    [
        ('CMD ["uvicorn", "app:app"]', "uvicorn … --host 0.0.0.0"),
        ('CMD ["hypercorn", "app:app"]', "hypercorn … --bind 0.0.0.0:8000"),
        ('CMD ["daphne", "app:app"]', "daphne … -b 0.0.0.0"),
        ("CMD python manage.py runserver", "python … runserver 0.0.0.0:8000"),
        ("CMD uvicorn app:app --host localhost", "use 0.0.0.0"),
    ],
)
def test_fix_uses_the_option_of_the_server(start: str, fix: str) -> None:
    assert fixes("loopback", SLIM + start) == [fix]
