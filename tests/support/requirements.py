"""Read the locked requirements."""

import re

from packaging.requirements import Requirement


def pins(text: str) -> dict[str, str]:
    """Return the version or URL of each package in a locked file."""
    return dict(re.findall(r"^([a-z0-9.-]+)(?:==| @ )([^ ;]+)", text, re.MULTILINE))


def required(text: str) -> list[Requirement]:
    """Return the requirements in a .in file."""
    lines = re.sub(r"(^|\s)#.*", "", text).splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith("-")]


def meets(pin: str | None, requirement: Requirement) -> bool:
    """Return True if a version or a URL meets the requirement."""
    if requirement.url or not pin or "://" in pin:
        return pin is not None and pin == requirement.url
    return requirement.specifier.contains(pin)
