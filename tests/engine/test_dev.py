"""`make dev`, with and without containers."""

import os
import shutil
import subprocess
from pathlib import Path

import httpx2
import pytest

from tests.support.container import LABEL, docker, eventually
from tests.support.development import developing, status

# These routes are added to the app.
STREAM = """

from collections.abc import AsyncIterator
from fastapi.responses import StreamingResponse

@app.get("/version")
async def version() -> int:
    return 1

@app.get("/stream")
async def stream() -> StreamingResponse:
    async def lines() -> AsyncIterator[bytes]:
        while True:
            yield b"line\\n"
            await asyncio.sleep(0.1)
    return StreamingResponse(lines())

# In front, because a route of the service may match every path.
app.router.routes[:0] = [app.router.routes.pop(), app.router.routes.pop()]
"""


@pytest.mark.parametrize("runtime", ["docker", "host"])
def test_make_dev_serves_the_documentation_of_the_api(runtime: str, tmp_path: Path) -> None:
    with developing(runtime, tmp_path / "log") as url:
        assert "swagger-ui" in httpx2.get(f"{url}/docs").text
        assert status(url, "/docs/swagger-ui-bundle.js") == 200


def test_dev_on_host_reads_dotenv_and_reloads_during_a_stream(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    for name in ("app", "scripts"):
        shutil.copytree(project / name, folder / name)
    for name in ("Makefile", "Dockerfile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(project / name, folder)
    (folder / ".venv").symlink_to(project / ".venv")
    (folder / ".env").write_text("APP_DOCS=false\nNOT_RUN=$(touch ran) or else\n")
    main = folder / "app/main.py"
    main.write_text(f"import asyncio\n{main.read_text()}{STREAM}")
    with developing("host", tmp_path / "log", folder) as url, httpx2.stream("GET", f"{url}/stream") as stream:
        lines = stream.iter_lines()  # kept: without it, the stream would end here
        assert next(lines) == "line"
        assert "swagger-ui" not in httpx2.get(f"{url}/docs").text
        assert not (folder / "ran").exists()
        main.write_text(main.read_text().replace("return 1", "return 2"))

        def version() -> str:
            try:
                return httpx2.get(f"{url}/version", timeout=30).text
            except httpx2.HTTPError:
                return ""

        eventually(lambda: version() == "2")


@pytest.mark.parametrize("command", [("ps",), ("down", "--volumes")])
def test_containers_of_another_folder_are_not_touched(project: Path, command: tuple[str, ...]) -> None:
    name = f"tests-dev-elsewhere-{os.getpid()}"
    labels = {"project": name, "project.working_dir": "/elsewhere", "service": "app", "config-hash": "a"}
    options = [f"--label=com.docker.compose.{key}={value}" for key, value in labels.items()]
    container = docker(
        "create", f"--label={LABEL}", "--label=com.docker.compose.oneoff=False", *options, os.environ["IMAGE"]
    ).strip()
    try:
        environment = os.environ | {"COMPOSE_PROJECT_NAME": name}
        compose = [str(project / "scripts/compose"), *command]
        done = subprocess.run(compose, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr == (
            "compose: /elsewhere has containers with the same project name: set COMPOSE_PROJECT_NAME in .env\n"
        )
        assert docker("inspect", "--format={{.State.Status}}", container).strip() == "created"
    finally:
        docker("rm", "--force", container)


def test_the_dev_container_does_not_need_the_other_services_of_compose(project: Path, tmp_path: Path) -> None:
    (tmp_path / ".devcontainer").mkdir()
    shutil.copy(project / ".devcontainer/compose.yaml", tmp_path / ".devcontainer")
    text = (project / "compose.yaml").read_text()
    if "depends_on:" not in text:
        text = text.replace("    init: true", "    depends_on: [other]\n    init: true")
    (tmp_path / "compose.yaml").write_text(text.replace("services:\n", "services:\n  other: {image: other}\n"))
    assert "other" in docker("compose", "config", "--services", folder=tmp_path)
    assert docker("compose", "--file=.devcontainer/compose.yaml", "config", "--services", folder=tmp_path) == "app\n"
