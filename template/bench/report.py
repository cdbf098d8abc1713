"""The figures as a page of Markdown, with its charts."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from template.bench import styles
from template.bench.chart import Bar, bars, number
from template.bench.measures import MEASURES, Measure
from template.bench.runs import PROJECT, Figures, reference
from template.bench.variants import Variant

HOW_TO_READ = """\
Each figure is the median of several rounds, with the least and the most of them in brackets; a round measures one after
the other, and the next begins with the next, so that whatever else the machine does is done to all. A difference is
told where the rounds of the two do not overlap, and the medians are more than 2 % and more than 0.05 MB or 0.02 s
apart. Compare the figures of one run with each other, not with those of another machine. Sizes are compressed, as a
registry sends them, unless it says otherwise."""


# What nobody would notice, however many times it is: MB of a hundred, seconds of a build or a start.
MATTERS = {"MB": 0.05, "s": 0.02}


@dataclass(frozen=True)
class Report:
    """A page to print, and the files that go with it: their names in docs/template/, and what is in them."""

    text: str
    files: dict[str, str] = field(default_factory=dict)


def written(figures: Sequence[float] | None, taken: Measure) -> str:
    """The median, and the least and the most where they differ."""
    if not figures:
        return "not measured"
    median, least, most = (number(value) for value in (statistics.median(figures), min(figures), max(figures)))
    return f"{median} {taken.unit}" + (f" ({least} to {most})" if least != most else "")


def difference(with_it: Sequence[float] | None, without: Sequence[float] | None, taken: Measure) -> str:
    """What leaving it out changes, in words; nothing where the rounds overlap or the medians are within 2 %."""
    if not with_it or not without:
        return "-"
    a, b = statistics.median(with_it), statistics.median(without)
    apart = min(with_it) > max(without) or max(with_it) < min(without)
    if not apart or abs(b - a) <= max(0.02 * a, MATTERS.get(taken.unit, 0)):
        return "no difference"
    word = "better" if (b - a) * taken.better < 0 else "worse"
    if not min(a, b):
        return f"{word} with it"
    times = max(a, b) / min(a, b)
    return f"{times:,.0f} times {word} with it" if times >= 10 else f"{times:.2f} times {word} with it"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join([_row(head), _row(["---"] * len(head)), *map(_row, rows)])


def _compared(row: Variant, name: str, figures: Figures) -> tuple[str, str, str]:
    with_it, without = (figures.get(subject, {}).get(name) for subject in (reference(row), row.name))
    taken = MEASURES[name]
    return written(with_it, taken), written(without, taken), difference(with_it, without, taken)


def of_variants(rows: Sequence[Variant], figures: Figures, failures: dict[str, str], machine: str) -> Report:
    """What each line buys: the page docs/template/benchmarks.md."""
    files = {name: text for name, text in charts(figures).items() if text}
    parts = [
        "# What each line of the Dockerfile buys",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}, as it came; `make bench ONLY=row` measures one row "
        "anew and prints it. Each row is the project's own Dockerfile beside the same with one thing undone, by an "
        "edit that fails where it does not apply any more.",
        HOW_TO_READ,
        f"Measured on: {machine}.",
        "\n".join(f'<img src="{name}" alt="{_title(text)}" width="760">\n' for name, text in files.items()).strip(),
        "## The project as it is",
        of_project(figures),
    ]
    techniques = [row for row in rows if row.technique]
    if techniques:
        head = ["technique", "the design card says", "figure", "with it", "without it", ""]
        cells = [[f"[{row.technique}](#{row.name})", row.claim, *_key(row, figures)] for row in techniques]
        parts += ["## The card's techniques", _table(head, cells)]
    mistakes = [row for row in rows if row.anti_pattern]
    if mistakes:
        head = ["anti-pattern", "figure", "avoided", "not avoided", ""]
        cells = [[f"[{row.anti_pattern}](#{row.name})", *_key(row, figures)] for row in mistakes]
        parts += ["## The card's anti-patterns", _table(head, cells)]
    parts.append("## Every row")
    for row in rows:
        cells = [[MEASURES[name].title, *_compared(row, name, figures)] for name in row.measures]
        parts += [f"### {row.name}", f"With it: {row.title}. Without it: {row.undone}."]
        parts += [_table(["", "with it", "without it", ""], cells)]
        parts += filter(None, [row.note, _reused(row, figures)])
    if failures:
        parts += ["## Not measured", "\n".join(f"- {name}: {reason}" for name, reason in failures.items())]
    text = "\n\n".join(parts) + "\n"
    return Report(text, {"benchmarks.md": text} | files)


def _key(row: Variant, figures: Figures) -> list[str]:
    name = row.measures[0]
    return [MEASURES[name].title, *_compared(row, name, figures)]


def _reused(row: Variant, figures: Figures) -> str:
    """What there is to say where pip was allowed to keep nothing."""
    told = [figures.get(subject, {}).get("downloads") for subject in (PROJECT, row.name)]
    if "downloads" in row.measures and told[0] and told[0] == told[1]:
        return (
            "In this run the mount was of no use: pip keeps what the package index allows to be kept, and the one that "
            "was asked allows nothing. The one that pip asks unless told otherwise allows it."
        )
    return ""


def of_project(figures: Figures) -> str:
    """What the project takes, and what that is compared with what it cannot do without."""
    own = figures.get(PROJECT, {})
    rows = [[taken.title, written(own.get(name), taken)] for name, taken in MEASURES.items() if own.get(name)]
    for name, least in (("start", "floor"), ("rebuilt", "unchanged")):
        if own.get(name) and own.get(least):
            times = statistics.median(own[name]) / statistics.median(own[least])
            rows.append([f"{MEASURES[name].title}, beside {MEASURES[least].title}", f"{times:.2f} times"])
    return _table(["", ""], rows)


def charts(figures: Figures) -> dict[str, str]:
    """The charts whose figures were measured, by the names of their files."""
    own = figures.get(PROJECT, {})

    def pick(*wanted: tuple[str, str, str]) -> list[Bar]:
        found = ((label, figures.get(subject, {}).get(name), subject, name) for label, subject, name in wanted)
        # The empty interpreter is nobody's.
        return [
            Bar(label, them, subject == PROJECT and name != "floor") for label, them, subject, name in found if them
        ]

    start = pick(
        ("an empty interpreter", PROJECT, "floor"),
        ("this image", PROJECT, "start"),
        ("without the library's bytecode", "stdlib-bytecode", "start"),
        ("without any bytecode", "bytecode", "start"),
        ("with tools, tests and source", "single-stage", "start"),
    )
    build = pick(
        ("nothing changed", PROJECT, "unchanged"),
        ("one line changed", PROJECT, "rebuilt"),
        ("the same, app compiled", "app-bytecode", "rebuilt"),
        ("the same, source copied first", "layer-order", "rebuilt"),
        ("one more package", PROJECT, "dependency"),
        ("nothing reused", PROJECT, "cold"),
    )
    pull = pick(
        ("this image after a change", PROJECT, "pushed"),
        ("this image, base and all", PROJECT, "whole"),
        ("on the full image", "full-image", "whole"),
    )
    drawn = {
        "benchmarks-start.svg": ("From docker run to the first answer", "s", "median; line: least to most", start),
        "benchmarks-build.svg": ("From docker build to the image", "s", "median; line: least to most", build),
        "benchmarks-pull.svg": ("What is pulled", "MB", "compressed, as a registry sends it", pull),
    }
    return {name: bars(*chart) if own and len(chart[3]) > 1 else "" for name, chart in drawn.items()}


def _title(svg: str) -> str:
    return svg.partition('<title id="t">')[2].partition("</title>")[0]


def of_styles(figures: Figures, failures: dict[str, str], machine: str) -> Report:
    """The styles beside each other: the page docs/template/peers.md."""
    names = list(figures)
    files = {name: text for name, text in charts_of_styles(figures).items() if text}
    rows, behind = [], []
    for title, taken in MEASURES.items():
        medians = {
            name: statistics.median(figures[name][title]) * -taken.better for name in names if figures[name].get(title)
        }
        if not medians:
            continue
        first = min(medians, key=lambda name: medians[name])
        # Not behind who is first where the two cannot be told apart.
        equal = {
            name for name in medians if name == first or _equal(figures[name][title], figures[first][title], taken)
        }
        cells = (written(figures[name].get(title), taken) for name in names)
        rows.append(
            [taken.title, *(f"**{cell}**" if name in equal else cell for name, cell in zip(names, cells, strict=True))]
        )
        if styles.OURS in medians and styles.OURS not in equal:
            behind.append([taken.title, first, styles.REASONS.get(title, "no reason is known")])
    parts = [
        "# The same work in other styles",
        f"Written by `make bench-peers` on {datetime.now(UTC):%Y-%m-%d}, as it came. The same app of one route "
        "with the same packages, in the styles that people would otherwise pick: "
        "[template/bench/peers](../../template/bench/peers/README.md) says what each is taken from, and what was "
        "changed so that all do the same. All ask the same parser for HTTP. In bold: who is first, and whoever cannot "
        "be told apart from it.",
        HOW_TO_READ,
        f"Measured on: {machine}.",
        "\n".join(f'<img src="{name}" alt="{_title(text)}" width="760">\n' for name, text in files.items()).strip(),
        _table(["", *names], rows),
        "## Where this project is not first",
        _table(["", "first", "why"], behind) if behind else "Nowhere, in this run.",
    ]
    if failures:
        parts += ["## Not measured", "\n".join(f"- {name}: {reason}" for name, reason in failures.items())]
    text = "\n\n".join(parts) + "\n"
    return Report(text, {"peers.md": text} | files)


def _equal(figures: Sequence[float], first: Sequence[float], taken: Measure) -> bool:
    return difference(first, figures, taken) == "no difference"


def charts_of_styles(figures: Figures) -> dict[str, str]:
    """The charts, by the names of their files."""
    drawn = {
        "peers-start.svg": ("From docker run to the first answer", "s", "start"),
        "peers-rebuild.svg": ("From one line changed to the image", "s", "rebuilt"),
        "peers-pull.svg": ("To push and to pull after one line changed", "MB", "pushed"),
    }
    files = {}
    for name, (title, unit, taken) in drawn.items():
        rows = [
            Bar(subject, values[taken], subject == styles.OURS)
            for subject, values in figures.items()
            if values.get(taken)
        ]
        files[name] = bars(title, unit, "median; line: least to most", rows) if len(rows) > 1 else ""
    return files
