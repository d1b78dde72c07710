"""Routes and their parameters, the source of the server and the OpenAPI document. Pure."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from aiohttp import web

from reconciler.api.responses import ApiResponse

TEXT_MAX = 200


class WrongParameterError(ValueError):
    """A parameter is not as documented; `advice` is what to send instead."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


@dataclass(frozen=True, slots=True)
class IntParameter:
    """A whole number within bounds."""

    low: int
    high: int

    def read(self, name: str, text: str) -> int:
        """The number; WrongParameterError if the text is not a number within bounds."""
        fits = text.isascii() and text.isdigit() and len(text) <= len(str(self.high))
        if not fits or not self.low <= int(text) <= self.high:
            raise WrongParameterError(
                f"{name}={_cut(text)} is not a number in range", f"use {self.low} to {self.high}"
            )
        return int(text)

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class ChoiceParameter:
    """One of a fixed set of words."""

    words: tuple[str, ...]

    def read(self, name: str, text: str) -> str:
        """The word; WrongParameterError if it is not in the set."""
        if text not in self.words:
            raise WrongParameterError(
                f"{name}={_cut(text)} is unknown", f"use one of {', '.join(self.words)}"
            )
        return text

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class TextParameter:
    """A short text, optionally with a pattern, which is also part of the JSON Schema."""

    pattern: str = ""
    advice: str = ""

    def read(self, name: str, text: str) -> str:
        """The text; WrongParameterError if it is too long or does not match."""
        if len(text) > TEXT_MAX:
            raise WrongParameterError(f"{name} has {len(text)} characters", f"use at most {TEXT_MAX}")
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise WrongParameterError(f"{name}={text} does not match {self.pattern}", self.advice)
        return text

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "string", "maxLength": TEXT_MAX} | ({"pattern": self.pattern} if self.pattern else {})


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of the path, or an optional query parameter."""

    name: str
    kind: IntParameter | ChoiceParameter | TextParameter
    description: str
    location: Literal["path", "query"] = "query"
    default: int | str | None = None


class RouteAccess(Enum):
    """Who may call a route on a remote address: anyone, senders with the webhook secret, or clients with a
    token or certificate. EXPENSIVE routes cost more than reads, WRITE routes make the daemon act.
    """

    OPEN = "open"
    HOOK = "hook"
    READ = "read"
    EXPENSIVE = "expensive"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A request and its parameters, with their defaults. A `trusted` client may see everything."""

    raw: web.Request
    values: Mapping[str, Any]
    trusted: bool = True


StreamHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""Streams a response until the client disconnects."""

RouteHandler = Callable[[ParsedRequest], Awaitable[ApiResponse | StreamHandler]]


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path. `response` is a view, or a media type; `errors` describes error codes, `also`
    has the views of other codes that are not errors; only `documented` routes are in the OpenAPI document.
    """

    method: Literal["get", "post"]
    path: str
    summary: str
    response: type | str
    handler: RouteHandler
    parameters: tuple[Parameter, ...] = ()
    success: int = 200
    errors: Mapping[int, str] | None = None
    access: RouteAccess = RouteAccess.READ
    also: Mapping[int, type] | None = None
    documented: bool = True

    def parse(self, request: web.Request, *, trusted: bool) -> ParsedRequest:
        """Reads the parameters; WrongParameterError if one is not as documented."""
        known = {p.name: p for p in self.parameters}
        values = {p.name: p.default for p in self.parameters}
        for name, text in request.match_info.items():
            values[name] = known[name].kind.read(name, text)
        for name in request.query:
            if name not in known or known[name].location != "query":
                queries = ", ".join(p.name for p in self.parameters if p.location == "query") or "none"
                raise WrongParameterError(f"unknown parameter {_cut(name)}", f"known parameters: {queries}")
            if len(given := request.query.getall(name)) > 1:
                raise WrongParameterError(f"{name} is given {len(given)} times", "give it once")
            values[name] = known[name].kind.read(name, given[0])
        return ParsedRequest(request, values, trusted)


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}..."
