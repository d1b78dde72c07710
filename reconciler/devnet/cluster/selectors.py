"""Label and field selectors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from reconciler.devnet.cluster.kinds import Object
from reconciler.devnet.cluster.refusals import RefusalError

Match = Callable[[Object], bool]
_PIECES = re.compile(r"[(),]|[^(),]+")
_SET = re.compile(r"([^\s!=(),]+)\s+(in|notin)\s+\(([^)]*)\)")


def selector(labels: str, fields: str) -> Match:
    """A filter by both selectors; an empty one matches everything."""
    tests = [*map(_label_test, _split(labels)), *map(_field_test, _split(fields))]
    return lambda found: all(test(found) for test in tests)


def has_affinity(pod_spec: Object, labels: Mapping[str, str]) -> bool:
    """Whether a node with these labels meets a pod's selector and its required node affinity."""
    chosen = pod_spec.get("nodeSelector", {}).items() <= labels.items()
    affinity = pod_spec.get("affinity", {}).get("nodeAffinity", {})
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    terms = required["nodeSelectorTerms"] if required else []
    return chosen and (required is None or any(_meets(term, labels) for term in terms))


def _meets(term: Object, labels: Mapping[str, str]) -> bool:
    """Whether labels meet a term; one without expressions matches nothing."""
    expressions = term.get("matchExpressions", ())
    return bool(expressions) and all(
        (labels.get(each["key"]) in each["values"]) == (each["operator"] == "In") for each in expressions
    )


def _split(text: str) -> list[str]:
    """The terms between commas outside of brackets."""
    terms, depth = [""], 0
    for piece in _PIECES.findall(text):
        depth += (piece == "(") - (piece == ")" and depth > 0)
        if piece == "," and depth == 0:
            terms.append("")
        else:
            terms[-1] += piece
    return [term.strip() for term in terms if term.strip()]


def _label_test(term: str) -> Match:
    if match := _SET.fullmatch(term):
        name, operator, listed = match.groups()
        wanted = {value.strip() for value in listed.split(",")}
        return lambda found: (_labels(found).get(name) in wanted) == (operator == "in")
    if "=" in term:
        name, differs, value = _equality(term)
        return lambda found: (_labels(found).get(name) == value) != differs
    if term.startswith("!"):
        return lambda found: term[1:].strip() not in _labels(found)
    return lambda found: term in _labels(found)


def _field_test(term: str) -> Match:
    if "=" not in term:
        raise RefusalError(400, f"invalid field selector {term!r}: expected name=value or name!=value")
    name, differs, value = _equality(term)
    return lambda found: (_field(found, name) == value) != differs


def _equality(term: str) -> tuple[str, bool, str]:
    name, value = term.split("=", 1)
    differs = name.endswith("!")
    return name.rstrip("!").strip(), differs, value.lstrip("=").strip()


def _labels(found: Object) -> dict[str, str]:
    labels: dict[str, str] = found["metadata"].get("labels") or {}
    return labels


def _field(found: Object, dotted: str) -> str:
    """The field as text, "" where it is missing."""
    value: object = found
    for part in dotted.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return "" if value is None else str(value)
