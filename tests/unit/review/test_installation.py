"""Installations of Python packages."""

import pytest

from app.review.dockerfile import Dockerfile
from app.review.installation import Installation


def installed(run: str) -> list[Installation]:
    """Return the installations in a RUN."""
    return Dockerfile.parse(f"FROM a\nRUN {run}").published.steps[-1].installations


def found(run: str) -> list[str]:
    """Return the commands of the installations in a RUN."""
    return [item.command for item in installed(run)]


@pytest.mark.parametrize(
    "run",
    [
        "pip --version",
        "pip list",
        "echo pip install a",
        "apt-get install python3-pip",
        "uv venv",
        "uv pip list",
        "npm install",
        "python -m venv /venv",
        "python -m",
        "python script.py -m pip install a",
        "pip show install",
        "poetry run playwright install",
        "uv run sync",
        "uv help sync",
        "./pip.sh install",
        "echo -m pip install a",
        "cat <<EOF > script.sh\npip install a\nEOF",
    ],
)
def test_other_commands_install_nothing(run: str) -> None:
    assert found(run) == []


@pytest.mark.parametrize(
    ("run", "command"),
    [
        ("pip install a", "pip install"),
        ("pip3 install a", "pip install"),
        ("pip3.12 install a", "pip install"),
        ("/venv/bin/pip install a", "pip install"),
        ("python -m pip install a", "pip install"),
        ("python3.12 -I -m pip install a", "pip install"),
        ("pip --disable-pip-version-check install a", "pip install"),
        ("pip --proxy http://x install a", "pip install"),
        ("uv pip install a", "uv pip install"),
        ("python -m uv pip install a", "uv pip install"),
        ("uv --quiet pip --strict sync a.txt", "uv pip sync"),
        ("uv sync --locked", "uv sync"),
        ("python -mpip install a", "pip install"),
        ("python3 -Im pip install a", "pip install"),
        ("sudo -H -u app pip install a", "pip install"),
        ("timeout 60 pip install a", "pip install"),
        ("xargs pip install < requirements.txt", "pip install"),
        ("poetry install", "poetry install"),
        ("PIP_INDEX_URL=x exec pip install a", "pip install"),
        ('["pip", "install", "a"]', "pip install"),
        ("set -e; if true; then pip install a; fi", "pip install"),
        ("<<EOF\nset -e\npip install a\nEOF", "pip install"),
    ],
)
def test_installation_is_recognized_in_any_form(run: str, command: str) -> None:
    assert found(run) == [command]


@pytest.mark.parametrize(
    ("run", "project_only"),
    [
        ("pip install .", True),
        ("pip install '.[all]' --no-cache-dir", True),
        ("pip install -e .", True),
        ("pip install /src", True),
        ("pip install --index-url https://mirror.example/simple .", True),
        ("pip install --target /packages -c constraints.txt a", False),
        ("uv sync", True),
        ("uv sync --no-install-project", False),
        ("poetry install --no-root", False),
        ("pip install a", False),
        ("pip install . a", False),
        ("pip install -r requirements.txt", False),
        ("pip install -r requirements.txt .", False),
        ("pip install --editable=.", True),
        ("pip install --upgrade", False),
        ("pip install --requirement=requirements.txt", False),
    ],
)
def test_installation_of_the_project_only(run: str, project_only: bool) -> None:
    (installation,) = installed(run)
    assert installation.project_only is project_only


