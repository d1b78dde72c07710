"""Hostile SDL files and manifests are refused by a bound; counted work, not time, shows that it is small."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.go_text import floating
from reconciler.manifests.json_scanner import ITEMS_MAX, VALUES_MAX
from reconciler.manifests.manifest import read_manifest
from reconciler.manifests.sdl_groups import read_deployment
from reconciler.manifests.versions import tolerant_version
from tests.manifests.test_sdl import SDL

HEAD = 'version: "2.0"\n'
ALIASING, LEVELS = "excessive aliasing", "merged over more than 8 levels"


def merges(count: int, source: str) -> str:
    """Services of which each merges the one before."""
    chain = [f"  s{i}: &a{i} {{<<: {source.format(i - 1)}}}" for i in range(1, count)]
    return "\n".join([f"{HEAD}services:", "  s0: &a0 {image: x}", *chain])


def volumes(count: int, profiles: int) -> str:
    """Compute profiles with the same volumes."""
    listed = ", ".join(f"{{name: v{i}, size: 1Gi}}" for i in range(count))
    shared = [f"    p{i}: {{resources: {{storage: *s}}}}" for i in range(profiles)]
    first = f"    p: {{resources: {{storage: &s [{listed}]}}}}"
    return "\n".join([f"{HEAD}profiles:", "  compute:", first, *shared])


def large_unknown_parts() -> str:
    """Services that share a mapping of unknown keys."""
    keys = ", ".join(f"k{i}: 1" for i in range(1_000))
    return "\n".join([f"{HEAD}services:", f"  s: &s {{{keys}}}", *(f"  s{i}: *s" for i in range(100))])


def repeated(services: int, placements: int, part: str) -> str:
    """A valid file whose services are alike and run in each placement."""
    others, groups = range(1, services), range(1, placements)
    placed = ", ".join(["here: &d {profile: web, count: 1}", *(f"g{i}: *d" for i in groups)])
    text = SDL.replace("  web:\n    image: nginx", f"  web: &w\n    image: nginx\n    {part}")
    text = text.replace("profiles:", "".join(f"  s{i}: *w\n" for i in others) + "profiles:")
    text = text.replace("here:\n      pricing", "here: &p\n      pricing")
    text = text.partition("deployment:")[0] + "".join(f"    g{i}: *p\n" for i in groups)
    return f"{text}deployment:\n  web: &r {{{placed}}}\n" + "".join(f"  s{i}: *r\n" for i in others)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (merges(18, "[*a{0}, *a{0}]"), LEVELS),
        (merges(8, "[" + ", ".join(["*a{0}"] * 8) + "]"), ALIASING),
        (merges(600, "*a{0}"), LEVELS),
        (large_unknown_parts(), ALIASING),
        (HEAD + "services: &s {s: {env: [a, b, c, d]}}\n" + "services: *s\n" * 6_000, ALIASING),
        (volumes(50, 500), ALIASING),
        (volumes(2_000, 0), "more than 100 volumes"),
        (f"{HEAD}services: {{s: {{env: [{', '.join(['[]'] * 1_000)}]}}}}", "cannot unmarshal !!seq"),
        (f"{HEAD}deployment: {{s: {{p: {{count: {'9' * 5_000}}}}}}}", "value out of range"),
        (f"{HEAD}endpoints: {{{'a' * 20_000}?: {{kind: ip}}}}", ""),
        (repeated(60, 60, "env: []"), "the manifest would have more than"),
        (repeated(30, 10, f"env: [{'x' * 10_000}]"), "the manifest would have more than"),
        (repeated(2, 60, f"env: [{', '.join(['a'] * 2_000)}]"), "the manifest would have more than"),
        (f"version: 2.0.0-{'9' * 5_000}", "value out of range"),
    ],
    ids=["wide-merges", "wider-merges", "long-merges", "unknown-keys", "sections", "profiles", "volumes",
         "errors", "digits", "endpoint", "groups", "long-texts", "many-texts", "version"],
)  # fmt: skip
def test_sdl_files_end_in_a_refusal(content: str, error: str) -> None:
    with pytest.raises(ManifestError) as refused:
        read_deployment(content.encode())
    assert error in str(refused.value)
    assert len(str(refused.value)) < 100_000


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (floating, "0x.p1"),
        (floating, "0xp1"),
        (floating, "1" * 5_000),
        (tolerant_version, "2.0.0-" + "9" * 5_000),
    ],
    ids=["point", "none", "decimal", "version"],
)
def test_numbers_end_in_a_refusal(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(ManifestError):
        read(text)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ('[{"services":[' + ",".join(["{}"] * 3_000) + "]}]", f"a list of more than {ITEMS_MAX} values"),
        ("[" + ",".join(['{"services":[{},{}]}'] * 6_000) + "]", f"a list of more than {ITEMS_MAX} values"),
        ("[" + ",".join(['{"a":[' + "[],{}," * 20 + "0]}"] * 1_000) + "]", f"more than {VALUES_MAX} values"),
        ("[{" + ",".join(['"a":0'] * 21_000) + "}]", f"more than {VALUES_MAX} values"),
    ],
    ids=["services", "groups", "nested", "keys"],
)  # fmt: skip
def test_manifests_of_many_values_are_refused(body: str, error: str) -> None:
    with pytest.raises(ManifestError) as refused:
        read_manifest(body.encode())
    assert str(refused.value) == error
