"""README.md and docs/sample/reviews.md: they agree with the sample that they describe."""

import re
from pathlib import Path

from app.review import formats
from app.review.report import review
from app.worker import MOST_WAITING


def test_the_readme_shows_the_stages_that_there_are_and_their_order(project: Path) -> None:
    stages = re.findall(r"^FROM \S+ AS (\w+)$", (project / "Dockerfile").read_text(), re.MULTILINE)
    picture = (project / "docs" / "stages.svg").read_text()
    assert re.findall(r"^\| `(\w+)` \|", (project / "README.md").read_text(), re.MULTILINE) == stages
    assert re.findall(r'class="name".*>(\w+)<', picture) == stages


def test_the_readme_shows_a_review_as_it_is(project: Path) -> None:
    readme = (project / "README.md").read_text()
    dockerfile, answer = re.findall(r"printf '(FROM .*?)' \|\n.*?\n(.*?)```", readme, re.DOTALL)[0]
    written = formats.text({"Dockerfile": review(dockerfile.replace(r"\n", "\n"))}).splitlines()
    shown = [line for line in answer.splitlines() if line != "…"]
    assert shown == [line for line in written if line in shown]


def test_it_is_said_how_many_reviews_wait(project: Path) -> None:
    assert re.search(rf"When\s+{MOST_WAITING} of\s+them wait", (project / "docs" / "sample" / "reviews.md").read_text())
