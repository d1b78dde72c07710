"""`python -m tests.replay [FILES]` prints differences and the number of steps; exits with 1 for a new one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.replay.certificates import replay_certificates
from tests.replay.clients import replay_client
from tests.replay.grpc_calls import replay_grpc_calls
from tests.replay.known import KNOWN
from tests.replay.manifests import replay_manifests, replay_sdl, vectors_of
from tests.replay.portal import replay_portal
from tests.replay.replaying import Replay, Report
from tests.replay.signed_requests import replay_signed_requests
from tests.replay.tokens import replay_tokens
from tests.replay.transcript import read

VECTORS = Path(__file__).parent.parent / "vectors"


def main(names: list[str]) -> int:
    """Replay files, all recordings by default; the exit code."""
    paths = [Path(name) for name in names] or [*transcripts(), *tenant_recordings()]
    unknown = 0
    for path in paths:
        report = replayed(path)
        if report is None:
            print(f"{path.stem}: no recording of a kind that is replayed")
            continue
        for difference in report.differences:
            reason = KNOWN.get((difference.file, difference.step))
            unknown += reason is None
            print(f"{difference}{f' (known: {reason})' if reason else ''}")
        for note in report.notes:
            print(f"{report.file}: {note}")
        print(f"{report.file}: {report.compared} steps compared, {len(report.differences)} differences")
    return 1 if unknown else 0


def replayed(path: Path) -> Report | None:
    """What the replay of a file finds; None for a file of another kind."""
    if is_transcript(path):
        return Replay(read(path)).run()
    first = vectors_of(path)[0]
    return next((replay(path) for key, replay in OF_LISTS.items() if key in first), None)


OF_LISTS = {
    "published": replay_manifests,
    "sdl": replay_sdl,
    "token": replay_tokens,
    "presented": replay_certificates,
    "requests": replay_signed_requests,
    "url": replay_portal,
    "metadata": replay_grpc_calls,
    "call": replay_client,
}
"""The replay of a list of cases, by a key of its first entry."""


def tenant_recordings() -> list[Path]:
    """The recordings of what tenants send: SDL files, manifests, tokens, certificates, signed requests."""
    return [VECTORS / "manifests.json", *sorted((VECTORS / "tenant").rglob("*.jsonl"))]


def transcripts() -> list[Path]:
    """Every recording that is a transcript of steps."""
    return sorted(path for path in VECTORS.glob("*.jsonl") if is_transcript(path))


def is_transcript(path: Path) -> bool:
    """Whether a file begins with a genesis; a websocket's recording does not."""
    with path.open("rb") as lines:
        return path.suffix == ".jsonl" and "genesis" in json.loads(lines.readline())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
