"""The rows of the benchmark: each is the current project with one technique undone."""

import re
import shutil
from pathlib import Path

import pytest

from template.bench.measures import MEASURES
from template.bench.subject import Edit, EditError
from template.bench.variants import VARIANTS, Variant

FILES = ("Dockerfile", ".dockerignore", "compose.yaml")


@pytest.fixture
def copied(project: Path, tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copy(project / name, tmp_path / name)
    return tmp_path


def stages(folder: Path) -> list[str]:
    """Return the stages of the Dockerfile in the folder."""
    return re.findall(r"^FROM \S+ AS (\w+)$", (folder / "Dockerfile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("row", [row for row in VARIANTS if row.edits], ids=lambda row: row.name)
def test_variant_differs_but_has_the_same_stages(copied: Path, project: Path, row: Variant) -> None:
    for edit in row.edits:
        edit.apply(copied)
    assert any(not (copied / name).exists() or differ(copied / name, project / name) for name in FILES)
    assert stages(copied)[-4:] == ["base", "builder", "dev", "production"]


@pytest.mark.parametrize("row", [row for row in VARIANTS if row.reference], ids=lambda row: row.name)
def test_reference_differs_from_its_variant(copied: Path, project: Path, row: Variant) -> None:
    for edit in row.reference:
        edit.apply(copied)
    assert differ(copied / "Dockerfile", project / "Dockerfile")
    assert stages(copied)[-4:] == ["base", "builder", "dev", "production"]


def differ(one: Path, another: Path) -> bool:
    """Return True if the two files differ."""
    return one.read_text() != another.read_text()


@pytest.mark.parametrize("row", VARIANTS, ids=lambda row: row.name)
def test_a_row_has_something_to_measure(row: Variant) -> None:
    assert row.measures
    assert set(row.measures) <= MEASURES.keys()


def test_edit_that_no_longer_applies_is_an_error(copied: Path) -> None:
    with pytest.raises(EditError, match=r"^Dockerfile contains this 0 times instead of once: 'FROM the past'$"):
        Edit("Dockerfile", "FROM the past", "FROM today").apply(copied)
