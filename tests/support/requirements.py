"""Read the locked requirements."""

import re


def pins(text: str) -> dict[str, str]:
    """Return the version of each package in a locked file."""
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;]+)", text, re.MULTILINE))
