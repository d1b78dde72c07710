"""What a route is: its method, path, parameters and answer; the server and the OpenAPI file are made from it.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from aiohttp import web

from reconciler.api.responses import Reply
from reconciler.api.views.schemas import Shape

TEXT_MAX = 200


class WrongParameterError(ValueError):
    """What was asked cannot be read; says what to ask instead."""

    def __init__(self, words: str, advice: str) -> None:
        super().__init__(words)
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number within bounds."""

    low: int
    high: int

    def read(self, name: str, text: str) -> int:
        """The number; WrongParameterError where it is none or out of bounds."""
        fits = text.isascii() and text.isdigit() and len(text) <= len(str(self.high))
        if not fits or not self.low <= int(text) <= self.high:
            raise WrongParameterError(f"{name}={_cut(text)} is no number that can be asked for", self._advice)
        return int(text)

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}

    @property
    def _advice(self) -> str:
        return f"ask for {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these words."""

    words: tuple[str, ...]

    def read(self, name: str, text: str) -> str:
        """The word; WrongParameterError where it is another."""
        if text not in self.words:
            advice = f"ask for one of {', '.join(self.words)}"
            raise WrongParameterError(f"{name}={_cut(text)} is not known here", advice)
        return text

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Text:
    """A short text, perhaps of a form (a pattern that JSON Schema reads too)."""

    form: str = ""
    advice: str = ""

    def read(self, name: str, text: str) -> str:
        """The text; WrongParameterError where it is too long, or of another form."""
        if len(text) > TEXT_MAX:
            raise WrongParameterError(
                f"{name} has {len(text)} characters", f"ask with at most {TEXT_MAX} characters"
            )
        if self.form and not re.fullmatch(self.form, text):
            raise WrongParameterError(f"{name}={text} is not of the form {self.form}", self.advice)
        return text

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "string", "maxLength": TEXT_MAX} | ({"pattern": self.form} if self.form else {})


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of the path, or a query parameter that may be left out."""

    name: str
    kind: Count | Choice | Text
    words: str
    place: Literal["path", "query"] = "query"
    default: int | str | None = None


class RouteAccess(Enum):
    """Who may ask where others reach us: anyone, whoever proves the webhook's secret, or those with a token
    or a certificate; `DEAR` costs more than reading, `ASK` makes the daemon do something.
    """

    OPEN = "open"
    HOOK = "hook"
    READ = "read"
    EXPENSIVE = "dear"
    WRITE = "ask"


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A request whose parameters are read: those left out have their defaults. `trusted`: who asks may see
    everything.
    """

    request: web.Request
    values: Mapping[str, Any]
    trusted: bool = True


Lasting = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""Answers as long as the asker stays."""

Act = Callable[[ParsedRequest], Awaitable[Reply | Lasting]]


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path. `answer` is a shape, or a media type; `refusals` tells when an error comes,
    `also` the shapes of other codes that are none; what is not `documented` is not in the OpenAPI file.
    """

    method: Literal["get", "post"]
    path: str
    words: str
    answer: type[Shape] | str
    act: Act
    parameters: tuple[Parameter, ...] = ()
    success: int = 200
    refusals: Mapping[int, str] | None = None
    access: RouteAccess = RouteAccess.READ
    also: Mapping[int, type[Shape]] | None = None
    documented: bool = True

    def read(self, request: web.Request, *, trusted: bool) -> ParsedRequest:
        """The parameters of a request; WrongParameterError where one is not as documented."""
        known = {p.name: p for p in self.parameters}
        values = {p.name: p.default for p in self.parameters}
        for name, text in request.match_info.items():
            values[name] = known[name].kind.read(name, text)
        for name in request.query:
            if name not in known or known[name].place != "query":
                queries = ", ".join(p.name for p in self.parameters if p.place == "query") or "none"
                raise WrongParameterError(
                    f"there is no parameter {_cut(name)} here", f"the parameters are: {queries}"
                )
            if len(given := request.query.getall(name)) > 1:
                raise WrongParameterError(f"{name} is given {len(given)} times", "give it once")
            values[name] = known[name].kind.read(name, given[0])
        return ParsedRequest(request, values, trusted)


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}..."
