"""Tests that need a Docker Engine: `pytest tests/engine`."""
