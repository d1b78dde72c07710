"""Changes the line `suspended:` of `config.yaml` and no other byte. Pure."""

from __future__ import annotations

import json
import re

import yaml

_VALUE = r"""(?:"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'|[^\s"'#](?:[^\n"'#]*[^\s"'#])?)"""
_LINE = re.compile(rf"(?m)^suspended:(?:[ \t]*+{_VALUE})?(?P<comment>[ \t]+#[^\n]*)?[ \t]*$\n?")
"""Linear: a value neither begins nor ends with a space."""


class NotPlainError(Exception):
    """The file does not allow a safe change of the line."""


def with_suspended(text: str, reason: str) -> str:
    """The text with this reason; "" removes the line, or only its value if it has a comment."""
    if _reason(text) == reason:
        return text
    found = list(_LINE.finditer(text))
    if len(found) > 1:
        raise NotPlainError("it has suspended: more than once")
    changed = _replaced(text, found[0], reason) if found else _appended(text, reason)
    if _reason(changed) != reason or _rest(changed) != _rest(text):
        raise NotPlainError("its suspended: cannot be changed by a program")
    return changed


def _replaced(text: str, found: re.Match[str], reason: str) -> str:
    comment = found["comment"] or ""
    line = f"suspended: {_quoted(reason)}{comment}\n" if reason or comment else ""
    return text[: found.start()] + line + text[found.end() :]


def _appended(text: str, reason: str) -> str:
    end = "" if not text or text.endswith("\n") else "\n"
    return f"{text}{end}suspended: {_quoted(reason)}\n"


def _quoted(reason: str) -> str:
    """A JSON string is a YAML string."""
    return json.dumps(reason, ensure_ascii=False)


def _reason(text: str) -> object:
    return _parsed(text).get("suspended") or ""


def _rest(text: str) -> dict[str, object]:
    return {key: value for key, value in _parsed(text).items() if key != "suspended"}


def _parsed(text: str) -> dict[str, object]:
    try:
        found = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - only texts, lists and mappings
    except yaml.YAMLError as error:
        raise NotPlainError(f"it is not valid YAML: {str(error).splitlines()[0]}") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise NotPlainError("it is not a mapping")
    return found
