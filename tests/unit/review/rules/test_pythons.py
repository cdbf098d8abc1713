"""Rules about Python itself."""

import pytest

from tests.unit.review.rules.table import lines

PIP = "RUN apt-get update && apt-get install -y python3-pip && rm -rf /var/lib/apt/lists/*\n"


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (f"FROM debian:bullseye\n{PIP}RUN pip3 install flask", []),
        (f"FROM ubuntu:22.04\n{PIP}RUN pip3 install flask", []),
        (f"FROM company/debian:12\n{PIP}RUN pip3 install flask", []),
        ("FROM debian:12\nRUN pip3 install flask", []),  # whose pip is not known
        (f"FROM debian:12\n{PIP}RUN pip3 install --break-system-packages flask", []),
        (f"FROM debian:12\n{PIP}RUN pip3 install --target=/x flask", []),
        (f"FROM debian:12\n{PIP}ENV PIP_BREAK_SYSTEM_PACKAGES=1\nRUN pip3 install flask", []),
        (f"FROM debian:12\n{PIP}RUN rm /usr/lib/python3*/EXTERNALLY-MANAGED\nRUN pip3 install flask", []),
        (f"FROM debian:12\n{PIP}RUN python3 -m venv /v && /v/bin/pip install flask", []),
        (f"FROM debian:12\n{PIP}RUN . /v/bin/activate && pip install flask", []),
        (f"FROM debian:12\n{PIP}ENV PATH=/v/bin:$PATH\nRUN pip install flask", []),
        (f"FROM debian:12\n{PIP}RUN pip3 install flask", [3]),
        (f"FROM debian\n{PIP}RUN python3 -m pip install flask", [3]),
        (f"FROM ubuntu:24.04\n{PIP}RUN pip install --user flask", [3]),
        ("FROM alpine:3.20\nRUN apk add py3-pip\nRUN pip install flask", [3]),
        (f"FROM debian:12 AS a\n{PIP}FROM a\nRUN pip3 install flask", [4]),
        (f"FROM node:22-bookworm\n{PIP}RUN pip3 install flask", [3]),
    ],
)
def test_externally_managed(dockerfile: str, expected: list[int]) -> None:
    assert lines("externally-managed", dockerfile) == expected


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("FROM debian\nRUN apt-get install -y python3-pip", []),
        ("FROM company/python\nRUN apt-get install -y python3-pip", []),
        ("FROM python:3.12\nRUN apt-get install -y libpq-dev", []),
        ("FROM python:3.12\nRUN apt-get install -y python3-pip", [2]),
        ("FROM python:3.12\nRUN apt-get install -y python3.11-dev", [2]),
        ("FROM ghcr.io/astral-sh/uv:python3.12-bookworm\nRUN apt-get install -y python-is-python3", [2]),
        ("FROM python:3.12-alpine\nRUN apk add py3-numpy", [2]),
    ],
)
def test_second_python(dockerfile: str, expected: list[int]) -> None:
    assert lines("second-python", dockerfile) == expected
