"""The figures as Markdown pages with charts."""

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
Each figure is the median of several rounds, followed by their range. Each round measures all images once and starts
with another one, so other load on the machine affects them equally. Two figures count as different if their ranges do
not overlap and their medians are more than 2 % apart. Differences of up to 0.05 MB or 0.02 s do not count. Sizes are
compressed unless stated otherwise. Compare only figures from the same run."""


# Ignore smaller differences, however large they are relatively: nobody would notice them.
MATTERS = {"MB": 0.05, "s": 0.02}


@dataclass(frozen=True)
class Report:
    """A page to print, and the files to write in docs/template/, by name."""

    text: str
    files: dict[str, str] = field(default_factory=dict)


def written(figures: Sequence[float] | None, taken: Measure) -> str:
    """Return the median, with the range from minimum to maximum if they differ."""
    if not figures:
        return "not measured"
    median, least, most = (number(value) for value in (statistics.median(figures), min(figures), max(figures)))
    return f"{median} {taken.unit}".strip() + (f" ({least} to {most})" if least != most else "")


def difference(with_it: Sequence[float] | None, without: Sequence[float] | None, taken: Measure) -> str:
    """Return the change without the technique, or "-" if the rounds overlap or the medians are within 2 %."""
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
    """Return the page docs/template/benchmarks.md."""
    files = {name: text for name, text in charts(figures).items() if text}
    parts = [
        "# Benchmark of the Dockerfile",
        "This page shows the effect of each technique in the [Dockerfile](../dockerfile.md). Each row compares the "
        "Dockerfile with a copy in which an edit undoes one technique. The card is the pattern that the Dockerfile "
        f"follows. `make bench` generated this page on {datetime.now(UTC):%Y-%m-%d}. `make bench ONLY=cache-mount` "
        "measures and prints one row.",
        HOW_TO_READ,
        f"Measured on: {machine}.",
        "\n".join(f'<img src="{name}" alt="{_title(text)}" width="760">\n' for name, text in files.items()).strip(),
        "## The project",
        of_project(figures),
    ]
    techniques = [row for row in rows if row.technique]
    if techniques:
        head = ["technique", "the card says", "figure", "with", "without", "difference"]
        cells = [[f"[{row.technique}](#{row.name})", row.claim, *_key(row, figures)] for row in techniques]
        parts += ["## The card's techniques", _table(head, cells)]
    mistakes = [row for row in rows if row.anti_pattern]
    if mistakes:
        head = ["anti-pattern", "figure", "avoided", "not avoided", "difference"]
        cells = [[f"[{row.anti_pattern}](#{row.name})", *_key(row, figures)] for row in mistakes]
        parts += ["## The card's anti-patterns", _table(head, cells)]
    parts.append("## Every row")
    for row in rows:
        cells = [[MEASURES[name].title, *_compared(row, name, figures)] for name in row.measures]
        parts += [f"### {row.name}", f"With: {row.title}. Without: {row.undone}."]
        parts += [_table(["figure", "with", "without", "difference"], cells)]
        parts += filter(None, [row.note, _reused(row, figures)])
    if failures:
        parts += ["## Not measured", "\n".join(f"- {name}: {reason}" for name, reason in failures.items())]
    text = "\n\n".join(parts) + "\n"
    return Report(text, {"benchmarks.md": text} | files)


def _key(row: Variant, figures: Figures) -> list[str]:
    name = row.measures[0]
    return [MEASURES[name].title, *_compared(row, name, figures)]


def _reused(row: Variant, figures: Figures) -> str:
    """Return a note if pip's cache had no effect."""
    told = [figures.get(subject, {}).get("downloads") for subject in (PROJECT, row.name)]
    if "downloads" in row.measures and told[0] and told[0] == told[1]:
        return (
            "In this run, the cache mount had no effect, because the package index of this machine forbids caching. "
            "pip's default index allows it."
        )
    return ""


def of_project(figures: Figures) -> str:
    """Return the table of the project's own figures, compared with their lower bounds."""
    own = figures.get(PROJECT, {})
    rows = [[taken.title, written(own.get(name), taken)] for name, taken in MEASURES.items() if own.get(name)]
    for name, least in (("start", "floor"), ("rebuilt", "unchanged")):
        if own.get(name) and own.get(least):
            times = statistics.median(own[name]) / statistics.median(own[least])
            rows.append([f"{MEASURES[name].title}, compared with {MEASURES[least].title}", f"{times:.2f} times"])
    return _table(["figure", "value"], rows)


