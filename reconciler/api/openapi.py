"""The API's own description, made from its routes and shapes: OpenAPI 3.1. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from reconciler.api.responses import JSON
from reconciler.api.routes.routing import Parameter, Route, RouteAccess
from reconciler.api.views.schemas import ErrorAnswer, Shape

VERSION = "1"
PLACE = "#/components/schemas/{model}"

WORDS = {
    400: "A parameter is not as documented.",
    401: "Who asks has not proven who they are (where others reach us).",
    403: "Another site's page asked.",
    413: "The body is longer than any that is read.",
    421: "The Host header names another machine.",
    429: "You ask too often.",
    500: "The answer could not be made.",
    504: "The answer took too long.",
}
ALWAYS = (400, 401, 413, 421, 429, 500, 504)


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The whole file."""
    routes = [route for route in routes if route.documented]
    shapes = {s for route in routes for s in _shapes(route)} | {ErrorAnswer}
    ordered = sorted(shapes, key=lambda shape: shape.__name__)
    _, schemas = models_json_schema([(shape, "serialization") for shape in ordered], ref_template=PLACE)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "provider-daemon",
            "version": VERSION,
            "description": (
                "A VirtEngine provider's daemon. Amounts are whole uve, prices decimal texts in uve a block, "
                "times RFC 3339 in UTC. Fields are only ever added. Reads come from the last cycle."
            ),
        },
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "password": {"type": "http", "scheme": "basic", "description": "The token as the password."},
                "certificate": {"type": "mutualTLS"},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    answers = {route.success: _answer(route.answer, "As asked.")}
    codes = {code: WORDS[code] for code in ALWAYS}
    if route.access in (RouteAccess.EXPENSIVE, RouteAccess.WRITE):
        codes[403] = WORDS[403]
    for code, words in {**codes, **(route.refusals or {})}.items():
        answers[code] = _answer(ErrorAnswer, words)
    for code, shape in (route.also or {}).items():
        answers[code] = _answer(shape, "Not so.")
    operation: dict[str, Any] = {
        "operationId": _name(route),
        "summary": route.words,
        "parameters": [_parameter(p) for p in route.parameters],
        "responses": {str(code): answers[code] for code in sorted(answers)},
    }
    if route.access not in (RouteAccess.OPEN, RouteAccess.HOOK):
        operation["security"] = [{}, {"token": []}, {"password": []}, {"certificate": []}]
    return operation


def _answer(answer: type[Shape] | str, words: str) -> Mapping[str, Any]:
    if isinstance(answer, str):
        return {"description": words, "content": {answer: {"schema": {"type": "string"}}}}
    schema = {"$ref": PLACE.format(model=answer.__name__)}
    return {"description": words, "content": {JSON: {"schema": schema}}}


def _parameter(parameter: Parameter) -> Mapping[str, Any]:
    schema = dict(parameter.kind.schema)
    if parameter.default not in (None, ""):
        schema["default"] = parameter.default
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.words,
        "schema": schema,
    }


def _name(route: Route) -> str:
    words = re.findall(r"[a-z]+", route.path.replace("/api/v1", ""))
    return "_".join([route.method, *words])


def _shapes(route: Route) -> Iterable[type[Shape]]:
    if not isinstance(route.answer, str):
        yield route.answer
    yield from (route.also or {}).values()
