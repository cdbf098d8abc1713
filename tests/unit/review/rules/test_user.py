"""Rules about the user that the container runs as."""

import pytest

from app.review.image import BARE
from app.review.report import review
from app.review.rules.user import PRIVILEGE_DROPPERS
from tests.unit.review.rules.table import fixes, lines


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("FROM python:slim\nUSER appuser", []),
        ("FROM python:slim\nUSER 10001", []),
        ("FROM python:slim\nUSER 10001:0", []),
        ("FROM python:slim\nUSER root\nRUN true\nUSER appuser", []),
        ("FROM python:slim AS base\nUSER appuser\nFROM base", []),
        ("FROM python:slim AS dev\nUSER root\nFROM python:slim\nUSER appuser", []),
        ("FROM python:slim\nENV NAME=appuser\nUSER $NAME", []),
        ("ARG NAME=appuser\nFROM python:slim\nARG NAME\nUSER ${NAME}", []),
        ("FROM python:slim\nARG NAME\nUSER $NAME", []),  # unknown
        ("FROM company/base", []),  # unknown
        ("ARG IMAGE\nFROM $IMAGE", []),  # unknown
        ('FROM python:slim\nENTRYPOINT ["gosu", "appuser", "uvicorn"]', []),
        ('FROM python:slim\nENTRYPOINT ["tini", "--"]\nCMD ["gosu", "appuser", "uvicorn"]', []),
        ('FROM python:slim\nENTRYPOINT ["/usr/bin/dumb-init", "--", "/sbin/su-exec", "appuser", "x"]', []),
        ('FROM python:slim\nCMD ["gunicorn", "--user=appuser", "app:app"]', []),
        ('FROM python:slim\nENTRYPOINT ["docker-entrypoint.sh"]', []),  # unknown
        ('FROM python:slim\nENTRYPOINT ["/entrypoint"]', []),  # unknown
        ('FROM python:slim\nENTRYPOINT ["/usr/bin/tini", "--", "docker-entrypoint.sh"]', []),  # unknown
        ('FROM python:slim\nENTRYPOINT ["bash", "/entrypoint.sh"]', []),  # unknown
        ("FROM python:slim AS build\nFROM scratch\nCOPY --from=build /wheels /", []),  # it only exports files
        ("FROM python:slim\nENTRYPOINT exec setpriv --reuid 10001 uvicorn", []),
        ('FROM python:slim\nCMD ["/start"]', []),  # unknown
        ('FROM python:slim\nCMD ["bash", "start.sh"]', []),  # unknown
        ('FROM python:slim\nCMD ["bash", "entrypoint"]', []),  # unknown
        ('FROM python:slim\nENTRYPOINT ["init"]', []),  # unknown
        ("FROM python:slim\nCMD ./run --port 8000", []),  # unknown
        ('FROM python:slim\nCMD ["supervisord", "-n"]', []),  # its settings select the users
        ("FROM gcr.io/distroless/python3-debian12:nonroot", []),
        ("FROM gcr.io/distroless/python3:debug-nonroot", []),
        ("FROM python:3.12-windowsservercore-ltsc2025\nCMD python app.py", []),
        ("FROM ghcr.io/astral-sh/uv:0.9", []),  # unknown
        ("FROM python:slim AS a\nONBUILD USER app\nFROM a\nCMD b", []),
        ("FROM python:slim", [1]),
        ("FROM ghcr.io/astral-sh/uv:python3.12-bookworm-slim", [1]),
        ('FROM scratch\nCMD ["app"]', [1]),
        ('FROM scratch\nCMD ["/app"]', [1]),  # not a script: there is no shell
        ('FROM python:slim\nCMD ["/app/.venv/bin/gunicorn", "app"]', [1]),
        ("FROM python:slim\nCMD /usr/local/bin/uvicorn app", [1]),
        ("FROM gcr.io/distroless/python3-debian12", [1]),
        ("FROM gcr.io/distroless/python3:debug", [1]),
        ("FROM python:slim\nONBUILD USER app\nUSER root\nCMD a", [3]),
        ("FROM debian:13 AS a\nUSER b\nFROM debian:13 AS c\nCMD d", [3]),
        ("FROM python:slim AS base\nFROM base AS production\nCMD a", [2]),
        ("FROM python:slim\nUSER root", [2]),
        ("FROM python:slim\nUSER 0", [2]),
        ("FROM company/base\nUSER root:root", [2]),
        ("FROM python:slim\nUSER appuser\nRUN true\nUSER 0:0", [4]),
        ("FROM python:slim\nENV NAME=root\nUSER $NAME", [3]),
        ("FROM python:slim\nUSER ${NAME:-root}", [2]),
        ("FROM python:slim\nRUN useradd appuser\nCMD uvicorn", [1]),
    ],
)
def test_root_user(dockerfile: str, expected: list[int]) -> None:
    assert lines("root-user", dockerfile) == expected


