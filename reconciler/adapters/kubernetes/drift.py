"""Whether an object still is what we applied: only the fields that we asked for count."""

from __future__ import annotations

import json
from typing import Any

from reconciler.adapters.kubernetes.quantities import parse_quantity

_KEYS = ("name", "containerPort", "ip")
_AMOUNTS = {"requests", "limits", "hard"}


def differences(applied: Any, live: Any, path: str = "") -> list[str]:
    """The paths where the live value is not the applied one; what a server adds is no difference, nor is
    another spelling of a quantity.
    """
    if isinstance(applied, dict) and isinstance(live, dict):
        found = []
        for name, value in applied.items():
            if path.rpartition(".")[2] in _AMOUNTS:
                found += _amount(value, live.get(name), f"{path}.{name}")
            else:
                found += differences(value, live.get(name), f"{path}.{name}")
        return found
    if isinstance(applied, list) and isinstance(live, list) and (key := _key(applied)):
        items = {item.get(key): item for item in live if isinstance(item, dict)}
        return [
            where
            for item in applied
            for where in differences(item, items.get(item[key]), f"{path}[{item[key]}]")
        ]
    return [] if applied == live or (applied in ({}, [], "") and live is None) else [path]


def projection(applied: Any, live: Any) -> str:
    """The live values at the places that we applied and that differ, as one comparable text."""
    return json.dumps([(where, _at(live, where)) for where in differences(applied, live)], default=str)


def _at(live: Any, where: str) -> Any:
    """The value at a path, as far as it can be followed by names alone."""
    for part in where.strip(".").split("."):
        if not isinstance(live, dict):
            return live
        live = live.get(part.partition("[")[0])
    return live


def _amount(applied: Any, live: Any, path: str) -> list[str]:
    try:
        same = live is not None and parse_quantity(str(applied)) == parse_quantity(str(live))
    except ValueError:
        same = False
    return [] if same else [path]


def _key(items: list[Any]) -> str:
    """The field that tells the items of a list apart; none where the list is one value."""
    for key in _KEYS:
        if items and all(isinstance(item, dict) and key in item for item in items):
            return key
    return ""
