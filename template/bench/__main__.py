"""The command line: `python -m template.bench [--quick] [--peers] [ROW …]`; see `make bench`."""

import argparse
import signal
import sys

from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from template.bench import report, runs, styles
from template.bench.engine import Engine, EngineError
from template.bench.subject import PROJECT, EditError

DOCS = PROJECT / "docs" / "template"
# Each figure is saved here at once, so that nothing is lost if the run stops.
KEPT = PROJECT / "template" / ".bench.json"


def main() -> int:
    """Measure and print the table. Write the pages too if everything was measured."""
    arguments = parse()
    console = Console()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # A shell makes processes in the background ignore Ctrl-C: handle it there too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        rows = () if arguments.peers else runs.select(arguments.rows)
        engine = Engine()
    except KeyError as error:
        names = ", ".join(variant.name for variant in runs.select(()))
        return fail(f"unknown row {error}; the rows are {names}")
    except EngineError as error:
        return fail(str(error))
    figures: runs.Figures = {}
    failures: dict[str, str] = {}
    interrupted = False
    try:
        with runs.Workshop(engine) as workshop:
            planned = (
                styles.plan(workshop, arguments.quick)
                if arguments.peers
                else runs.plan(workshop, rows, arguments.quick)
            )
            with progress(console) as bar:
                task = bar.add_task("", total=runs.expected(planned, arguments.quick))
                spent = 0.0

                def step(title: str, seconds: float) -> None:
                    nonlocal spent
                    bar.update(task, completed=spent, description=title)
                    spent += seconds
                    if not console.is_terminal:
                        print(title, flush=True)

                runs.measure(planned, arguments.quick, step, figures, failures, KEPT)
    except EditError as error:
        return fail(f"{error}; update template/bench/variants.py")
    except EngineError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        interrupted = True
    machine = "; ".join(filter(None, (runs.machine(engine), arguments.note)))
    if arguments.peers:
        written = report.of_styles(figures, failures, machine)
    else:
        written = report.of_variants(rows, figures, failures, machine)
    console.print(Markdown(written.text) if console.is_terminal else written.text, soft_wrap=True, markup=False)
    for name, reason in failures.items():
        print(f"bench: not measured: {name}: {reason}", file=sys.stderr)
    if interrupted:
        print(f"bench: interrupted; the figures until then are in {KEPT.name}", file=sys.stderr)
        return 130
    if not arguments.quick and not arguments.rows:
        for name, text in written.files.items():
            (DOCS / name).write_text(text)
        print(f"written: {', '.join(f'docs/template/{name}' for name in written.files)}")
    return 1 if failures else 0


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m template.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="take each figure once, as a test of the benchmark")
    parser.add_argument("--peers", action="store_true", help="compare with the styles of other projects")
    parser.add_argument("--note", default="", help="a note about the machine, for the page")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows of docs/template/benchmarks.md; default: all")
    return parser.parse_args()


def progress(console: Console) -> Progress:
    """Return a progress bar with the current step and the remaining time."""
    columns = (
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    return Progress(*columns, console=console, disable=not console.is_terminal)


def fail(message: str) -> int:
    """Print what is wrong in one line, and return the exit code."""
    print(f"bench: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
