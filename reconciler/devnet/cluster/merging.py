"""Server-side apply, with conflicts and removal, and the three kinds of patch."""

from __future__ import annotations

from typing import Any

from reconciler.devnet.cluster.fields import Owners, Path, element, leaves, list_keys
from reconciler.devnet.cluster.kinds import Object, ObjectKind
from reconciler.devnet.cluster.refusals import RefusalError

ABSENT = object()


def server_side_apply(live: Object, applied: Object, manager: str, owners: Owners) -> Object:
    """The object after an apply, without the fields that the manager no longer applies."""
    wanted = set(leaves(applied))
    kept: set[Path] = set(wanted)
    for paths in owners.others(manager).values():
        kept |= paths
    dropped = owners.applied(manager) - kept
    merged = merge(live, applied)
    return _without(merged, dropped) if dropped else merged


def conflicts(live: Object, applied: Object, manager: str, owners: Owners) -> dict[Path, str]:
    """The paths that the apply would change and another manager owns, with that manager."""
    there, found = leaves(live), {}
    for other, paths in owners.others(manager).items():
        for path, value in leaves(applied).items():
            if path in paths and there.get(path, ABSENT) != value:
                found[path] = other.rpartition("/")[0]
    return found


def conflict(kind: ObjectKind, found: dict[Path, str]) -> RefusalError:
    """The refusal of an apply, with each field and its manager."""
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{other}"', "field": _dotted(path)}
        for path, other in sorted(found.items())
    ]
    listed = "\n".join(f"- {cause['field']}" for cause in causes)
    many = "conflicts" if len(causes) > 1 else "conflict"
    who = ", ".join(sorted(set(found.values())))
    message = (
        f'Apply failed with {len(causes)} {many}: {many} with "{who}" using {kind.group_version}:\n{listed}'
    )
    return RefusalError(409, message, details={"causes": causes})


def merge(live: Any, applied: Any, field: str = "") -> Any:
    """Apply's merge: maps by name, keyed lists by key, everything else replaced."""
    if isinstance(live, dict) and isinstance(applied, dict) and field not in ("selector", "nodeSelector"):
        return live | {name: merge(live.get(name), value, name) for name, value in applied.items()}
    if isinstance(live, list) and isinstance(applied, list) and (keys := list_keys(field, applied)):
        items = {element(item, keys): item for item in live}
        for item in applied:
            items[element(item, keys)] = merge(items.get(element(item, keys)), item)
        return list(items.values())
    if field == "finalizers" and isinstance(live, list):
        return [*live, *(each for each in applied if each not in live)]
    return applied


def _without(found: Object, dropped: set[Path], path: Path = ()) -> Object:
    """The object without these leaves and without the maps that they leave empty."""
    out: Object = {}
    for name, value in found.items():
        here = (*path, f"f:{name}")
        if here in dropped:
            continue
        kept = _pruned(name, value, dropped, here)
        if kept not in ({}, []) or value in ({}, []):
            out[name] = kept
    return out


def _pruned(field: str, value: Any, dropped: set[Path], here: Path) -> Any:
    if not any(path[: len(here)] == here for path in dropped):
        return value
    if isinstance(value, dict):
        return _without(value, dropped, here)
    if isinstance(value, list) and (keys := list_keys(field, value)):
        places = [((*here, element(item, keys)), item) for item in value]
        return [_without(item, dropped, inside) for inside, item in places if (*inside, ".") not in dropped]
    return value


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        kind, _, name = part.partition(":")
        text += f".{name}" if kind == "f" else f"[{name}]" if kind in ("k", "v") else ""
    return text


def merge_patch(found: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    out = dict(found) if isinstance(found, dict) else {}
    for name, value in patch.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = merge_patch(out.get(name), value)
    return out


def strategic_patch(found: Any, patch: Any) -> Any:
    """A strategic merge patch: keyed lists are merged; `$patch` deletes or replaces."""
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    out = dict(found) if isinstance(found, dict) else {}
    for name, value in patch.items():
        if name.startswith("$deleteFromPrimitiveList/"):
            field = name.partition("/")[2]
            out[field] = [each for each in out.get(field, ()) if each not in value]
        elif name.startswith("$"):
            continue
        elif value is None:
            out.pop(name, None)
        elif isinstance(value, list):
            out[name] = _strategic_list(name, out.get(name) or [], value)
        else:
            out[name] = strategic_patch(out.get(name), value)
    return out


def _strategic_list(field: str, found: list[Any], patch: list[Any]) -> list[Any]:
    keys = list_keys(field, [item for item in patch if "$patch" not in item] or found)[:1]
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if "$patch" not in item]
    if not keys:
        return [*found, *(each for each in patch if each not in found)] if field == "finalizers" else patch
    items = {element(item, keys): item for item in found}
    for item in patch:
        at = element(item, keys)
        if item.get("$patch") == "delete":
            items.pop(at, None)
        else:
            items[at] = strategic_patch(items.get(at), item)
    return list(items.values())


def json_patch(found: Any, steps: list[Object]) -> Any:
    """RFC 6902: add, remove, replace and test."""
    for step in steps:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
        try:
            found = _patched(found, parts, step)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise RefusalError(422, f"the JSON patch cannot be applied at {step['path']}: {error}") from error
    return found


def _patched(found: Any, parts: list[str], step: Object) -> Any:
    if not parts:
        if step["op"] == "test" and found != step["value"]:
            raise ValueError("test failed")
        return found if step["op"] == "test" else step["value"]
    head, *rest = parts
    out: Any = list(found) if isinstance(found, list) else dict(found)
    at: Any = (len(out) if head == "-" else int(head)) if isinstance(out, list) else head
    if rest or step["op"] == "test":
        out[at] = _patched(out[at], rest, step)
    elif step["op"] == "remove":
        del out[at]
    elif step["op"] == "add" and isinstance(out, list):
        out.insert(at, step["value"])
    elif step["op"] == "replace" and not isinstance(out, list) and at not in out:
        raise KeyError(head)
    else:
        out[at] = step["value"]
    return out
