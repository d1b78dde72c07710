"""Rules of SDL files beside the recorded ones: YAML as Go reads it, and bounds."""

from __future__ import annotations

import pytest

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.sdl_groups import read_deployment
from reconciler.manifests.versions import Version, tolerant_version

SDL = """\
version: "2.0"
services:
  web:
    image: nginx
    expose:
      - port: 80
        to: [{global: true}]
profiles:
  compute:
    web:
      resources:
        cpu: {units: 100m}
        memory: {size: 128Mi}
        storage: {size: 256Mi}
  placement:
    here:
      pricing:
        web: {denom: uve, amount: 100}
deployment:
  web:
    here: {profile: web, count: 1}
"""


TYPES = "yaml: unmarshal errors:\n"


def refusal(old: str, new: str) -> str:
    """Why the file with a part replaced is refused; "" if it is not."""
    assert old in SDL
    try:
        read_deployment(SDL.replace(old, new).encode())
    except ManifestError as error:
        return str(error)
    return ""


def hash_of(old: str, new: str) -> str:
    assert old in SDL
    return read_deployment(SDL.replace(old, new).encode()).manifest.hash()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("port: 80", "port: 80.9"),  # a fraction is cut
        ("port: 80", "port: 0x50"),
        ("port: 80", "port: 8_0"),
        ("global: true", "global: yes"),
        ("global: true", 'global: "on"'),
        ("image: nginx", "image: nginx\n    credentials: null\n    params:"),
        ("{units: 100m}", "{units: 0.1}"),
        ("{units: 100m}", "{units: 1e-1}"),
        ("{size: 128Mi}", "{size: 0.125Gi, attributes: {a: b}}"),
        ("{size: 256Mi}", "[{size: 256Mi}]"),
        ("amount: 100", "amount: '100.0'"),
    ],
)
def test_spellings_of_one_value_have_one_hash(old: str, new: str) -> None:
    assert hash_of(old, new) == hash_of(old, old)


def test_a_null_drops_out_of_a_list_and_an_empty_list_is_no_null() -> None:
    hashes = [hash_of("nginx", f"nginx\n    env: {env}") for env in ("[~]", "[]", "~")]

    assert hashes[0] == hashes[1] != hashes[2] == hash_of("nginx", "nginx")


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("port: 80", 'port: "80"', TYPES + "  line 6: cannot unmarshal !!str `80` into uint32"),
        (
            "port: 80",
            "port: a very long port",
            TYPES + "  line 6: cannot unmarshal !!str `a very ...` into uint32",
        ),
        (
            "image: nginx",
            "image: [a]\n    env: b",
            TYPES
            + "  line 4: cannot unmarshal !!seq into string\n"
            + "  line 5: cannot unmarshal !!str `b` into []string",
        ),
        (
            "image: nginx",
            "image: nginx\n    image: apache",
            'yaml: unmarshal errors:\n  line 5: mapping key "image" already defined at line 4',
        ),
        ("image: nginx", "image: *none", "yaml: unknown anchor 'none' referenced"),
        ('"2.0"', '"2.0"\nx-common: &a {}', "sdl: unexpected field x-common"),
        ('"2.0"', '"2"\ninclude: {}', TYPES + "  line 2: cannot unmarshal !!map into []string"),
        ("{units: 100m}", "{units: [1]}", 'strconv.ParseFloat: parsing "": invalid syntax'),
        ("{units: 100m}", "{units: 1e400}", 'strconv.ParseFloat: parsing "1e400": value out of range'),
        ("{units: 100m}", "{units: 5000000}", "error: invalid unit CPU (384000 > 705032704 > 384000 fails)"),
        ("amount: 100", "amount: 1.", "invalid decimal length"),
        ("amount: 100", "amount: ''", "decimal string cannot be empty"),
        ("global: true", "global: maybe", TYPES + "  line 7: cannot unmarshal !!str `maybe` into bool"),
        ("to: [", "accept: ['a%zz']\n        to: [", 'parse "http://a%zz": invalid URL escape "%zz"'),
        ("to: [", "accept: ['a:b']\n        to: [", 'parse "http://a:b": invalid port ":b" after host'),
        ("    image", "\timage", "yaml: line 4: found character that cannot start any token"),
    ],
)
def test_refusals_have_the_text_of_go(old: str, new: str, error: str) -> None:
    assert refusal(old, new) == error


def test_merged_and_shared_parts_are_read() -> None:
    text = "image: nginx\n    args: &list [a]\n    command: *list"
    shared = hash_of("image: nginx", text)
    assert shared == hash_of("image: nginx", "image: nginx\n    args: [a]\n    command: [a]")

    merged = "{<<: {profile: web, count: 7}, count: 1}"
    assert hash_of("{profile: web, count: 1}", merged) == hash_of("web", "web")


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 5_000,
        b"version: 2.0\n" + b"a: " * 100 + b"\n",
        b"a: &a [x,x,x,x,x,x,x,x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 8)) for c in range(98, 110)),
        b"x" * (1 << 21),
        b"\xff\xfe\x00",
        b"version: \x00",
    ],
)
def test_hostile_files_are_refused_at_once(content: bytes) -> None:
    with pytest.raises(ManifestError):
        read_deployment(content)


def test_shared_parts_that_multiply_are_refused() -> None:
    levels = ["include: &a [x, x, x, x, x, x, x, x, x, x]"]
    env = "    env: " + "[*a, *a]"
    with pytest.raises(ManifestError):
        read_deployment(
            ("\n".join(levels) + "\n" + SDL.replace("    image: nginx", f"    image: nginx\n{env}")).encode()
        )


@pytest.mark.parametrize(
    ("text", "version"),
    [("2", "2.0.0"), (" v2.0", "2.0.0"), ("02.00", "2.0.0"), ("2.1.0-rc.1+b", "2.1.0-rc.1+b")],
)
def test_versions_are_read_leniently(text: str, version: str) -> None:
    assert str(tolerant_version(text)) == version


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("2-a", "Short version cannot contain PreRelease/Build meta data"),
        ("2.xy.0", 'Invalid character(s) found in minor number "0xy"'),
        ("2.0.0-", "Prerelease is empty"),
        ("", 'strconv.ParseUint: parsing "": invalid syntax'),
        ("2.0.0-01", 'Numeric PreRelease version must not contain leading zeroes "01"'),
    ],
)
def test_malformed_versions_are_refused(text: str, error: str) -> None:
    with pytest.raises(ManifestError) as refused:
        tolerant_version(text)
    assert str(refused.value) == error


def test_a_prerelease_comes_before_its_version() -> None:
    assert tolerant_version("2.1.0-rc.2") < tolerant_version("2.1.0-rc.10") < Version(2, 1, 0)
    assert tolerant_version("2.1.0+x") == Version(2, 1, 0)