def charts(figures: Figures) -> dict[str, str]:
    """Return the charts whose figures were measured, by file name."""
    own = figures.get(PROJECT, {})

    def pick(*wanted: tuple[str, str, str]) -> list[Bar]:
        found = ((label, figures.get(subject, {}).get(name), subject, name) for label, subject, name in wanted)
        # The empty interpreter does not belong to any subject.
        return [
            Bar(label, them, subject == PROJECT and name != "floor") for label, them, subject, name in found if them
        ]

    start = pick(
        ("an empty interpreter", PROJECT, "floor"),
        ("this image", PROJECT, "start"),
        ("without stdlib bytecode", "stdlib-bytecode", "start"),
        ("without any bytecode", "bytecode", "start"),
        ("with tools, tests and source", "single-stage", "start"),
    )
    build = pick(
        ("no change", PROJECT, "unchanged"),
        ("a changed line", PROJECT, "rebuilt"),
        ("a changed line, app compiled", "app-bytecode", "rebuilt"),
        ("a changed line, source first", "layer-order", "rebuilt"),
        ("an added package", PROJECT, "dependency"),
        ("cold", PROJECT, "cold"),
    )
    pull = pick(
        ("a changed line", PROJECT, "pushed"),
        ("the whole image", PROJECT, "whole"),
        ("the whole image, full base", "full-image", "whole"),
    )
    drawn = {
        "benchmarks-start.svg": ("From docker run to the first response", "s", "median; line: range", start),
        "benchmarks-build.svg": ("Build time", "s", "median; line: range", build),
        "benchmarks-pull.svg": ("Download size", "MB", "compressed", pull),
    }
    return {name: bars(*chart) if own and len(chart[3]) > 1 else "" for name, chart in drawn.items()}


def _title(svg: str) -> str:
    return svg.partition('<title id="t">')[2].partition("</title>")[0]


def of_styles(figures: Figures, failures: dict[str, str], machine: str) -> Report:
    """Return the page docs/template/peers.md, which compares the styles."""
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
        # Skip differences that cannot be distinguished from noise.
        equal = {
            name for name in medians if name == first or _equal(figures[name][title], figures[first][title], taken)
        }
        cells = (written(figures[name].get(title), taken) for name in names)
        rows.append(
            [taken.title, *(f"**{cell}**" if name in equal else cell for name, cell in zip(names, cells, strict=True))]
        )
        if styles.OURS in medians and styles.OURS not in equal:
            behind.append([taken.title, first, styles.REASONS.get(title, "unknown")])
    parts = [
        "# Comparison with other images",
        "This page compares the project's image with images in the styles of FastAPI's documentation, uv's example and "
        "a virtual environment. All serve the same app of one route, with the same packages and the same HTTP parser. "
        "[Peer images](../../template/bench/peers/README.md) lists the sources and the changes. "
        f"`make bench-peers` generated this page on {datetime.now(UTC):%Y-%m-%d}. "
        "Bold figures are the best ones and those that do not differ from them.",
        HOW_TO_READ,
        f"Measured on: {machine}.",
        "\n".join(f'<img src="{name}" alt="{_title(text)}" width="760">\n' for name, text in files.items()).strip(),
        _table(["", *names], rows),
        "## Where another image is better",
        _table(["figure", "best", "reason"], behind) if behind else "In this run, no other image is better.",
    ]
    if failures:
        parts += ["## Not measured", "\n".join(f"- {name}: {reason}" for name, reason in failures.items())]
    text = "\n\n".join(parts) + "\n"
    return Report(text, {"peers.md": text} | files)


def _equal(figures: Sequence[float], first: Sequence[float], taken: Measure) -> bool:
    return difference(first, figures, taken) == "no difference"


def charts_of_styles(figures: Figures) -> dict[str, str]:
    """Return the charts by file name."""
    drawn = {
        "peers-start.svg": ("From docker run to the first response", "s", "start"),
        "peers-rebuild.svg": ("Build after a changed line", "s", "rebuilt"),
        "peers-pull.svg": ("Pushed and pulled after a changed line", "MB", "pushed"),
    }
    files = {}
    for name, (title, unit, taken) in drawn.items():
        rows = [
            Bar(subject, values[taken], subject == styles.OURS)
            for subject, values in figures.items()
            if values.get(taken)
        ]
        files[name] = bars(title, unit, "median; line: range", rows) if len(rows) > 1 else ""
    return files
