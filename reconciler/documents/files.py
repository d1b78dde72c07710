"""One file: parsed, validated by itself and converted to values; a pure function of path and bytes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from reconciler.documents.adapter_models import AnsibleFile, KubernetesFile
from reconciler.documents.config_model import ConfigFile
from reconciler.documents.convert import (
    ansible_of,
    config_of,
    kubernetes_of,
    lease_of,
    pricing_of,
    workload_of,
)
from reconciler.documents.document import BrokenFileError, Document, SourcePosition
from reconciler.documents.kinds import WORKLOADS, form_of
from reconciler.documents.model import FileModel
from reconciler.documents.plausibility import margin_warnings, workload_warnings
from reconciler.documents.pricing_faults import (
    multiplier_places,
    price_places,
    price_warnings,
    pricing_faults,
)
from reconciler.documents.pricing_model import PricingFile
from reconciler.documents.validation_faults import empty_faults, validation_faults
from reconciler.documents.workload_model import WorkloadFile
from reconciler.documents.yaml_reader import read_yaml
from reconciler.values.bounds import ROUNDING
from reconciler.values.desired import AdapterSettings, Config, Fault, Pricing, Workload
from reconciler.values.ids import WorkloadId, workload_id

Value = Config | Pricing | AdapterSettings | Workload

FILE_BYTES_MAX = 1024 * 1024
"""Largest accepted file."""

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_NO_LFS = "commit the file itself: take its pattern out of .gitattributes, then git add --renormalize"

_ID = re.compile(r"([0-9]+-[0-9]+-[0-9]+)-([a-z2-7]{10})")


@dataclass(frozen=True, slots=True)
class ReadFile:
    """The value of one file, or None with the faults that prevent its use.

    `places` are positions for checks across files, by dotted path.
    """

    path: str
    value: Value | None
    faults: tuple[Fault, ...] = ()
    places: Mapping[str, SourcePosition] = field(default_factory=dict)
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A file's content, independent of its path: a document that its model accepts, or faults."""

    faults: tuple[Fault, ...] = ()
    document: Document | None = None
    file: FileModel | None = None


def parse_file(path: str, content: bytes, model: type[FileModel]) -> ParsedFile:
    """The expensive part of reading a file; faults name `path`."""
    if content.startswith(LFS_POINTER):
        return ParsedFile((Fault(path, 1, 1, "the file is a Git LFS pointer", _NO_LFS),))
    if len(content) > FILE_BYTES_MAX:
        why = f"the file has {len(content)} bytes; at most {FILE_BYTES_MAX} are read"
        return ParsedFile((Fault(path, 0, 0, why, "split it"),))
    try:
        document = read_yaml(path, content)
    except BrokenFileError as error:
        return ParsedFile((replace(error.fault, rule="unreadable"),))
    if not isinstance(document.root, dict):
        return ParsedFile((_not_a_mapping(document),))
    form = form_of(model, document.root)
    if empty := empty_faults(document, form):
        return ParsedFile(empty)
    try:
        return ParsedFile(document=document, file=form.model_validate(document.root))
    except ValidationError as error:
        return ParsedFile(validation_faults(document, form, error))


def value_of(path: str, parsed: ParsedFile, provider: str | None) -> ReadFile:
    """The value of a parsed file at a path; `provider` is the provider's address, None if unknown (in CI)."""
    if parsed.document is None or parsed.file is None:
        return ReadFile(path, None, tuple(replace(fault, path=path) for fault in parsed.faults))
    return _value(replace(parsed.document, path=path), parsed.file, provider)


def read_file(path: str, content: bytes, model: type[FileModel], provider: str | None) -> ReadFile:
    """Parse, validate and convert one file."""
    return value_of(path, parse_file(path, content, model), provider)


def _value(document: Document, file: FileModel, provider: str | None) -> ReadFile:
    path = document.path
    match file:
        case ConfigFile():
            return _config(document, file, provider)
        case PricingFile():
            return _pricing(document, file)
        case KubernetesFile():
            places = {"kind": document.place(("kind",), of_key=True)}
            return ReadFile(path, kubernetes_of(file), places=places)
        case AnsibleFile():
            places = {"groups": document.place(("groups",), of_key=True)}
            return ReadFile(path, ansible_of(file), places=places)
        case WorkloadFile():
            return _workload(document, file, provider)
        case _:
            raise AssertionError(f"{type(file).__name__} has no conversion")


def _pricing(document: Document, file: PricingFile) -> ReadFile:
    if faults := tuple(sorted(pricing_faults(document, file))):
        return ReadFile(document.path, None, faults)
    pricing = pricing_of(file)
    places = {
        name: document.place(("pricing", *steps))
        for name, steps in (*price_places(file), (ROUNDING, (ROUNDING,)), *multiplier_places(file))
    }
    warnings = *price_warnings(document, file, pricing), *margin_warnings(document, file)
    return ReadFile(document.path, pricing, warnings, places)


def _config(document: Document, file: ConfigFile, provider: str | None) -> ReadFile:
    if provider and file.provider and file.provider != provider:
        message = f"this repository is for {file.provider}, but our key has the address {provider}"
        fault = document.fault(("provider",), message, "use that provider's key, or change this line")
        return ReadFile(document.path, None, (fault,))
    return ReadFile(document.path, config_of(file), provider=file.provider)


def _workload(document: Document, file: WorkloadFile, provider: str | None) -> ReadFile:
    stem = document.path.removeprefix(WORKLOADS).removesuffix(".yaml")
    lease = lease_of(file.lease, provider or "")
    derived = workload_id(lease)
    numbers = f"{file.lease.dseq}-{file.lease.gseq}-{file.lease.oseq}"
    found = _ID.fullmatch(stem)
    if (provider and stem != derived) or not found or found[1] != numbers:
        name = derived if provider else f"{numbers}-<10 characters>"
        advice = "rename it, or remove it if that file exists"
        advice = advice if provider else f"{advice}; `provider-daemon explain LEASE` prints the name"
        if found and found[1] == numbers:
            advice = "compare owner with the lease's tenant; if it is right, rename the file"
        elif found:
            advice = f"change the lease to {found[1].replace('-', '/')} if the file is a copy, or rename it"
        return _name_fault(document, f"the file of this lease must be named {name}.yaml", advice)
    workload = workload_of(file, lease, WorkloadId(stem), document.path)
    warnings = tuple(workload_warnings(document, file))
    return ReadFile(document.path, workload, warnings, _places(document, workload))


def _name_fault(document: Document, message: str, advice: str) -> ReadFile:
    fault = document.fault(("lease",), message, advice, of_key=True)
    return ReadFile(document.path, None, (replace(fault, rule="name"),))


def _places(document: Document, workload: Workload) -> Mapping[str, SourcePosition]:
    places = {
        f"services.{index}.image": document.place(("services", index, "image"))
        for index in range(len(workload.services))
    }
    return places | {
        "adapter": document.place(("adapter",)),
        "lease": document.place(("lease",), of_key=True),
    }


def _not_a_mapping(document: Document) -> Fault:
    if document.root is None:
        return Fault(document.path, 1, 1, "the file is empty", "write its keys or remove the file")
    kind = "a list" if isinstance(document.root, list) else "a single value"
    advice = "start it with its keys, such as kind:"
    return Fault(document.path, 1, 1, f"expected a mapping (keys with values), found {kind}", advice)
