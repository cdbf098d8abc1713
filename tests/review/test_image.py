"""References to images."""

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
def test_a_reference_has_parts(reference: str, image: Image) -> None:
    assert Image.parse(reference) == image


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
def test_an_official_image_is_known_by_any_mirror(reference: str, official: str | None) -> None:
    assert Image.parse(reference).official == official
