"""The benchmark marks everything that it creates in the engine, so that it can be removed."""

import re
from pathlib import Path

import pytest

from template.bench.engine import Engine, EngineError


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(Engine, "__post_init__", lambda self: None)
    return Engine("bench-1-2")


def dockerfiles(project: Path) -> list[str]:
    """Return the Dockerfiles of the project and of the other styles."""
    return [path.read_text() for path in (project / "Dockerfile", *project.glob("template/bench/peers/*/*Dockerfile"))]


def test_every_stage_has_the_mark_in_name_shell_and_label(engine: Engine, project: Path) -> None:
    for text in dockerfiles(project):
        marked = engine.marked(text)
        assert marked.count("\nLABEL bench=bench-1-2\n") == len(re.findall("^FROM ", marked, re.MULTILINE)) > 1
        stages = re.findall(r"^FROM \S+ AS (\S+)\nSHELL .*bench-1-2=", marked, re.MULTILINE)
        assert stages
        assert [name for name in stages if not name.startswith("bench-1-2-")] == []


def test_references_use_the_marked_stage_names(engine: Engine, project: Path) -> None:
    for text in dockerfiles(project):
        marked = engine.marked(text)
        stages = set(re.findall(r"^FROM \S+ AS (\S+)$", marked, re.MULTILINE))
        assert set(re.findall(r"--from=(\S+)", marked)) <= stages


def test_cache_mounts_are_own_ones_or_new_ones(engine: Engine, project: Path) -> None:
    mount = re.compile(r"--mount=type=cache,(?:id=([^,]+),)?")
    shared = engine.marked((project / "Dockerfile").read_text())
    assert set(mount.findall(shared)) == {"bench-1-2-0/root/.cache/pip", "bench-1-2-0/tmp/cache"}
    first, second = engine.with_caches(shared, new=True), engine.with_caches(shared, new=True)
    assert set(mount.findall(first)).isdisjoint(mount.findall(shared))
    assert set(mount.findall(first)).isdisjoint(mount.findall(second))


def test_missing_engine_exits_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("template.bench.engine.DOCKER", "/no/such/docker")
    with pytest.raises(EngineError, match=r"^docker context: .*No such file"):
        Engine()
