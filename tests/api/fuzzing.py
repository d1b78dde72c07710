"""Requests made from an OpenAPI file, good and bad, and checks of the responses. No schemathesis: it
knows as much of OpenAPI as our file uses.
"""

from __future__ import annotations

import gzip
import http.client
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import jsonschema
from hypothesis import strategies as st

from reconciler.values.listen_address import ListenAddress

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """A method on a path."""

    path: str
    method: str
    parameters: tuple[Mapping[str, Any], ...]
    responses: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


@dataclass(frozen=True, slots=True)
class Request:
    """A request to send."""

    target: str
    method: str
    headers: Mapping[str, str]
    body: bytes


def operations(document: Document) -> list[Operation]:
    """All of a file."""
    return [
        Operation(path, method, tuple(each.get("parameters", ())), each["responses"])
        for path, methods in document["paths"].items()
        for method, each in methods.items()
    ]


def requests(operation: Operation, known: Mapping[str, list[str]]) -> st.SearchStrategy[Request]:
    """Requests for an operation; `known` are values of path parameters that exist."""
    inside = {p["name"]: _inside(p, known) for p in operation.parameters if p["in"] == "path"}
    queries = {p["name"]: _any(p["schema"]) for p in operation.parameters if p["in"] == "query"}
    return st.builds(
        lambda names, query, more, headers, body: Request(
            _target(operation.path, names, {**query, **more}), operation.method.upper(), headers, body
        ),
        st.fixed_dictionaries(inside),
        st.fixed_dictionaries({}, optional=queries),
        st.one_of(st.just({}), st.dictionaries(st.text(max_size=8), st.text(max_size=30), max_size=1)),
        st.one_of(st.just({}), st.fixed_dictionaries({}, optional=HEADERS)),
        st.one_of(st.just(b""), st.binary(max_size=200)),
    )


def fitting(operation: Operation) -> st.SearchStrategy[Request]:
    """Requests that are as documented, to the letter: they may be refused, but not for their form."""
    inside = {p["name"]: _right(p["schema"], 1) for p in operation.parameters if p["in"] == "path"}
    queries = {p["name"]: _right(p["schema"], 0) for p in operation.parameters if p["in"] == "query"}
    return st.builds(
        lambda names, query: Request(
            _target(operation.path, names, query), operation.method.upper(), {}, b""
        ),
        st.fixed_dictionaries(inside),
        st.fixed_dictionaries({}, optional=queries),
    )


def _right(schema: Mapping[str, Any], least: int) -> st.SearchStrategy[str]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "integer":
        return st.integers(schema["minimum"], schema["maximum"]).map(str)
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True).filter(
            lambda text: len(text) <= schema["maxLength"]
        )
    # A path has no empty parts, and one of dots alone leads elsewhere.
    text = st.text(min_size=least, max_size=schema["maxLength"])
    return text.filter(lambda found: not least or not re.fullmatch(r"[./]*|.*/.*", found, re.DOTALL))


HEADERS = {
    "Accept-Encoding": st.sampled_from(["gzip", "identity", "*;q=0"]),
    "If-None-Match": st.sampled_from(["*", '"x"', "W/"]),
    "Authorization": st.sampled_from(["Bearer x", "Basic !", "x"]),
    "Origin": st.sampled_from(["null", "http://127.0.0.1", "x"]),
    "Content-Type": st.sampled_from(["application/json", "multipart/form-data", "\t"]),
    "X-Gitlab-Token": st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40),
}


def fault(document: Document, operation: Operation, answer: Answer) -> str:
    """What is wrong with an answer, "" for nothing: a failure of ours, a code that is not documented, a body
    that is not of its schema.
    """
    if answer.code == 304:
        return ""
    if answer.code >= 500:
        return f"{answer.code}: {answer.body[:300]!r}"
    documented = operation.responses.get(str(answer.code))
    if documented is None:
        return f"{answer.code} is not documented"
    for media, content in documented["content"].items():
        if answer.media == media:
            return _unlike(document, content["schema"], media, answer.body)
    return f"{answer.media} is not documented for {answer.code}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A received response."""

    code: int
    media: str
    body: bytes


def send(at: ListenAddress, request: Request) -> Answer:
    """Over a real socket."""
    connection = http.client.HTTPConnection(at.host, at.port, timeout=20)
    try:
        connection.request(request.method, request.target, request.body or None, dict(request.headers))
        response = connection.getresponse()
        media, body = response.getheader("Content-Type", "").partition(";")[0], response.read()
        is_gzipped = response.getheader("Content-Encoding") == "gzip"
        return Answer(response.status, media, gzip.decompress(body) if is_gzipped and body else body)
    finally:
        connection.close()


def _unlike(document: Document, schema: Mapping[str, Any], media: str, body: bytes) -> str:
    if media != "application/json":
        return "" if body.decode() is not None else "no text"
    whole = {**schema, "components": document["components"]}
    errors = jsonschema.Draft202012Validator(whole).iter_errors(json.loads(body))
    return "; ".join(f"{list(error.path)}: {error.message[:200]}" for error in errors)


def _inside(parameter: Mapping[str, Any], known: Mapping[str, list[str]]) -> st.SearchStrategy[str]:
    right = st.sampled_from(known.get(parameter["name"], ["1"]))
    return st.one_of(right, _any(parameter["schema"]))


def _any(schema: Mapping[str, Any]) -> st.SearchStrategy[str]:
    """Values that fit, values on the edge, and values that do not fit at all."""
    wrong = st.one_of(st.text(max_size=30), st.sampled_from(EVIL))
    if "enum" in schema:
        return st.one_of(st.sampled_from(schema["enum"]), wrong)
    if schema["type"] == "integer":
        edges = [schema["minimum"] - 1, schema["minimum"], schema["maximum"], schema["maximum"] + 1]
        inside = st.integers(schema["minimum"], schema["maximum"])
        return st.one_of(inside.map(str), st.sampled_from(edges).map(str), wrong)
    return st.one_of(st.text(max_size=schema.get("maxLength", 50) + 2), wrong)


EVIL = [
    *("", "..", "../../etc/passwd", "%00", "\0", "'; DROP TABLE decisions; --", "{{7*7}}", "<script>"),
    *("-1", "1e9", "\u0663", "0" * 300, "%", "a/b/c/d/e", "\uffff", "\u202e", "NaN", "null"),
]


def _target(path: str, names: Mapping[str, str], query: Mapping[str, str]) -> str:
    for name, value in names.items():
        path = path.replace(f"{{{name}}}", quote(value, safe="", errors="replace"))
    return f"{path}?{urlencode(query, errors='replace')}" if query else path
