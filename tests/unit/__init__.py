"""Unit tests, which run in the dev stage and need only Python. They mirror the modules of the project."""
