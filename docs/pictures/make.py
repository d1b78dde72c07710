"""Make the two pictures of the README from one run of the demo (`make pictures`; needs Chromium)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from xml.sax.saxutils import escape

from reconciler.devnet.demo_money import STEPS
from reconciler.devnet.home import Home

FOLDER = Path(__file__).parent
PAGE = FOLDER / "page.png"
DEMO = FOLDER / "demo.svg"
PAGE_SIZE = (1280, 1110)
PAGE_STEP = "withdrawn"
"""The step of the demo that the picture of the page is taken in."""
PAGE_BYTES_MIN = 120_000
"""A picture of the page without data is smaller; it is taken again."""
COLUMNS, ROWS, ROWS_AT_START = 100, 28, 10
LINE_HEIGHT, CHARACTER_WIDTH, MARGIN = 18, 7.9, 14
GAP_SECONDS_MIN, GAP_SECONDS_MAX, END_SECONDS = 0.3, 1.5, 8.0
STYLE = "fill:#c9d1d9;font:13px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre"

Recording = list[tuple[float, str]]
"""Each line of a terminal, with the second in which it was printed."""


def main() -> None:
    """Play the demo; write both pictures."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as directory:
        recording = record(Home(Path(directory) / "world"))
    DEMO.write_text(animation(recording), encoding="utf-8")


def record(home: Home) -> Recording:
    """Run the demo and take its lines, and the picture of the page while leases are running."""
    awaited = next(step.title for step in STEPS if step.name == PAGE_STEP)
    lines, began = [(0.0, "$ make demo")], time.monotonic()
    command = [sys.executable, "-m", "reconciler", "demo", "--keep", str(home.directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            lines.append((time.monotonic() - began, line.rstrip()))
            if awaited in line:
                photograph(f"http://127.0.0.1:{home.facts().ports.api}/")
    if demo.returncode:
        raise SystemExit(f"the demo failed with exit code {demo.returncode}: {lines[-1][1]}")
    return lines[:-2]  # without the hints about the directory, which is gone


def photograph(url: str) -> None:
    """Write the picture of the page, once its data has arrived."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("install Chromium: it draws the page")
    size = ",".join(map(str, PAGE_SIZE))
    options = ["--headless=new", "--no-sandbox", "--hide-scrollbars", "--timeout=5000"]
    command = [browser, *options, f"--window-size={size}", f"--screenshot={PAGE}", url]
    for _ in range(5):
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        if PAGE.stat().st_size >= PAGE_BYTES_MIN:
            return
    raise SystemExit("the page showed no data in time; run it again on an idle machine")


def animation(recording: Recording) -> str:
    """An SVG that shows the lines one after the other, and the last ones where animation is off.

    All lines are in one group. A cover moves down with the newest line, and the group moves up once
    the window is full.
    """
    rows: list[str] = []
    shown: list[tuple[float, int]] = []
    seconds = 0.0
    for index, (at, line) in enumerate(recording):
        if index:
            gap = at - recording[index - 1][0]
            seconds += min(max(gap, GAP_SECONDS_MIN), GAP_SECONDS_MAX)
        rows += _rows(line)
        shown.append((seconds, max(len(rows), ROWS_AT_START)))
    duration = seconds + END_SECONDS
    width = round(COLUMNS * CHARACTER_WIDTH + 2 * MARGIN)
    height = ROWS * LINE_HEIGHT + 2 * MARGIN
    text = "\n".join(f'<text y="{y * LINE_HEIGHT + 13}">{row}</text>' for y, row in enumerate(rows))
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<title>The output of make demo, which takes {recording[-1][0]:.0f} seconds</title>
<style>
text {{ {STYLE} }}
.time {{ fill: #6e7681 }} .result {{ fill: #7ee787 }} .step {{ fill: #ffffff }}
.lines, .cover {{ animation: {duration:.1f}s step-end infinite }}
.lines {{ {_move(-_scroll(len(rows)))}; animation-name: lines }}
.cover {{ {_move(len(rows) * LINE_HEIGHT)}; animation-name: cover }}
@keyframes lines {{ {_frames(duration, [(at, -_scroll(count)) for at, count in shown])} }}
@keyframes cover {{ {_frames(duration, [(at, count * LINE_HEIGHT) for at, count in shown])} }}
@media (prefers-reduced-motion: reduce) {{ .lines, .cover {{ animation: none }} }}
</style>
<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>
<svg x="{MARGIN}" y="{MARGIN}" width="{width - 2 * MARGIN}" height="{ROWS * LINE_HEIGHT}">
<g class="lines" xml:space="preserve">
{text}
<rect class="cover" width="{width}" height="{(len(rows) + ROWS) * LINE_HEIGHT}" fill="#0d1117"/>
</g>
</svg>
</svg>
"""


def _rows(line: str) -> list[str]:
    """The line, wrapped, as text of the SVG; its time, a step and its result have colours of their own."""
    stamp, rest = (line[:8], line[8:]) if line[5:8] == "s  " else ("", line)
    indent = " " * len(stamp) + "    "
    first, *more = textwrap.wrap(rest, COLUMNS - len(stamp), drop_whitespace=False) or [""]
    more = [part for each in more for part in textwrap.wrap(each, COLUMNS - len(indent))]
    kind = "result" if rest.lstrip().startswith("->") else "step" if stamp else "text"
    return [
        f'<tspan class="time">{stamp}</tspan><tspan class="{kind}">{escape(first)}</tspan>',
        *(f'<tspan class="{kind}">{indent}{escape(part)}</tspan>' for part in more),
    ]


def _scroll(count: int) -> int:
    return max(0, count - ROWS) * LINE_HEIGHT


def _move(pixels: int) -> str:
    return f"transform: translateY({pixels}px)"


def _frames(duration_seconds: float, moves: list[tuple[float, int]]) -> str:
    """Keyframes of vertical moves in pixels, each at a second of the animation."""
    return " ".join(f"{100 * at / duration_seconds:.2f}% {{ {_move(pixels)} }}" for at, pixels in moves)


if __name__ == "__main__":
    main()
