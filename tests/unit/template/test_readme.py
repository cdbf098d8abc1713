"""README.md and docs/sample/reviews.md: they agree with the sample that they describe."""

import re
from pathlib import Path

from app.review import formats
from app.review.report import review
from app.worker import MOST_SECONDS, MOST_SECONDS_WAITING, MOST_WAITING


def test_the_readme_and_the_picture_show_the_stages_in_order(project: Path) -> None:
    stages = re.findall(r"^FROM \S+ AS (\w+)$", (project / "Dockerfile").read_text(), re.MULTILINE)
    picture = (project / "docs" / "stages.svg").read_text()
    assert re.findall(r"^- `(\w+)` ", (project / "README.md").read_text(), re.MULTILINE) == stages
    assert re.findall(r'class="name".*>(\w+)<', picture) == stages


def test_the_docs_show_a_review_as_it_is(project: Path) -> None:
    page = (project / "docs" / "sample" / "reviews.md").read_text()
    dockerfile, answer = re.findall(r"printf '(FROM .*?)' \|\n.*?\n(.*?)```", page, re.DOTALL)[0]
    written = formats.text({"Dockerfile": review(dockerfile.replace(r"\n", "\n"))}).splitlines()
    shown = [line for line in answer.splitlines() if line != "…"]
    assert shown == [line for line in written if line in shown]


def test_the_limits_of_a_review_are_documented(project: Path) -> None:
    text = " ".join((project / "docs" / "sample" / "reviews.md").read_text().split())
    assert f"When {MOST_WAITING} of them wait" in text
    assert f"takes more than {MOST_SECONDS} s or waits for more than {MOST_SECONDS_WAITING} s" in text
