"""Rules about the container that runs."""

import pytest

from app.review.image import BARE
from app.review.rules.runtime import PRIVILEGE_DROPPERS
from tests.review.rules.table import fixes, lines


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
        ("FROM python:slim\nARG NAME\nUSER $NAME", []),  # not known
        ("FROM company/base", []),  # not known
        ("ARG IMAGE\nFROM $IMAGE", []),  # not known
        ('FROM python:slim\nENTRYPOINT ["gosu", "appuser", "uvicorn"]', []),
        ('FROM python:slim\nENTRYPOINT ["tini", "--"]\nCMD ["gosu", "appuser", "uvicorn"]', []),
        ('FROM python:slim\nENTRYPOINT ["/usr/bin/dumb-init", "--", "/sbin/su-exec", "appuser", "x"]', []),
        ('FROM python:slim\nCMD ["gunicorn", "--user=appuser", "app:app"]', []),
        ('FROM python:slim\nENTRYPOINT ["docker-entrypoint.sh"]', []),  # not known
        ('FROM python:slim\nENTRYPOINT ["/entrypoint"]', []),  # not known
        ('FROM python:slim\nENTRYPOINT ["/usr/bin/tini", "--", "docker-entrypoint.sh"]', []),  # not known
        ('FROM python:slim\nENTRYPOINT ["bash", "/entrypoint.sh"]', []),  # not known
        ("FROM python:slim AS build\nFROM scratch\nCOPY --from=build /wheels /", []),  # a way out for files
        ("FROM python:slim\nENTRYPOINT exec setpriv --reuid 10001 uvicorn", []),
        ("FROM python:slim", [1]),
        ("FROM ghcr.io/astral-sh/uv:python3.12-bookworm-slim", [1]),
        ('FROM scratch\nCMD ["/app"]', [1]),
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
        ("FROM scratch\nCMD /app", "USER 10001"),
    ],
)
def test_the_user_is_made_with_what_the_image_has(dockerfile: str, fix: str) -> None:
    assert fixes("root-user", dockerfile) == [fix]


@pytest.mark.parametrize("image", sorted(BARE - {"scratch"}))
def test_root_runs_what_is_built_on_a_bare_image(image: str) -> None:
    assert lines("root-user", f"FROM {image}\nCMD a") == [1]


@pytest.mark.parametrize("word", sorted(PRIVILEGE_DROPPERS))
def test_a_start_command_may_drop_privileges(word: str) -> None:
    assert lines("root-user", f'FROM python:slim\nCMD ["tini", "{word}", "appuser"]') == []
