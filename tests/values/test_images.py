from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.values.images import HUB_NAMES, TRANSPORTS, denied_by, hub_or_named, normal_image, parse_image

DIGEST = "sha256:" + "0a" * 32
EVIL = "docker.io/evil/x:latest"


@pytest.mark.parametrize(
    ("image", "normal"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("docker.io/nginx", "docker.io/library/nginx:latest"),
        ("docker.io/library/nginx:latest", "docker.io/library/nginx:latest"),
        ("team/web:1", "docker.io/team/web:1"),
        ("Docker.IO/team/web", "docker.io/team/web:latest"),
        (f"nginx@{DIGEST}", f"docker.io/library/nginx@{DIGEST}"),
        (f"nginx:1@{DIGEST}", f"docker.io/library/nginx:1@{DIGEST}"),
        ("localhost/x", "localhost/x:latest"),
        ("LocalHost/x", "localhost/x:latest"),
        ("localhost:5000/x", "localhost:5000/x:latest"),
        ("reg.example:5000/a/b", "reg.example:5000/a/b:latest"),
        ("reg.example:443/a/b", "reg.example/a/b:latest"),
        ("reg.example:00443/a/b", "reg.example/a/b:latest"),
        ("reg.example:05000/a", "reg.example:5000/a:latest"),
        ("reg:443/a", "reg:443/a:latest"),
        ("[2001:DB8:0::1]:5000/a", "[2001:db8::1]:5000/a:latest"),
        ("docker:dind", "docker.io/library/docker:dind"),
        ("a__b/c-.-d", None),
        ("docker.io/library/9f3a", "docker.io/library/9f3a:latest"),
        ("9f3a:1", "docker.io/library/9f3a:1"),
        ("oci/x", "docker.io/oci/x:latest"),
    ],
)
def test_an_image_has_one_spelling(image: str, normal: str | None) -> None:
    if normal is None:
        with pytest.raises(ValueError, match="is not an image"):
            parse_image(image)
    else:
        assert normal_image(image) == normal


@pytest.mark.parametrize(
    "image",
    [
        "evil/x",
        "docker.io/evil/x",
        "docker.io:443/evil/x",
        "docker.io:0443/evil/x:latest",
        "index.docker.io/evil/x",
        "INDEX.docker.io:443/evil/x",
        "registry-1.docker.io/evil/x:latest",
        "registry.hub.docker.com/evil/x",
    ],
)
@pytest.mark.parametrize(
    "pattern",
    [
        *("evil/*", "evil/x", "evil/x:latest", "Evil/X", "*/evil/*", "*evil*", "*", "docker.io/evil/*"),
        *("Docker.io/evil/x", "docker.io:443/evil/*", "docker.io:0443/evil/x:latest"),
        *("index.docker.io/evil/*", "index.docker.io:443/evil/x", "*.docker.io/evil/*", "docker.io:*/evil/x"),
        *("docker.?o/evil/*", "*:latest", "ev*/x", "registry.hub.docker.com/*"),
    ],
)
def test_no_spelling_slips_past_a_pattern(image: str, pattern: str) -> None:
    assert normal_image(image) == EVIL
    assert denied_by(image, ["docker.io/good/*", pattern]) == pattern
    assert denied_by("quay.io/good/web:1", [pattern]) == (pattern if pattern == "*" else None)


@pytest.mark.parametrize("pattern", ["nginx", "nginx:1.27", "ngi*", "library/nginx", "docker.io/nginx"])
def test_a_tag_beside_a_digest_and_a_short_name_are_matched(pattern: str) -> None:
    assert denied_by(f"nginx:1.27@{DIGEST}", [pattern]) == pattern
    assert denied_by("quay.io/library/nginx:1.27", [pattern]) is None


