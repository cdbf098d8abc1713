"""Bar charts as SVG, for light and dark pages."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, LABELS, ROW, HEAD = 760, 260, 30, 64
STYLE = """
svg { --page: #ffffff; --text: #1f2328; --dim: #59636e; --bar: #b6c2cf; --own: #0969da }
@media (prefers-color-scheme: dark) {
  svg { --page: #0d1117; --text: #f0f6fc; --dim: #9198a1; --bar: #3d444d; --own: #4493f8 }
}
text { font: 13px system-ui, sans-serif; fill: var(--text) }
.title { font-size: 16px; font-weight: 600 }
.dim { fill: var(--dim) }
.page { fill: var(--page) }
.bar { fill: var(--bar) }
.own { fill: var(--own) }
.spread { stroke: var(--text); stroke-width: 1.5 }
"""


@dataclass(frozen=True)
class Bar:
    """A bar: its label, the figures of several rounds, and whether it is this project's own."""

    label: str
    figures: Sequence[float]
    own: bool = False


def bars(title: str, unit: str, below: str, rows: Sequence[Bar]) -> str:
    """Return the chart. Bars show the medians, and lines the range from minimum to maximum."""
    height = HEAD + ROW * len(rows) + 16
    longest = max(max(row.figures) for row in rows)
    scale = (WIDTH - LABELS - 110) / longest
    description = "; ".join(f"{row.label}: {number(statistics.median(row.figures))} {unit}" for row in rows)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="t d">',
        f'<title id="t">{escape(title)}</title>',
        f'<desc id="d">{escape(description)}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="6"/>',
        f'<text class="title" x="16" y="26">{escape(title)}</text>',
        f'<text class="dim" x="16" y="46">{escape(below)}</text>',
    ]
    for index, row in enumerate(rows):
        top = HEAD + ROW * index
        median, least, most = statistics.median(row.figures), min(row.figures), max(row.figures)
        name, width = "own" if row.own else "bar", median * scale
        lines += [
            f'<text x="{LABELS - 10}" y="{top + 17}" text-anchor="end">{escape(row.label)}</text>',
            f'<rect class="{name}" x="{LABELS}" y="{top + 4}" width="{width:.1f}" height="{ROW - 11}" rx="2"/>',
        ]
        if least < most:
            middle = top + 4 + (ROW - 11) / 2
            lines.append(
                f'<line class="spread" x1="{LABELS + least * scale:.1f}" x2="{LABELS + most * scale:.1f}"'
                f' y1="{middle}" y2="{middle}"/>'
            )
        end = LABELS + most * scale + 8
        lines.append(f'<text x="{end:.1f}" y="{top + 17}">{number(median)} {escape(unit)}</text>')
    return "\n".join([*lines, "</svg>", ""])


def number(value: float) -> str:
    """Return the figure with its significant digits."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 0.1 else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
