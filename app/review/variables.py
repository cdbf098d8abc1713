"""Expand the variables in a Dockerfile: `$NAME`, `${NAME:-default}`, `${NAME/text/replacement}` and others.

https://docs.docker.com/reference/dockerfile/#environment-replacement
"""

import re
from collections.abc import Mapping

VARIABLE = re.compile(
    r"\$(?:(?P<plain>\w++)|\{(?P<name>\w++)(?:(?P<operator>:?[-+?])(?P<word>[^{}]*+)"
    # A pattern without wildcards, as in ${NAME/text/replacement}.
    r"|(?P<every>//?)(?P<pattern>[^{}$/*?\[\]\\]++)/(?P<replacement>[^{}$\\]*+))?\})"
)

# Longer texts and values count as unknown. Otherwise, a few lines that double a value would fill the memory, and each
# use of a long value would be slow.
LONGEST = 1024


def expand(text: str, variables: Mapping[str, str | None]) -> str | None:
    """Return the text with its variables expanded, or None if it is too long or a value is unknown.

    The value of a variable that is missing or None is unknown. A default may contain variables without braces.
    """
    if len(text) > LONGEST:
        return None
    if "$" not in text:
        return text
    unknown = False

    def value(match: re.Match[str]) -> str:
        nonlocal unknown
        known = variables.get(match["plain"] or match["name"])
        operator = match["operator"] or ""
        missing = known is None or (not known and operator.startswith(":"))
        if (operator.endswith("-") and missing) or (operator.endswith("+") and not missing):
            known = expand(match["word"], variables)
        if known and match["pattern"]:
            known = known.replace(match["pattern"], match["replacement"], 1 if match["every"] == "/" else -1)
        unknown = unknown or known is None
        return known or ""

    expanded = VARIABLE.sub(value, text)
    return None if unknown or len(expanded) > LONGEST or "$" in VARIABLE.sub("", text) else expanded
