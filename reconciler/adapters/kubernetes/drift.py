"""Differences between an object and what we applied; only the fields that we applied count."""

from __future__ import annotations

import json
from typing import Any

from reconciler.adapters.kubernetes.quantities import parse_quantity

_KEYS = ("name", "containerPort", "ip")
_AMOUNTS = {"requests", "limits", "hard"}


def differences(applied: Any, live: Any, path: str = "") -> list[str]:
    """The paths where the live value is not the applied one. Fields that the server adds and other spellings
    of a quantity are no differences.
    """
    if isinstance(applied, dict) and isinstance(live, dict):
        compare = _amount_differs if path.rpartition(".")[2] in _AMOUNTS else differences
        return [
            where
            for name, value in applied.items()
            for where in compare(value, live.get(name), f"{path}.{name}")
        ]
    if isinstance(applied, list) and isinstance(live, list) and (key := _key(applied)):
        items = {item.get(key): item for item in live if isinstance(item, dict)}
        return [
            where
            for item in applied
            for where in differences(item, items.get(item[key]), f"{path}[{item[key]}]")
        ]
    return [] if applied == live or (applied in ({}, [], "") and live is None) else [path]


def live_values(applied: Any, live: Any) -> str:
    """The live values at the paths that differ, as one comparable text."""
    return json.dumps([(path, _value_at(live, path)) for path in differences(applied, live)], default=str)


def _value_at(live: Any, path: str) -> Any:
    """The value at a path, followed through mappings only."""
    for part in path.strip(".").split("."):
        if not isinstance(live, dict):
            return live
        live = live.get(part.partition("[")[0])
    return live


def _amount_differs(applied: Any, live: Any, path: str) -> list[str]:
    try:
        same = live is not None and parse_quantity(str(applied)) == parse_quantity(str(live))
    except ValueError:
        same = False
    return [] if same else [path]


def _key(items: list[Any]) -> str:
    """The field that identifies the items of a list; "" if the list is compared as a whole."""
    for key in _KEYS:
        if items and all(isinstance(item, dict) and key in item for item in items):
            return key
    return ""
