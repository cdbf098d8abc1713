"""A run: builds the subjects and measures them in turn, round by round."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from template.bench.engine import Engine, EngineError
from template.bench.measures import MEASURES, move_the_tag
from template.bench.subject import Edit, Subject, copy
from template.bench.variants import VARIANTS, Variant, litter

PROJECT = "the project"
# A quick run leaves out measures that take this many seconds.
LONG = 3.5
ALONE = ("floor", "start", "stop", "edited", "unchanged", "rebuilt", "dependency", "cold", "context", "added",
         "whole", "unpacked", "pushed", "pushed dependency", "memory", "rate", "slowest")  # fmt: skip
# The figures of each round, by the name of the subject and of the measure.
Figures = dict[str, dict[str, list[float]]]
# How to make each subject, and its measures.
Plan = dict[str, tuple[Callable[[], Subject], list[str]]]


class Workshop:
    """Makes subjects in temporary folders, and removes them at the end."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._folder = tempfile.TemporaryDirectory(prefix=f"{engine.mark}-")
        # Copy the project once, so that edits during the run do not change what is measured.
        self._project = self.folder("as-it-is")
        copy(self._project)

    def __enter__(self) -> "Workshop":
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()
        self.engine.clean()

    def folder(self, name: str) -> Path:
        """Make a new folder."""
        folder = Path(self._folder.name, name)
        folder.mkdir()
        return folder

    def project(self) -> Subject:
        """Make the project, unchanged."""
        return self._subject("project", ())

    def reference(self, variant: Variant) -> Subject:
        """Make the subject that the variant is compared with, if that is not the unchanged project."""
        return self._subject(f"{variant.name}-reference", variant.reference, variant)

    def variant(self, variant: Variant) -> Subject:
        """Make the project with the variant's technique undone."""
        subject = self._subject(variant.name, variant.edits, variant)
        subject.options, subject.buildkit, subject.compose = tuple(variant.options), variant.buildkit, variant.compose
        return subject

    def _subject(self, name: str, edits: Iterable[Edit], variant: Variant | None = None) -> Subject:
        subject = Subject(self.engine, name, self.folder(name))
        shutil.copytree(self._project, subject.folder, dirs_exist_ok=True)
        if variant and variant.litter:
            litter(subject.folder)
        if any("{moving}" in edit.new for edit in edits):
            move_the_tag(subject, 1)
            moving = self.engine.image("moving")
            digest = self.engine.run("image", "inspect", "--format={{.Id}}", moving)
            edits = [
                replace(edit, new=edit.new.replace("{moving}", moving).replace("{digest}", digest)) for edit in edits
            ]
        return subject.edit(edits)


def plan(workshop: Workshop, variants: Sequence[Variant], quick: bool) -> Plan:
    """Return what to measure for these rows. The project is measured once for all of them.

    If `quick`, take only the first measure of each row that is not slow.
    """
    # If all rows are measured, also measure the project itself.
    alone = [*ALONE] if len(variants) == len(VARIANTS) and not quick else []
    planned: Plan = {PROJECT: (workshop.project, alone)}
    for variant in variants:
        wanted = list(variant.measures)
        if quick:
            wanted = [name for name in wanted if MEASURES[name].seconds < LONG][:1]
        if variant.reference or variant.litter:
            planned[reference(variant)] = partial(workshop.reference, variant), wanted
        else:
            planned[PROJECT][1].extend(name for name in wanted if name not in planned[PROJECT][1])
        planned[variant.name] = partial(workshop.variant, variant), wanted
    return planned


def reference(variant: Variant) -> str:
    """Return the name of the subject that the variant is compared with."""
    return f"{variant.name}, as it should be" if variant.reference or variant.litter else PROJECT


def measure(
    planned: Plan,
    quick: bool,
    step: Callable[[str, float], None],
    figures: Figures,
    failures: dict[str, str],
    keep: Path | None = None,
) -> None:
    """Make the subjects and measure them, into `figures` and, as JSON, into the file `keep`.

    A round measures each subject in turn, and the next round begins with the next subject, so that other work on the
    machine affects all of them alike. `failures` receives the reasons for missing figures. `step` is called with each
    step and its expected seconds.
    """
    subjects: dict[str, Subject] = {}
    for name, (make, _) in planned.items():
        step(f"building {name}", 8)
        try:
            subjects[name] = make()
            subjects[name].build()
        except EngineError as error:
            failures[name] = str(error)
            subjects.pop(name, None)
    for title in ordered(planned):
        taken = MEASURES[title]
        wanted = [name for name in subjects if title in planned[name][1]]
        for turn in range(1 if quick else taken.rounds):
            for name in wanted[turn % len(wanted) :] + wanted[: turn % len(wanted)] if wanted else ():
                step(f"{taken.title}: {name}", taken.seconds)
                try:
                    figure = taken.take(subjects[name])
                except EngineError as error:
                    failures[f"{name}, {taken.title}"] = str(error)
                    continue
                figures.setdefault(name, {}).setdefault(title, []).append(figure)
                if keep:
                    keep.write_text(json.dumps(figures, indent=1))


def ordered(planned: Plan) -> list[str]:
    """Return the planned measures in their order."""
    wanted = {title for _, titles in planned.values() for title in titles}
    return [title for title in MEASURES if title in wanted]


def expected(planned: Plan, quick: bool) -> float:
    """Return the approximate duration in seconds."""
    takes = [MEASURES[title] for _, titles in planned.values() for title in titles]
    return 8 * len(planned) + sum(taken.seconds * (1 if quick else taken.rounds) for taken in takes)


def select(names: Sequence[str]) -> Sequence[Variant]:
    """Return the rows with these names, or all. Raises KeyError for an unknown name."""
    rows = {variant.name: variant for variant in VARIANTS}
    return [rows[name] for name in names] if names else VARIANTS


def machine(engine: Engine) -> str:
    """Return the machine, the engine and the versions in one line."""
    info = json.loads(engine.run("info", "--format={{json .}}"))
    client = json.loads(engine.run("version", "--format={{json .}}"))
    buildkit = engine.run("buildx", "inspect").split("BuildKit version:")[-1].split("\n")[0].strip()
    buildx = engine.run("buildx", "version").split()[1]
    memory = info["MemTotal"] / 2**30
    return (
        f"{info['NCPU']} processors ({info['Architecture']}), {memory:.0f} GiB, {info['OperatingSystem']}, "
        f"Docker Engine {client['Server']['Version']} ({info['Driver']}), buildx {buildx}, BuildKit {buildkit}, "
        f"load of the last minute {os.getloadavg()[0]:.1f}"
    )