@pytest.mark.parametrize(
    ("dockerfile", "fix"),
    [
        ("FROM python:slim", "RUN useradd --no-create-home --uid 10001 appuser, then USER 10001"),
        ("FROM python:3.12-alpine3.20", "RUN adduser -D -H -u 10001 appuser, then USER 10001"),
        ("FROM alpine", "RUN adduser -D -H -u 10001 appuser, then USER 10001"),
        ("FROM scratch\nCMD app", "USER 10001"),
        ("FROM gcr.io/distroless/python3", "USER 10001"),
        ("FROM amazonlinux:2023", "USER 10001"),  # without useradd
        ("FROM ghcr.io/astral-sh/uv:alpine", "RUN adduser -D -H -u 10001 appuser, then USER 10001"),
        ("FROM ubuntu", "RUN useradd --no-create-home --uid 10001 appuser, then USER 10001"),
        ("FROM debian\nRUN mkdir /x", "RUN useradd --no-create-home --uid 10001 appuser, then USER 10001"),
        ("FROM python:slim\nRUN useradd -mu 1000 app", "USER 1000, the user that line 2 creates"),
        ("FROM python:slim\nRUN useradd app", "USER <number>, the user that line 2 creates"),
    ],
)
def test_fix_creates_the_user_with_tools_of_the_image(dockerfile: str, fix: str) -> None:
    assert fixes("root-user", dockerfile) == [fix]


@pytest.mark.parametrize("image", sorted(BARE - {"scratch"}))
def test_bare_image_runs_as_root(image: str) -> None:
    assert lines("root-user", f"FROM {image}\nCMD a") == [1]


@pytest.mark.parametrize("word", sorted(PRIVILEGE_DROPPERS))
def test_start_command_may_drop_privileges(word: str) -> None:
    assert lines("root-user", f'FROM python:slim\nCMD ["tini", "{word}", "appuser"]') == []


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("FROM python:slim\nUSER 10001", []),
        ("FROM python:slim\nUSER 10001:app", []),
        ("FROM python:slim\nUSER $WHO", []),  # unknown
        ("FROM python:slim\nUSER root", []),  # root-user
        ("FROM python:slim\nUSER app\nUSER 10001", []),
        ("FROM python:slim AS a\nUSER app\nFROM python:slim\nUSER 1", []),
        ("FROM company/base", []),  # unknown
        ("FROM python:slim\nUSER app", [2]),
        ("FROM python:slim\nUSER app:app", [2]),
        ("FROM company/base\nENV WHO=app\nUSER $WHO", [3]),
        ("FROM python:slim AS a\nUSER app\nFROM a", [2]),
    ],
)
def test_named_user(dockerfile: str, expected: list[int]) -> None:
    assert lines("named-user", dockerfile) == expected


