"""`python -m tests.replay [FILES]` prints differences and the number of steps; exits with 1 for a new one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.replay.known import KNOWN
from tests.replay.replaying import Replay
from tests.replay.transcript import read

VECTORS = Path(__file__).parent.parent / "vectors"


def main(names: list[str]) -> int:
    """Replay files, all recordings by default; the exit code."""
    paths = [Path(name) for name in names] or transcripts()
    unknown = 0
    for path in paths:
        if not is_transcript(path):
            print(f"{path.stem}: no transcript of steps, not replayed")
            continue
        report = Replay(read(path)).run()
        for difference in report.differences:
            reason = KNOWN.get((difference.file, difference.step))
            unknown += reason is None
            print(f"{difference}{f' (known: {reason})' if reason else ''}")
        for note in report.notes:
            print(f"{report.file}: {note}")
        print(f"{report.file}: {report.compared} steps compared, {len(report.differences)} differences")
    return 1 if unknown else 0


def transcripts() -> list[Path]:
    """Every recording that is a transcript of steps."""
    return sorted(path for path in VECTORS.glob("*.jsonl") if is_transcript(path))


def is_transcript(path: Path) -> bool:
    """Whether a file begins with a genesis; a websocket's recording does not."""
    with path.open("rb") as lines:
        return "genesis" in json.loads(lines.readline())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
