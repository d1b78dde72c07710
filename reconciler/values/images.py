"""Names of container images, written out, so that one image has one name."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

DEFAULT_REGISTRY = "docker.io"
DEFAULT_FOLDER = "library"


def full_name(image: str) -> str:
    """`nginx` is `docker.io/library/nginx`, `team/web` is `docker.io/team/web`; a named registry stays."""
    first, slash, rest = image.partition("/")
    is_registry = slash and ("." in first or ":" in first or first == "localhost")
    if is_registry:
        return f"{first.lower()}/{rest}"
    return f"{DEFAULT_REGISTRY}/{image if slash else f'{DEFAULT_FOLDER}/{image}'}"


def denied_by(image: str, patterns: Iterable[str]) -> str | None:
    """The first pattern that denies an image, as it is written or by its full name; None: it is allowed."""
    names = (image, full_name(image))
    return next((p for p in patterns if any(fnmatchcase(name, p) for name in names)), None)
