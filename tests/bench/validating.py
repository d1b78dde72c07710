"""Validating a repository as CI does: the whole program, cold, beside check-jsonschema."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from reconciler.documents.schemas import ALL, schemas
from tests.bench.figures import show, wall_ms
from tests.bench.holdings import PROVIDER, file_of, path_of

BIN = Path(sys.executable).parent
CONFIG = f"apiVersion: provider.virtengine.dev/v1beta1\nkind: Config\nprovider: {PROVIDER}\n"
TEMPLATE = Path(__file__).parents[2] / "state-repo-template"
OTHERS = ("pricing.yaml", "adapters/kubernetes.yaml", "adapters/ansible.yaml")
TIMES = 5


def bench_validating(count: int) -> None:
    """In turns, so that what else the machine does hits both alike."""
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory, "state")
        files = {path: (TEMPLATE / path).read_bytes() for path in OTHERS} | {"config.yaml": CONFIG.encode()}
        files |= {path_of(n): file_of(n) for n in range(1, count + 1)}
        for path, content in files.items():
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_bytes(content)
        schema = Path(directory, ALL)
        schema.write_text(schemas()[ALL])
        ours = [str(BIN / "provider-daemon"), "validate", "."]
        theirs = [str(BIN / "check-jsonschema"), "--schemafile", str(schema), *files]

        def run(command: list[str]) -> float:
            return wall_ms(lambda: subprocess.run(command, cwd=top, check=True, capture_output=True))

        taken = [(run(ours), run(theirs)) for _ in range(TIMES)]
    mine, other = (median(each) for each in zip(*taken, strict=True))
    show(f"check-jsonschema of {len(files)} files, cold", f"{other:.0f} ms")
    show(f"validate of the same {len(files)} files, cold", f"{mine:.0f} ms", f"{mine / other:.2f} x that")
