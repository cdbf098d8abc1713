"""README.md and docs/sample/reviews.md agree with the sample."""

import re
from pathlib import Path

from app.main import create_app
from app.review import dockerfile, formats, report, syntax, variables
from app.settings import Settings
from app.worker import MOST_SECONDS, MOST_SECONDS_WAITING, MOST_WAITING
from tests.support.makefile import MAKEFILES, listed_targets, targets


def test_the_readme_and_the_picture_show_the_stages_in_order(project: Path) -> None:
    stages = re.findall(r"^FROM \S+ AS (\w+)$", (project / "Dockerfile").read_text(), re.MULTILINE)
    picture = (project / "docs" / "stages.svg").read_text()
    assert re.findall(r"^- `(\w+)` ", (project / "README.md").read_text(), re.MULTILINE) == stages
    assert re.findall(r'class="name".*>(\w+)<', picture) == stages


def test_the_docs_describe_every_make_target(project: Path) -> None:
    pages = "\n".join(path.read_text() for path in project.glob("docs/**/targets.md"))
    assert listed_targets(pages) == targets(*MAKEFILES)


def test_the_docs_name_every_route(project: Path) -> None:
    pages = [project / "README.md", *project.glob("docs/**/*.md")]
    text = "\n".join(page.read_text() for page in pages)
    for path, methods in create_app(Settings()).openapi()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in text


def test_docs_show_a_current_review(project: Path) -> None:
    page = (project / "docs" / "sample" / "reviews.md").read_text()
    text, answer = re.findall(r"printf '(FROM .*?)' \|\n.*?\n(.*?)```", page, re.DOTALL)[0]
    written = formats.text({"Dockerfile": report.review(text.replace(r"\n", "\n"))}).splitlines()
    shown = [line for line in answer.splitlines() if line != "…"]
    assert shown == [line for line in written if line in shown]


def test_the_limits_of_a_review_are_documented(project: Path) -> None:
    rows = re.findall(r"^\| (\d.*?) \|", (project / "docs" / "sample" / "reviews.md").read_text(), re.MULTILINE)
    limits = {
        f"{syntax.MOST_INSTRUCTIONS:,} instructions",
        f"{syntax.MOST_LINES:,} lines",
        f"{syntax.MOST_WORDS:,} words and symbols",
        f"{syntax.LONGEST_LINE:,} bytes in a line",
        f"{syntax.LONGEST_NAME:,} characters in a name or a path",
        f"{dockerfile.MOST_STAGES} stages",
        f"{dockerfile.MOST_VARIABLES:,} variables",
        f"{variables.LONGEST:,} characters in the value of a variable",
        f"{report.MOST_FOUND:,} findings",
        f"{report.LONGEST_MESSAGE:,} characters in each",
        f"{report.MOST_CHARACTERS:,} characters in all of them",
        f"{MOST_SECONDS} s for a review",
        f"{MOST_WAITING} waiting reviews",
        f"{MOST_SECONDS_WAITING} s of waiting",
    }
    assert limits <= set("; ".join(rows).split("; "))
