"""Rules about the base image."""

import pytest

from app.review.report import review
from tests.unit.review.rules.table import fixes, lines


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("FROM python:3.12-slim", []),
        ("FROM python:3.12-slim-bookworm", []),
        ("FROM python:slim", []),
        ("FROM python:3.12-alpine3.20", []),
        ("FROM python:3.12-windowsservercore-ltsc2025", []),
        ("FROM debian:13", []),
        ("FROM scratch", []),
        ("FROM bitnami/python:3.12", []),
        ("FROM registry.example/python:3.12", []),
        ("FROM python@sha256:0123", []),
        ("ARG V\nFROM python:$V", []),
        ("ARG IMAGE\nFROM $IMAGE", []),
        ("FROM python:3.12 AS builder\nFROM python:3.12-slim", []),  # the builder is not published
        ("FROM python:3.12 AS slim\nFROM python:3.12-slim AS python\nFROM python", []),
        ("FROM python", [1]),
        ("FROM python:latest", [1]),
        ("FROM python:3.12", [1]),
        ("FROM python:3.12@sha256:0123", [1]),
        ("FROM python:3.12-trixie", [1]),
        ("FROM docker.io/library/python:3.12", [1]),
        ("FROM mirror.example:5000/library/python:3.12", [1]),
        ("FROM --platform=linux/amd64 python:3.12", [1]),
        ("from python:3.12 as x", [1]),
        ("ARG V=3.12\nFROM python:${V}", [2]),
        ("ARG IMAGE=python:3.12\nFROM ${IMAGE}", [2]),
        ("FROM python:${V:-3.12}", [1]),
        ("FROM python:3.12 AS base\nFROM base AS a\nFROM a", [1]),
        ("FROM debian AS x\nFROM python:3.12 AS X\nFROM x", [2]),
    ],
)
def test_full_base_image(dockerfile: str, expected: list[int]) -> None:
    assert lines("full-base-image", dockerfile) == expected


@pytest.mark.parametrize(
    ("base", "slim"),
    [
        ("python", "python:slim"),
        ("python:latest", "python:slim"),
        ("python:3.12", "python:3.12-slim"),
        ("python:3.12-trixie", "python:3.12-slim-trixie"),
        ("python:trixie", "python:slim-trixie"),
        ("python:3.14-rc-trixie", "python:3.14-rc-slim-trixie"),
        ("docker.io/library/python:3", "docker.io/library/python:3-slim"),
    ],
)
def test_fix_names_the_slim_variant(base: str, slim: str) -> None:
    assert fixes("full-base-image", f"FROM {base}") == [f"FROM {slim}"]


@pytest.mark.parametrize(
    ("dockerfile", "fix"),
    [
        ("ARG V=3.12\nFROM python:${V}", "FROM python:${V}-slim"),
        ("ARG I=python:3.12\nFROM $I", "set $I to python:3.12-slim"),
        ("ARG V=3.12\nFROM python:$V-trixie", "set python:$V-trixie to python:3.12-slim-trixie"),
    ],
)
def test_fix_keeps_the_build_argument(dockerfile: str, fix: str) -> None:
    assert fixes("full-base-image", dockerfile) == [fix]


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("ARG V=3.12\nFROM python:${V}-slim", []),
        ("ARG V=3.12\nFROM python:$V", []),
        ("FROM python:${V:-3.12}-slim", []),
        ("ARG IMAGE=python:3.12-slim\nFROM ${IMAGE}", []),
        ("FROM python", []),
        ("FROM python:slim", []),
        ("FROM scratch", []),
        ("FROM company/base:sha-abc123", []),
        ("FROM company/base:sha-0a1b2c3", []),
        ("ARG S=slim\nFROM python:3.12-$S", []),  # a second argument would override the first
        ("FROM company/base:3f8a11c", []),
        ("FROM python:3.12.4-slim@sha256:0123", []),
        ("ARG V=3\nFROM python:$V AS python3.12\nFROM python3.12", []),
        ("FROM localhost:5000/python", []),
        ("ARG I=python\nFROM python:3.12-slim AS python\nFROM ${I} AS a\nFROM ${I}", []),
        ("FROM python:3.12-slim", [1]),
        ("FROM python:3.12-slim AS python\nFROM python", [1]),
        ("FROM python:3.12-slim AS a\nFROM a AS b\nFROM python:3.12-slim AS c", [1, 3]),
        ("ARG REGISTRY=x\nFROM ${REGISTRY}/python:3.12", [2]),
        ("FROM node:22 AS page\nFROM python:slim", [1]),
        ("FROM python:3.14.0rc2-slim", [1]),
        ("FROM company/base:2025.01.31_2", [1]),
    ],
)
def test_hardcoded_version(dockerfile: str, expected: list[int]) -> None:
    assert lines("hardcoded-version", dockerfile) == expected


