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
# The figures as they come, so that nothing is lost whatever happens.
KEPT = PROJECT / "template" / ".bench.json"


def main() -> int:
    """Measure, print the table, and write it where it belongs if all of it was measured."""
    arguments = parse()
    console = Console()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Also where whoever started it has Ctrl-C ignored, as a shell does for what runs in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        rows = () if arguments.peers else runs.select(arguments.rows)
        engine = Engine()
    except KeyError as error:
        names = ", ".join(variant.name for variant in runs.select(()))
        return fail(f"there is no row {error}; the rows are {names}")
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
        return fail(f"{error}. The product has changed: change template/bench/variants.py with it")
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
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m template.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="each figure once: that it can be had, not what it is")
    parser.add_argument("--peers", action="store_true", help="beside the styles that people would otherwise pick")
    parser.add_argument("--note", default="", help="what else is to be said of the machine, for the page")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="of docs/template/benchmarks.md; all unless told")
    return parser.parse_args()


def progress(console: Console) -> Progress:
    """A bar with what is done now and the time that is left."""
    columns = (
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    return Progress(*columns, console=console, disable=not console.is_terminal)


def fail(message: str) -> int:
    """Say what is wrong, in a line."""
    print(f"bench: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