@pytest.mark.parametrize(
    ("before", "run", "prefix"),
    [
        ("", "poetry install", None),  # unknown
        ("", "pip install --root=/x a", None),
        ("USER app", "pip install --user a", None),
        ("ENV PATH=$ELSEWHERE", "pip install a", None),
        ("", "pip install a", "/usr/local"),
        ("", "pip install --prefix=/install a", "/install"),
        ("WORKDIR /x", "pip install -t lib a", "/x/lib"),
        ("", "pip install --target lib a", "/lib"),
        ("", "pip install --user a", "/root/.local"),
        ("USER app\nENV HOME=/home/app", "pip install --user a", "/home/app/.local"),
        ("ENV PYTHONUSERBASE=/opt/python", "pip install --user a", "/opt/python"),
        ("ENV PIP_USER=1", "pip install a", "/root/.local"),
        ("ENV VIRTUAL_ENV=/venv", "pip install a", "/venv"),
        ("ENV PATH=/opt/venv/bin:$PATH", "pip install a", "/opt/venv"),
        ("ENV PATH=/opt/venv/bin:$PATH", "uv pip install a", "/opt/venv"),
        ("WORKDIR /app", "uv sync", "/app/.venv"),
        ("ENV UV_PROJECT_ENVIRONMENT=/venv", "uv sync", "/venv"),
        ("ENV UV_PROJECT_ENVIRONMENT=$X", "uv sync", None),  # unknown
        ("ENV VIRTUAL_ENV=/venv", "uv pip install --python=/x/bin/python a", None),  # unknown
    ],
)
def test_packages_are_installed_in_a_folder(before: str, run: str, prefix: str | None) -> None:
    *_, step = Dockerfile.parse(f"FROM python:slim\n{before}\nRUN {run}").published.steps
    (installation,) = step.installations
    assert installation.prefix(step.state) == prefix


def test_folder_on_an_unknown_image_is_unknown() -> None:
    step = Dockerfile.parse("FROM company/base\nRUN pip install a").published.steps[-1]
    assert step.installations[0].prefix(step.state) is None


def test_only_run_installs() -> None:
    assert Dockerfile.parse("FROM a\nCMD pip install a").published.steps[-1].installations == []


@pytest.mark.parametrize(
    ("run", "downloads"),
    [
        ("pip install --no-index --find-links /wheels a", False),
        ("uv sync --offline", False),
        ("poetry install --only-root", False),
        ("pip install /wheels/*", False),
        ("pip install --no-deps dist/a.whl b.tar.gz", False),
        ("pip install --no-deps --no-build-isolation -e .", False),
        ("pip install a", True),
        ("pip install --no-deps --no-build-isolation a", True),
        ("pip install -r requirements.txt dist/a.whl", True),
        ("pip install https://example.com/a.whl", True),
        ("pip install .", True),
        ("pip install --no-deps .", True),  # it downloads the build backend
        ("uv sync", True),
    ],
)
def test_installation_may_download_packages(run: str, downloads: bool) -> None:
    (installation,) = installed(run)
    assert installation.downloads is downloads


@pytest.mark.parametrize(
    ("run", "dependencies"),
    [
        ("pip install --upgrade pip setuptools wheel", False),
        ("pip install 'poetry>=2,<3' uv==0.9", False),
        ("pip install --no-deps .", False),
        ("pip install pip a", True),
        ("pip install .", True),
        ("pip install -r requirements.txt pip", True),
        ("xargs pip install", True),
        ("uv sync --no-install-project", True),
        ("poetry install", True),
    ],
)
def test_installation_may_install_dependencies_of_a_service(run: str, dependencies: bool) -> None:
    (installation,) = installed(run)
    assert installation.dependencies is dependencies


@pytest.mark.parametrize(
    ("run", "files"),
    [
        ("pip install requirements.txt", []),
        ("pip install --report=requirements.txt a", []),
        ("pip install -r a.txt", ["a.txt"]),
        ("pip install -ra.txt --requirement b.txt --requirement=c.txt", ["a.txt", "b.txt", "c.txt"]),
        ("pip install -c constraints.txt -r a.txt x", ["a.txt"]),
    ],
)
def test_requirements_files_are_recognized(run: str, files: list[str]) -> None:
    (installation,) = installed(run)
    assert installation.files == files
    assert installation.reads_file is bool(files)


@pytest.mark.parametrize(
    ("run", "named"),
    [
        ("pip --proxy http://x --no-cache-dir install a", ["a"]),
        ("pip install --index-url https://x/simple a 'b[c]>=1' -U", ["a", "b[c]>=1"]),
        ("pip install --prefix /x .", ["."]),
        ("uv --directory /x pip install a", ["a"]),
    ],
)
def test_packages_are_named(run: str, named: list[str]) -> None:
    (installation,) = installed(run)
    assert installation.named == named