@pytest.mark.parametrize(
    ("base", "argument", "version"),
    [
        ("python:3.12-slim", "PYTHON_VERSION", "3.12"),
        ("ghcr.io/a/my-base.1:2", "MY_BASE_1_VERSION", "2"),
        ("debian:bookworm-20240101-slim", "DEBIAN_VERSION", "20240101"),
        ("ghcr.io/astral-sh/uv:python3.12-slim", "PYTHON_VERSION", "3.12"),
        ("app:v1.2", "APP_VERSION", "v1.2"),
        ("$IMAGE:2", "IMAGE_VERSION", "2"),
    ],
)
def test_fix_writes_out_the_build_argument(base: str, argument: str, version: str) -> None:
    expected = f"ARG {argument}={version} before the first FROM, and ${{{argument}}} in place of {version}"
    assert fixes("hardcoded-version", f"FROM {base}") == [expected]


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("FROM python:3.12-slim@sha256:0", []),
        ("FROM python@sha256:0", []),
        ("FROM python:latest@sha256:0", []),
        ('ARG NAME=""\nFROM docker.io/library/$NAME', []),  # the build must set it
        ("FROM scratch", []),
        ("ARG IMAGE\nFROM $IMAGE", []),  # unknown
        ("ARG D=sha256:0\nFROM python@$D", []),
        ("FROM a@b AS x\nFROM x", []),
        ("FROM a@b AS x-1\nARG N=1\nFROM x-1", []),
        ("FROM python", [(1, "warning")]),
        ("FROM python:latest", [(1, "warning")]),
        ("FROM registry:5000/python", [(1, "warning")]),
        ("FROM python:3.12-slim", [(1, "info")]),
        ("ARG V=3.12\nFROM python:$V", [(2, "info")]),
        ("FROM a:1 AS x\nFROM b:2\nFROM x", [(1, "info"), (2, "info")]),
        ("FROM a:1 AS x\nFROM a:1", [(1, "info"), (2, "info")]),
        ("ARG I=a:1\nFROM $I AS x\nFROM $I", [(2, "info")]),
        ("ARG I=a:1\nARG I=${I/1/1@sha256:0}\nFROM $I", []),
    ],
)
def test_unpinned_base(dockerfile: str, expected: list[tuple[int, str]]) -> None:
    findings = [item for item in review(dockerfile).findings if item.rule == "unpinned-base"]
    assert [(item.line, item.severity) for item in findings] == expected


@pytest.mark.parametrize(
    ("base", "fix"),
    [
        ("python", "add a tag and the digest, @sha256:…: `docker buildx imagetools inspect python` prints it"),
        ("a/b:1", "add the digest, @sha256:…: `docker buildx imagetools inspect a/b:1` prints it"),
    ],
)
def test_fix_names_the_command_that_prints_the_digest(base: str, fix: str) -> None:
    assert fixes("unpinned-base", f"FROM {base}") == [fix]
