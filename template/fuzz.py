"""Fuzzing the reviewer: what holds for any text (tests/unit/review/test_properties.py), tried on texts that are bred.

    python -m template.fuzz [OPTION of libFuzzer …]

A text that reaches code which none before it has reached is kept, and the next ones are made from it. It runs until a
property does not hold, which it shows, or until -max_total_time=SECONDS are over.
"""

import sys

import atheris  # type: ignore[import-untyped]  # the package has no types

with atheris.instrument_imports(include=["app"]):
    from tests.unit.review import test_properties

PROPERTIES = [
    test.hypothesis.fuzz_one_input for name, test in vars(test_properties).items() if name.startswith("test_")
]


def try_one(data: bytes) -> None:
    """One of the properties, chosen by the first byte, on what the others stand for."""
    if data:
        PROPERTIES[data[0] % len(PROPERTIES)](data[1:])


atheris.Setup(sys.argv, try_one)
atheris.Fuzz()
