"""The list of the rules in Markdown: `python -m app.review.catalogue` prints docs/sample/rules.md."""

import sys
from itertools import groupby

from app.review.rules import RULES, Rule

HEAD = """\
<!-- Generated: `make docs` writes this file from the rules in app/review/rules/. -->

# The rules

These are the rules of the reviewer: on the page at http://127.0.0.1:8000, with `python -m app.review Dockerfile`, and
over HTTP.

- **error**: it breaks or endangers something. **warning**: it has a cost. **info**: it could be better.
- The reviewer does not report what it cannot know. Examples are an unknown base image, a script that may do anything,
  and a value that only the build provides.
- `# review-ignore: rule-id reason` above an instruction disables that rule there.
"""


def catalogue() -> str:
    """Return a table of the rules, and a section for each, by family."""
    rows = [f"| [`{rule.id}`](#{rule.id}) | {rule.severity} | {rule.title} |" for rule in RULES.values()]
    sections = []
    for family, rules in groupby(RULES.values(), key=_family):
        sections += [f"## {family}", *map(_section, rules)]
    return "\n".join([HEAD, "| rule | severity | finds |", "| --- | --- | --- |", *rows, "", "\n\n".join(sections), ""])


def _family(rule: Rule) -> str:
    """Return the title of the rule's module: "The stages" for "Rules about the stages"."""
    about = (sys.modules[rule.check.__module__].__doc__ or "").removeprefix("Rules about ")
    return (about[:1].upper() + about[1:]).partition(":")[0].rstrip(".")


def _section(rule: Rule) -> str:
    beside = f"With this `.dockerignore`:\n\n```text\n{rule.dockerignore}```\n\n" if rule.dockerignore else ""
    return (
        f"### {rule.id}\n\n**{rule.title}** ({rule.severity}). {rule.why}\n\n{beside}"
        f"Wrong:\n\n```dockerfile\n{rule.bad}```\n\nRight:\n\n```dockerfile\n{rule.good}```"
    )


if __name__ == "__main__":
    sys.stdout.write(catalogue())
