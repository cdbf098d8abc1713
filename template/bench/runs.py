"""A run: the subjects made, and each measure taken of them in turn, round by round."""

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
# What takes as many seconds is left out of a quick run.
LONG = 3.5
ALONE = ("floor", "start", "stop", "edited", "unchanged", "rebuilt", "dependency", "cold", "context", "added",
         "whole", "unpacked", "pushed", "pushed dependency", "memory", "rate", "slowest")  # fmt: skip
# The name of a subject, then of a measure: what was measured, round by round, in the unit of the measure.
Figures = dict[str, dict[str, list[float]]]
# A subject, and the measures to take of it.
Plan = dict[str, tuple[Callable[[], Subject], list[str]]]


class Workshop:
    """Where subjects are made: folders of their own, which go with it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._folder = tempfile.TemporaryDirectory(prefix=f"{engine.mark}-")
        # Once: who goes on working meanwhile changes nothing of what is measured.
        self._project = self.folder("as-it-is")
        copy(self._project)

    def __enter__(self) -> "Workshop":
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()
        self.engine.clean()

    def folder(self, name: str) -> Path:
        """A new folder."""
        folder = Path(self._folder.name, name)
        folder.mkdir()
        return folder

    def project(self) -> Subject:
        """The project as it is."""
        return self._subject("project", ())

    def reference(self, variant: Variant) -> Subject:
        """What the variant is compared with, where that is not the project as it is."""
        return self._subject(f"{variant.name}-reference", variant.reference, variant)

    def variant(self, variant: Variant) -> Subject:
        """The project with the variant's technique undone."""
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
    """What to measure for these rows: the project once, however many it is compared with.

    To be `quick`, of each row the first measure that does not take long, if there is one.
    """
    # What it takes by itself, if all of it is looked at.
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
    """The name of what the variant is compared with."""
    return f"{variant.name}, as it should be" if variant.reference or variant.litter else PROJECT


def measure(
    planned: Plan,
    quick: bool,
    step: Callable[[str, float], None],
    figures: Figures,
    failures: dict[str, str],
    keep: Path | None = None,
) -> None:
    """Make the subjects, and take the measures: into `figures`, as they come, and into the file `keep` as JSON.

    A round is one figure of each subject, in turn, and the next round begins with the next subject: whatever the
    machine does meanwhile, it does to all of them. What fails is named in `failures`, by subject, and left out. `step`
    is told what is done next, and how many seconds that should take.
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
    """The measures that are planned, in their order."""
    wanted = {title for _, titles in planned.values() for title in titles}
    return [title for title in MEASURES if title in wanted]


def expected(planned: Plan, quick: bool) -> float:
    """About how many seconds it takes."""
    takes = [MEASURES[title] for _, titles in planned.values() for title in titles]
    return 8 * len(planned) + sum(taken.seconds * (1 if quick else taken.rounds) for taken in takes)


def select(names: Sequence[str]) -> Sequence[Variant]:
    """The rows of these names, or all. Raises KeyError for a name that there is not."""
    rows = {variant.name: variant for variant in VARIANTS}
    return [rows[name] for name in names] if names else VARIANTS


def machine(engine: Engine) -> str:
    """The machine, the engine and the versions, in a line."""
    told = json.loads(engine.run("info", "--format={{json .}}"))
    client = json.loads(engine.run("version", "--format={{json .}}"))
    buildkit = engine.run("buildx", "inspect").split("BuildKit version:")[-1].split("\n")[0].strip()
    buildx = engine.run("buildx", "version").split()[1]
    memory = told["MemTotal"] / 2**30
    return (
        f"{told['NCPU']} processors ({told['Architecture']}), {memory:.0f} GiB, {told['OperatingSystem']}, "
        f"Docker Engine {client['Server']['Version']} ({told['Driver']}), buildx {buildx}, BuildKit {buildkit}, "
        f"load of the last minute {os.getloadavg()[0]:.1f}"
    )
