"""The OpenAPI 3.1 document, generated from routes and views. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.api.responses import JSON
from reconciler.api.routes.routing import Parameter, Route, RouteAccess
from reconciler.reports.view_json import view_schemas
from reconciler.values.views import ErrorView

VERSION = "1"

ERRORS = {
    400: "A parameter is not as documented.",
    401: "The client is not authenticated (remote addresses only).",
    403: "The request comes from another site's page.",
    413: "The body is too long.",
    421: "The Host header names another machine.",
    429: "The rate limit is exceeded.",
    500: "The response could not be computed.",
    504: "The response took too long.",
}
ALWAYS = (400, 401, 413, 421, 429, 500, 504)

Schemas = Mapping[type, Any]


def openapi_document(routes: Iterable[Route]) -> dict[str, Any]:
    """The document of all documented routes."""
    routes = [route for route in routes if route.documented]
    views = {view for route in routes for view in _views(route)} | {ErrorView}
    by_view, named = view_schemas(views)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method] = _operation(route, by_view)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "provider-daemon",
            "version": VERSION,
            "description": (
                "A VirtEngine provider's daemon. Amounts are whole uve, prices are decimal texts in uve per "
                "block, times are RFC 3339 in UTC and null if unknown. Fields are only ever added. Reads "
                "return the state of the last cycle."
            ),
        },
        "paths": paths,
        "components": {
            "schemas": named,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "password": {"type": "http", "scheme": "basic", "description": "The token as the password."},
                "certificate": {"type": "mutualTLS"},
            },
        },
    }


def _operation(route: Route, schemas: Schemas) -> dict[str, Any]:
    responses = {route.success: _response(route.response, "Success.", schemas)}
    errors = {code: ERRORS[code] for code in ALWAYS}
    if route.access in (RouteAccess.EXPENSIVE, RouteAccess.WRITE):
        errors[403] = ERRORS[403]
    for code, description in {**errors, **(route.errors or {})}.items():
        responses[code] = _response(ErrorView, description, schemas)
    for code, view in (route.also or {}).items():
        responses[code] = _response(view, "Not ready.", schemas)
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "parameters": [_parameter(p) for p in route.parameters],
        "responses": {str(code): responses[code] for code in sorted(responses)},
    }
    if route.access not in (RouteAccess.OPEN, RouteAccess.HOOK):
        operation["security"] = [{}, {"token": []}, {"password": []}, {"certificate": []}]
    return operation


def _response(response: type | str, description: str, schemas: Schemas) -> Mapping[str, Any]:
    if isinstance(response, str):
        return {"description": description, "content": {response: {"schema": {"type": "string"}}}}
    return {"description": description, "content": {JSON: {"schema": schemas[response]}}}


def _parameter(parameter: Parameter) -> Mapping[str, Any]:
    schema = dict(parameter.kind.schema)
    if parameter.default not in (None, ""):
        schema["default"] = parameter.default
    return {
        "name": parameter.name,
        "in": parameter.location,
        "required": parameter.location == "path",
        "description": parameter.description,
        "schema": schema,
    }


def _operation_id(route: Route) -> str:
    words = re.findall(r"[a-z]+", route.path.replace("/api/v1", ""))
    return "_".join([route.method, *words])


def _views(route: Route) -> Iterable[type]:
    if not isinstance(route.response, str):
        yield route.response
    yield from (route.also or {}).values()
