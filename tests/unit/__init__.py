"""Tests that need nothing but Python: they run inside the dev stage, and each module mirrors one of the project."""
