"""Helpers for tests in more than one folder."""
