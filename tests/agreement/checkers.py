"""The same files before our own `validate` and before check-jsonschema."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from check_jsonschema import main
from click.testing import CliRunner

from reconciler.documents.files import read_file
from reconciler.documents.host import read_host
from reconciler.documents.host_model import HostFile
from reconciler.documents.kinds import KINDS

SCHEMAS = Path(__file__).parents[2] / "schemas"
_LEASE = re.compile(r"\b([dgo]seq): *([0-9]+)")


def schema_of(path: Path) -> Path:
    """A file's folder is named as the schema that its first line names."""
    return SCHEMAS / f"{path.parent.name}.json"


def refused_by_schema(paths: Iterable[Path]) -> dict[Path, list[str]]:
    """What check-jsonschema says against each file; one run for each schema."""
    told: dict[Path, list[str]] = {path: [] for path in paths}
    groups: dict[Path, list[Path]] = defaultdict(list)
    for path in told:
        groups[schema_of(path)].append(path)
    for schema, group in groups.items():
        ran = CliRunner().invoke(main, ["--schemafile", str(schema), "-o", "json", *map(str, group)])
        assert ran.exit_code in (0, 1), ran.output
        report = json.loads(ran.stdout)
        for error in (*report.get("errors", []), *report.get("parse_errors", [])):
            told[Path(error["filename"])].append(error["message"])
    return told


def refused_by_us(paths: Iterable[Path]) -> dict[Path, list[str]]:
    """What our own reader says against each file by itself."""
    return {path: _faults(path) for path in paths}


def _faults(path: Path) -> list[str]:
    content = path.read_bytes()
    if path.parent.name == "host":
        host = read_host(path.name, content)
        return [] if isinstance(host, HostFile) else [fault.describe() for fault in host]
    kind = next(kind for kind in KINDS if kind.schema == schema_of(path).name)
    read = read_file(_path_in_repository(path, content), content, kind.model, None)
    return [fault.describe() for fault in read.faults if not fault.warning]


def _path_in_repository(path: Path, content: bytes) -> str:
    """A workload's file is named after its lease, which is no matter of schemas."""
    if path.parent.name != "workload":
        return path.name
    found = dict(_LEASE.findall(content.decode("utf-8", "replace")))
    return f"workloads/{'-'.join(found.get(f'{letter}seq', '0') for letter in 'dgo')}-aaaaaaaaaa.yaml"
