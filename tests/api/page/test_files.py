"""The files of the page: every referenced file is served, and the policy forbids all others."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from reconciler.api.page.files import PageFiles
from reconciler.api.startup import Started
from tests.api.http_client import http_request

PART = re.compile(r'(?:from|import) "\./([a-z.]+)"')
ELSEWHERE = re.compile(r"https?://|//[a-z]+\.")


class Named(HTMLParser):
    """The files that a page loads, its ids, and its parts that the policy forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in ("script", "link"):
            self.loads.append(found.get("src") or found.get("href") or "")
        self.ids.append(found.get("id") or "")
        self.inline += [name for name in found if name.startswith("on") or name == "style"]
        self.inline += [tag] if tag in ("style", "iframe", "form", "object", "base") else []


def index(servers: Started) -> Named:
    page = Named()
    page.feed(http_request(servers.ports.api, "/").body.decode())
    return page


def test_the_page_has_a_strict_content_security_policy(servers: Started) -> None:
    response = http_request(servers.ports.api, "/")
    assert (response.code, response.type) == (200, "text/html; charset=utf-8")
    policy = response.headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert {rules[name] for name in ("script-src", "style-src", "img-src", "connect-src")} == {"'self'"}
    assert {rules[name] for name in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"


def test_every_referenced_file_is_served_with_its_type(servers: Started) -> None:
    types = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    wanted = index(servers).loads
    seen: set[str] = set()
    while wanted:
        path = wanted.pop()
        if path in seen:
            continue
        seen.add(path)
        response = http_request(servers.ports.api, f"/{path}")
        assert (path, response.code) == (path, 200)
        assert response.type.startswith(types[path.rpartition(".")[2]])
        wanted += [f"page/{name}" for name in PART.findall(response.body.decode())]
    icons = {f"page/icon-{level}.svg" for level in ("good", "warn", "bad", "wait")}
    assert seen | icons == {f"page/{name}" for name in PageFiles().names} - {"page/index.html"}


def test_the_page_complies_with_its_policy(servers: Started) -> None:
    assert index(servers).inline == []
    for name in PageFiles().names:
        text = http_request(servers.ports.api, f"/page/{name}").body.decode()
        if name.endswith(".js"):
            assert not re.search(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|Function\(", text
            )
        outside = ELSEWHERE.sub("", text.replace("http://www.w3.org/2000/svg", ""))
        assert outside == text.replace("http://www.w3.org/2000/svg", ""), name


def test_every_id_in_the_scripts_is_on_the_page(servers: Started) -> None:
    ids = set(index(servers).ids)
    for name in PageFiles().names:
        if name.endswith(".js"):
            used = re.findall(
                r'\bone\("([a-z-]+)"\)', http_request(servers.ports.api, f"/page/{name}").body.decode()
            )
            assert set(used) <= ids, name


def test_an_unchanged_file_is_not_sent_again(servers: Started) -> None:
    first = http_request(servers.ports.api, "/page/style.css")
    again = http_request(servers.ports.api, "/page/style.css", If_None_Match=first.headers["etag"])
    assert (again.code, again.body) == (304, b"")


@pytest.mark.parametrize(
    "name", ["nothing.js", "..%2fapi.py", "%2e%2e%2f__init__.py", "x%00.js", "page.js%2f"]
)
def test_other_files_of_the_package_are_not_served(servers: Started, name: str) -> None:
    response = http_request(servers.ports.api, f"/page/{name}")
    assert (response.code, response.type) == (404, "application/json; charset=utf-8")