def test_a_digest_is_matched_without_its_tag() -> None:
    assert denied_by(f"web:1@{DIGEST}", [f"web@{DIGEST}"])
    assert not denied_by("web:1", [f"web@{DIGEST}"])


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("9f3a", "may be the id of an image on some host; write docker.io/library/9f3a"),
        ("ab" * 32, "may be the id"),
        ("sha256:" + "ab" * 32, "not an image of a registry"),
        *((f"{word}:x", "not an image of a registry") for word in sorted(TRANSPORTS)),
        ("docker://nginx", r"a transport \(docker://\)"),
        ("containers-storage:[overlay@/x]nginx", "is not an image"),
        ("dir:/etc", "is not an image"),
        ("oci-archive:/x.tar:1", "is not an image"),
        ("Nginx:1", "upper-case letters in its name; write it in lower case"),
        ("Foo/bar", "a registry foo without a domain"),
        ("reg.example:0/a", "port 0"),
        ("reg.example:99999/a", "port 99999"),
        ("[::zz]/a", "is not an image"),
        ("[1:2]/a", "an invalid IPv6 address"),
        ("docker.io./evil/x", "is not an image"),
        ("docker.io//evil/x", "is not an image"),
        ("docker.io/../evil/x", "is not an image"),
        ("docker.io/evil/x\n", "is not an image"),
        (" nginx", "is not an image"),
        ("", "is not an image"),
        ("nginx@sha256:1", "is not an image"),
        ("a" + "/a" * 130, "more than 255"),
        ("z" * 600, "longer than 512"),
    ],
)
def test_what_names_no_image_of_a_registry_is_refused(image: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as raised:
        parse_image(image)
    assert "; " in str(raised.value)


@given(st.text(alphabet="aZ09.:/@-_*[]\n\u00e9 ", max_size=300) | st.text(max_size=300))
def test_any_text_is_refused_or_has_one_normal_form(text: str) -> None:
    with suppress(ValueError):
        normal = normal_image(text)
        assert normal_image(normal) == normal
        assert denied_by(text, [normal]) == normal


part = st.from_regex(r"[a-z0-9]{1,5}((\.|_|__|-{1,3})[a-z0-9]{1,3}){0,2}", fullmatch=True)
domain = st.sampled_from(
    ["", "Docker.io/", "reg.example/", "reg.example:443/", "localhost/", "REG.example:5/"]
)
tag = st.sampled_from(["", ":1.27", ":Latest", ":latest"])


@given(domain, st.lists(part, min_size=1, max_size=3), tag, st.sampled_from(["", f"@{DIGEST}"]))
def test_every_image_of_the_grammar_is_matched_by_its_own_spelling(
    domain: str, parts: list[str], tag: str, digest: str
) -> None:
    with suppress(ValueError):
        text = domain + "/".join(parts) + tag + digest
        normal_image(text)
        for pattern in (text, text.partition("@")[0] if tag else text, domain + "/".join(parts) + "*"):
            assert denied_by(text, [pattern]) == pattern, pattern


@pytest.mark.parametrize(
    ("image", "normal"),
    [
        ("9f3a", "docker.io/library/9f3a:latest"),
        ("nginx", "docker.io/library/nginx:latest"),
        ("evil/x", EVIL),
    ],
)
def test_a_tenants_short_name_is_one_of_docker_hub(image: str, normal: str) -> None:
    assert hub_or_named(image) == normal


@pytest.mark.parametrize("image", ["ab" * 32, "docker-archive:x", "dir:/etc", "Nginx", " "])
def test_a_tenants_image_is_of_a_registry(image: str) -> None:
    with pytest.raises(ValueError, match="; "):
        hub_or_named(image)


def test_a_name_of_docker_hub_is_another_of_its_names() -> None:
    for name in HUB_NAMES:
        assert normal_image(f"{name}/evil/x") == EVIL


@pytest.mark.parametrize(
    "unit",
    ["a", "a-", "a.", "a/", "-", "_", "[", ":", "a:", "@", "A", "a__", "sha256:", "\x00", "\u202e", "1"],
)
def test_a_mebibyte_takes_no_time(unit: str) -> None:
    text = (unit * (1 << 20))[: 1 << 20]
    began = time.process_time()
    with pytest.raises(ValueError, match="longer"):
        parse_image(text)
    for length in (255, 500, 512):
        with suppress(ValueError):
            parse_image(text[:length])
    assert time.process_time() - began < 0.5
