"""Tests of a built image, from outside: `pytest tests/image` with the image's name in IMAGE."""
