"""Image references."""

import pytest

from app.review.image import Image


@pytest.mark.parametrize(
    ("reference", "image"),
    [
        ("python", Image("python", None, None)),
        ("python:3.12-slim", Image("python", "3.12-slim", None)),
        ("python@sha256:ab", Image("python", None, "sha256:ab")),
        ("python:3@sha256:ab", Image("python", "3", "sha256:ab")),
        ("localhost:5000/a/b", Image("localhost:5000/a/b", None, None)),
        ("localhost:5000/a/b:c", Image("localhost:5000/a/b", "c", None)),
    ],
)
def test_reference_is_parsed(reference: str, image: Image) -> None:
    assert Image.parse(reference) == image
    assert str(image) == reference


@pytest.mark.parametrize(
    ("reference", "official"),
    [
        ("python:3.12", "python"),
        ("library/python", "python"),
        ("docker.io/python", "python"),
        ("docker.io/library/python:3", "python"),
        ("mirror.example:5000/hub/library/python", "python"),
        ("bitnami/python", None),
        ("registry.example/python", None),
    ],
)
def test_official_image_is_recognized_in_any_mirror(reference: str, official: str | None) -> None:
    assert Image.parse(reference).official == official


@pytest.mark.parametrize(
    ("reference", "is_bare"),
    [
        ("company/base", False),
        ("bitnami/python:3.12", False),
        ("python:3.12-windowsservercore-ltsc2025", False),
        ("python:3.12-nanoserver", False),
        ("gcr.io/distroless/python3-debian12:nonroot", False),
        ("gcr.io/distroless/python3:debug-nonroot", False),
        ("ghcr.io/astral-sh/uv", False),
        ("ghcr.io/astral-sh/uv:0.9.2", False),
        ("python", True),
        ("docker.io/library/python:3.12-alpine", True),
        ("ghcr.io/astral-sh/uv:python3.12-bookworm-slim", True),
        ("ghcr.io/astral-sh/uv:0.9-alpine3.22", True),
        ("ghcr.io/astral-sh/uv:debian-slim", True),
        ("gcr.io/distroless/python3-debian12", True),
        ("rockylinux:9", True),
        ("scratch", True),
    ],
)
def test_bare_images_are_recognized(reference: str, is_bare: bool) -> None:
    assert Image.parse(reference).is_bare is is_bare


@pytest.mark.parametrize(
    ("reference", "is_debian"),
    [
        ("python:3.12-alpine", False),
        ("ghcr.io/astral-sh/uv:alpine", False),
        ("fedora", False),
        ("scratch", False),
        ("gcr.io/distroless/base-debian12", False),
        ("company/debian", False),
        ("python:3.12-nanoserver", False),
        ("debian", True),
        ("ubuntu:24.04", True),
        ("node:22-slim", True),
        ("python:3.12", True),
        ("ghcr.io/astral-sh/uv:trixie-slim", True),
    ],
)
def test_debian_is_recognized(reference: str, is_debian: bool) -> None:
    assert Image.parse(reference).is_debian is is_debian


@pytest.mark.parametrize(
    ("reference", "adduser", "curl", "wget"),
    [
        ("company/base", None, None, None),
        ("gcr.io/distroless/python3", None, None, None),
        ("fedora", None, None, None),
        ("python:3.12", None, None, None),
        ("python:3.12-bookworm", None, None, None),
        ("scratch", False, False, False),
        ("alpine:3.22", True, False, True),
        ("python:3.12-alpine", True, False, True),
        ("python:3.12-slim", False, False, False),
        ("python:3.12-slim-bookworm", True, False, False),
        ("python:3-slim", False, False, False),
        ("python:slim", False, False, False),
        ("python:3.9-slim", False, False, False),
        ("python:3.8-slim", None, False, False),
        ("python:2.7-slim", None, False, False),
        ("python:2-slim", None, False, False),
        ("python:rc-slim", None, False, False),
        ("pypy:3.10-slim", None, False, False),
        ("almalinux:9-slim", None, None, None),
        ("company/base:alpine", None, None, None),
        ("python:3.12.11-slim", None, False, False),
        ("python:3.12.12-slim", False, False, False),
        ("python:3.14.0-slim", False, False, False),
        ("python:3.14-rc-slim", False, False, False),
        ("python:3.12-slim@sha256:0", None, False, False),
        ("node:22-slim", None, False, False),
        ("debian", False, False, False),
        ("debian:stable-slim", False, False, False),
        ("debian:oldstable", True, False, False),
        ("debian:12.1", None, False, False),
        ("debian:13", False, False, False),
        ("ubuntu:24.04", None, False, False),
    ],
)
def test_image_contains_a_program(reference: str, adduser: bool | None, curl: bool | None, wget: bool | None) -> None:
    image = Image.parse(reference)
    assert (image.has("adduser"), image.has("curl"), image.has("wget")) == (adduser, curl, wget)