@pytest.mark.parametrize(
    ("run", "fix"),
    [
        ("useradd --uid 10001 app", "USER 10001"),
        ("useradd -u 999 --no-create-home app", "USER 999"),
        ("adduser --disabled-password --uid=1234 app", "USER 1234"),
        ("adduser --uid ${ID:-77} app", "USER 77"),
        ("chown -u 5 app && useradd -u 7 app", "USER 7"),
        ("useradd -m -r -u 1001 -g app app", "USER 1001"),
        ("useradd --uid 10001 other", "create app with the user id 10001, then USER 10001"),
        ("useradd --uid $ID app", "create app with `--uid 10001`, then USER 10001"),
        ("useradd --uid x app", "create app with `--uid 10001`, then USER 10001"),
        ("useradd app", "create app with `--uid 10001`, then USER 10001"),
    ],
)
def test_fix_uses_the_number_of_the_user(run: str, fix: str) -> None:
    assert fixes("named-user", f"FROM python:slim\nRUN {run}\nUSER app") == [fix]


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("FROM python:3.12-slim\nRUN useradd app", []),
        ("FROM python:3.12-slim-bookworm\nRUN adduser app", []),
        ("FROM python:3.12.4-slim\nRUN adduser app", []),  # built before Debian 13
        ("FROM python:3.8-slim\nRUN adduser app", []),
        ("FROM python:3.12-slim@sha256:0\nRUN adduser app", []),  # it may be of any age
        ("FROM python:3.12-alpine\nRUN adduser -D app", []),
        ("FROM python:3.12\nRUN adduser app", []),  # unknown
        ("FROM ubuntu\nRUN adduser app", []),  # unknown
        ("FROM company/base\nRUN adduser app", []),  # unknown
        ("FROM ghcr.io/astral-sh/uv:python3.12-bookworm-slim\nRUN adduser app", []),
        ("FROM python:slim\nRUN apt-get update && apt-get install -y adduser && adduser app", []),
        ("FROM python:slim AS a\nRUN apt-get install -y adduser\nFROM a\nRUN adduser app", []),
        ("FROM python:slim\nRUN apt-get install -y gnupg\nRUN adduser app", []),  # it installs adduser
        ("FROM python:slim\nRUN ./setup.sh\nRUN adduser app", []),  # unknown
        ("FROM python:slim\nRUN python setup_system.py\nRUN adduser app", []),  # unknown
        ("FROM python:slim\nRUN adduser app || useradd app", []),
        ("FROM python:slim\nRUN if command -v adduser; then adduser app; else useradd app; fi", []),
        ("FROM python:slim\nRUN <<E\nif which adduser; then adduser app; else useradd app; fi\nE", []),
        ("FROM python:slim\nCOPY --from=debian:12 /usr/sbin/adduser /usr/sbin/\nRUN adduser app", []),
        ("FROM amazonlinux\nRUN adduser app", []),  # unknown
        ("FROM python:slim\nRUN echo adduser", []),
        ("FROM python:3.12-slim\nRUN adduser --disabled-password app", [2]),
        ("FROM python:slim\nRUN addgroup app && adduser --ingroup app app", [2]),
        ("FROM python:slim\nRUN groupadd app && adduser --ingroup app app", [2]),
        ("FROM python:3.13.7-slim\nRUN adduser app", [2]),
        ("FROM python:3.14.0-slim\nRUN adduser app", [2]),
        ("FROM python:3.12-slim-trixie\nRUN adduser app", [2]),
        ("FROM ghcr.io/astral-sh/uv:python3.12-trixie-slim\nRUN adduser app", [2]),
        ("FROM debian:trixie-slim\nRUN adduser app", [2]),
        ("FROM docker.io/library/python:slim\nRUN addgroup app", [2]),
        ("FROM python:slim\nRUN apt-get update && apt-get install -y gcc libpq-dev curl\nRUN adduser app", [3]),
        ("FROM python:slim AS a\nRUN true\nFROM a\nRUN adduser app && apt-get install adduser", [4]),
    ],
)
def test_missing_adduser(dockerfile: str, expected: list[int]) -> None:
    assert lines("missing-adduser", dockerfile) == expected


def test_fix_uses_short_options_for_busybox() -> None:
    (fix,) = fixes("named-user", "FROM alpine\nRUN adduser -D app\nUSER app")
    assert fix == "create app with `-u 10001`, then USER 10001"


