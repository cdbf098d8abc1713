"""Coverage-guided fuzzing of the reviewer, by the properties in tests/unit/review/test_properties.py.

    python -m template.fuzz [OPTION of libFuzzer ...]

A text that reaches new code is kept and mutated further. The fuzzer runs until a property fails, which it prints, or
until -max_total_time=SECONDS are over.
"""

import sys

import atheris  # type: ignore[import-untyped]  # the package has no types

with atheris.instrument_imports(include=["app"]):
    from tests.unit.review import test_properties

PROPERTIES = [
    test.hypothesis.fuzz_one_input for name, test in vars(test_properties).items() if name.startswith("test_")
]


def try_one(data: bytes) -> None:
    """Test one of the properties, chosen by the first byte, with the other bytes."""
    if data:
        PROPERTIES[data[0] % len(PROPERTIES)](data[1:])


atheris.Setup(sys.argv, try_one)
atheris.Fuzz()
