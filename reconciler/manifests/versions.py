"""Versions as github.com/blang/semver reads them: `2`, `v2.0` and 2.0 are 2.0.0."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.go_text import quoted, unsigned

_DIGITS = frozenset("0123456789")


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A semantic version; build metadata is shown and not compared."""

    major: int
    minor: int
    patch: int
    prerelease: tuple[str, ...] = ()
    build: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._order == other._order

    def __hash__(self) -> int:
        return hash(self._order)

    def __lt__(self, other: Version) -> bool:
        return self._order < other._order

    @property
    def _order(self) -> tuple[tuple[int, int, int], bool, tuple[tuple[bool, int, str], ...]]:
        parts = tuple((not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in self.prerelease)
        return (self.major, self.minor, self.patch), not parts, parts

    def __str__(self) -> str:
        end = f"-{'.'.join(self.prerelease)}" if self.prerelease else ""
        end += f"+{'.'.join(self.build)}" if self.build else ""
        return f"{self.major}.{self.minor}.{self.patch}{end}"


def tolerant_version(text: str) -> Version:
    """A version that may be short, start with `v` or have leading zeros; ManifestError otherwise."""
    parts = [_without_zeros(part) for part in text.strip().removeprefix("v").split(".", 2)]
    if len(parts) < 3 and re.search(r"[+-]", parts[-1]):
        raise ManifestError("Short version cannot contain PreRelease/Build meta data")
    major, minor, patch = parts + ["0"] * (3 - len(parts))
    rest, plus, build = patch.partition("+")
    number, dash, prerelease = rest.partition("-")
    return Version(
        _number("Major", major),
        _number("Minor", minor),
        _number("Patch", number),
        tuple(_prerelease(part) for part in prerelease.split(".")) if dash else (),
        tuple(_build(part) for part in build.split(".")) if plus else (),
    )


def _without_zeros(part: str) -> str:
    if len(part) <= 1:
        return part
    stripped = part.lstrip("0")
    return stripped if stripped[:1] in _DIGITS and stripped else f"0{stripped}"


def _number(name: str, text: str) -> int:
    if not set(text) <= _DIGITS:
        raise ManifestError(f"Invalid character(s) found in {name.lower()} number {quoted(text)}")
    if len(text) > 1 and text[0] == "0":
        raise ManifestError(f"{name} number must not contain leading zeroes {quoted(text)}")
    return unsigned(text, 64)


def _prerelease(text: str) -> str:
    if not text:
        raise ManifestError("Prerelease is empty")
    if set(text) <= _DIGITS and len(text) > 1 and text[0] == "0":
        raise ManifestError(f"Numeric PreRelease version must not contain leading zeroes {quoted(text)}")
    if not re.fullmatch(r"[0-9A-Za-z-]+", text):
        raise ManifestError(f"Invalid character(s) found in prerelease {quoted(text)}")
    if set(text) <= _DIGITS:
        unsigned(text, 64)
    return text


def _build(text: str) -> str:
    if not text:
        raise ManifestError("Build meta data is empty")
    if not re.fullmatch(r"[0-9A-Za-z-]+", text):
        raise ManifestError(f"Invalid character(s) found in build meta data {quoted(text)}")
    return text