def test_user_name_may_be_a_build_argument() -> None:
    dockerfile = "FROM python:slim\nARG NAME=app\nARG ID=1000\nRUN useradd -u $ID ${NAME}\nUSER $NAME"
    assert fixes("named-user", dockerfile) == ["USER 1000"]


def test_missing_program_is_named_once() -> None:
    findings = review("FROM python:slim\nRUN addgroup a && adduser a && adduser b").findings
    (message,) = (finding.message for finding in findings if finding.rule == "missing-adduser")
    assert message == "python:slim has no addgroup and no adduser"


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("FROM python:slim\nUSER 10001", []),
        ("FROM python:slim\nUSER nobody", []),
        ("FROM node:22\nUSER node", []),
        ("FROM company/base\nUSER svc", []),
        ("FROM python:slim\nRUN useradd svc\nUSER svc:svc", []),
        ("FROM python:slim\nARG NAME=svc\nRUN useradd $NAME\nUSER svc", []),
        ("FROM python:slim\nRUN echo svc:x:1:1::/: >>/etc/passwd\nUSER svc", []),
        ("FROM python:slim\nRUN ./setup.sh\nUSER svc", []),
        ("FROM python:slim\nCOPY --from=x /etc/passwd /etc/passwd\nUSER svc", []),
        ("FROM python:slim AS a\nRUN useradd svc\nFROM a\nCOPY --chown=svc x /x\nUSER svc", []),
        ("FROM python:slim\nUSER svc\nRUN useradd svc", []),  # nothing runs in between
        ("FROM python:3.12-windowsservercore\nUSER ContainerUser", []),
        ("FROM python:slim\nUSER svc", [2]),
        ("FROM python:slim\nRUN useradd other\nUSER svc:0", [3]),
        ("FROM python:slim\nCOPY --chown=svc:svc x /x", [2]),
        ("FROM python:slim\nCOPY --chown=svc x /x\nRUN useradd svc\nUSER svc", [2]),
    ],
)
def test_no_such_user(dockerfile: str, expected: list[int]) -> None:
    assert lines("no-such-user", dockerfile) == expected


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("FROM python:slim\nRUN apt-get update", []),
        ("FROM company/base\nRUN apt-get update", []),
        ("FROM python:slim\nUSER 1\nUSER root\nRUN apt-get update", []),
        ("FROM python:slim\nUSER 1\nRUN sudo apt-get update", []),
        ("FROM python:slim\nUSER 1\nRUN apt-get --version && pip install a", []),
        ("FROM python:slim\nUSER 1\nRUN apt-get update || true", []),
        ("FROM python:slim\nUSER $WHO\nRUN apt-get update", []),
        ("FROM python:slim\nUSER 1\nRUN apt-get update && apt-get install -y a", [3]),
        ("FROM company/base\nUSER app\nRUN apk add a", [3]),
        ("FROM python:slim\nUSER 1\nRUN useradd b", [3]),
        ("FROM python:slim\nUSER 1\nRUN chown -R 1 /srv", [3]),
        ("FROM python:slim AS a\nUSER 1\nFROM a\nRUN apt-get -y install b", [4]),
    ],
)
def test_not_permitted(dockerfile: str, expected: list[int]) -> None:
    assert lines("not-permitted", dockerfile) == expected


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ('CMD ["gunicorn", "-u", "svc", "app"]', []),
        ('CMD ["gunicorn", "app"]', [1]),
    ],
)
def test_gunicorn_may_drop_root(dockerfile: str, expected: list[int]) -> None:
    assert lines("root-user", f"FROM python:slim\n{dockerfile}") == expected


def test_file_in_an_image_without_a_shell_is_not_a_script() -> None:
    assert lines("root-user", 'FROM gcr.io/distroless/python3-debian12\nCMD ["app/main.py"]') == [1]


def test_fix_keeps_the_group() -> None:
    assert fixes("named-user", "FROM python:slim\nRUN useradd --uid 5 svc\nUSER svc:root") == ["USER 5:root"]


def test_windows_users_have_no_numbers() -> None:
    assert lines("named-user", "FROM python:3.12-windowsservercore\nUSER ContainerUser") == []
