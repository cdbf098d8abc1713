"""The project's own Dockerfile and .dockerignore, as the reviewer reads them."""

from pathlib import Path

import pytest

from app.review.dockerfile import Dockerfile
from app.review.dockerignore import Dockerignore
from app.review.report import review
from app.review.stage import Stage


@pytest.fixture
def stages(project: Path) -> dict[str, Stage]:
    """Return the stages of the project's Dockerfile by name."""
    return {stage.label: stage for stage in Dockerfile.parse((project / "Dockerfile").read_text()).stages}


def variables(stage: Stage) -> dict[str, str | None]:
    """Return the variables that the ENVs of a stage set."""
    return dict(stage.state.environment)


def test_own_dockerfile_has_no_findings(project: Path) -> None:
    assert review((project / "Dockerfile").read_text(), (project / ".dockerignore").read_text()).findings == ()


def test_stages_are_those_of_the_design(stages: dict[str, Stage]) -> None:
    assert [stage.name for stage in stages.values()] == ["base", "builder", "dev", "production"]
    bases = {name: stage.parent.name if stage.parent else stage.base for name, stage in stages.items()}
    python = "python:3.12-slim"
    assert bases == {"base": python, "builder": "base", "dev": "base", "production": python}


@pytest.mark.parametrize(
    ("old", "new", "base"),
    [
        ("ARG PYTHON_VERSION=3.12\n", "ARG PYTHON_VERSION=3.13\n", "python:3.13-slim"),
        ("ARG PYTHON_IMAGE=python:", "ARG PYTHON_IMAGE=mirror.example/python:", "mirror.example/python:3.12-slim"),
    ],
)
def test_argument_changes_the_base_image(project: Path, old: str, new: str, base: str) -> None:
    dockerfile = (project / "Dockerfile").read_text().replace(old, new)
    named = {stage.name: stage.base for stage in Dockerfile.parse(dockerfile).stages}
    assert named["base"] == named["production"] == base


def test_production_repeats_the_environment_of_base(stages: dict[str, Stage]) -> None:
    base, production = variables(stages["base"]), variables(stages["production"])
    shared = {name for name in base if not name.startswith("PIP_")}
    assert {name: production[name] for name in shared} == {name: base[name] for name in shared}


def test_production_starts_with_the_command_of_the_card(stages: dict[str, Stage]) -> None:
    last = stages["production"].steps[-1].instruction
    assert last.keyword == "CMD"
    assert last.value == '["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"]'


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".env.production",
        ".git/config",
        ".idea/workspace.xml",
        ".mypy_cache/x",
        ".venv/bin/python",
        ".vscode/settings.json",
        "app/.env",
        "app/__pycache__/main.cpython-312.pyc",
        "app/routes/__pycache__/health.cpython-312.pyc",
        "app/main.py~",
        "id_rsa",
        "node_modules/a/index.js",
        "notes.txt",
        "secret.pem",
        "tests/.pytest_cache/x",
    ],
)
def test_unnamed_path_is_not_in_the_build_context(project: Path, path: str) -> None:
    assert Dockerignore.parse((project / ".dockerignore").read_text()).excluded([path])


@pytest.mark.parametrize(
    "path",
    [".dockerignore", "Dockerfile", "app/main.py", "requirements.txt", "scripts/check", "tests/unit/test_main.py"],
)
def test_needed_path_is_in_the_build_context(project: Path, path: str) -> None:
    assert not Dockerignore.parse((project / ".dockerignore").read_text()).excluded([path])
