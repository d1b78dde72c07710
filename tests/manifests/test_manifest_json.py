"""Rules of manifests beside the recorded ones: JSON as Go reads it."""

from __future__ import annotations

import pytest

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.manifest import ManifestGroup, read_manifest

TYPE = "json: cannot unmarshal"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'[{"name":tru}]', "invalid character '}' in literal true (expecting 'e')"),
        (b'[{"name" "a"}]', "invalid character '\"' after object key"),
        (b'[{"name":"a" "b"}]', "invalid character '\"' after object key:value pair"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b"[1,]", "invalid character ']' looking for beginning of value"),
        (b"[{,}]", "invalid character ',' looking for beginning of object key string"),
        (b'["\\x"]', "invalid character 'x' in string escape code"),
        (b'["\\u12g4"]', "invalid character 'g' in \\u hexadecimal character escape"),
        (b'["a\nb"]', "invalid character '\\n' in string literal"),
        (b"[-x]", "invalid character 'x' in numeric literal"),
        (b"[1.x]", "invalid character 'x' after decimal point in numeric literal"),
        (b"[1ex]", "invalid character 'x' in exponent of numeric literal"),
        (b"[01]", "invalid character '1' after array element"),
        (b"[NaN]", "invalid character 'N' looking for beginning of value"),
        (b"'a'", "invalid character '\\'' looking for beginning of value"),
        (b'[{"name":"a"', "unexpected EOF"),
        (b'["', "unexpected EOF"),
        (b" \n", "EOF"),
        (b"[" * 100_000, "exceeded max depth"),
        (b"5", "json: cannot unmarshal number into Go value of type v2beta3.Manifest"),
        (b'["a"]', "json: cannot unmarshal string into Go value of type v2beta3.Group"),
        (
            b'[{"services":[{"name":1,"command":"x"}]}]',
            "json: cannot unmarshal number into Go struct field Service.services.name of type string",
        ),
        (
            b'[{"services":[{"resources":{"cpu":true}}]}]',
            f"{TYPE} bool into Go struct field Resources.services.resources.cpu of type v1beta4.CPU",
        ),
        (
            b'[{"services":[{"count":4294967296}]}]',
            f"{TYPE} number 4294967296 into Go struct field Service.services.count of type uint32",
        ),
        (
            b'[{"services":[{"count":"1","resources":{"cpu":{"units":{"val":"x"}}}}]}]',
            'math/big: cannot unmarshal "x" into a *big.Int',  # ends the reading, and counts before others
        ),
        (b'[{"services":[{"resources":{"cpu":{}}}]}]', "service : the cpu has no val"),
    ],
)  # fmt: skip
def test_refusals_have_the_text_of_go(body: bytes, error: str) -> None:
    with pytest.raises(ManifestError) as refused:
        read_manifest(body)
    assert str(refused.value) == error


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'[{"name":"a\\ud83d\\ude00"}]', "a😀"),
        (b'[{"name":"a\\ud83d"}]', "a�"),
        (b'[{"name":"a\xe2\x82"}]', "a��"),
        (b'[{"NAME":"a","name":null}]', "a"),
        ('[{"name":"a"}] ü'.encode(), "a"),
    ],
)
def test_texts_are_read_as_go_reads_them(body: bytes, name: str) -> None:
    assert read_manifest(body).groups == (ManifestGroup(name),)


def test_a_repeated_key_is_read_over_the_first() -> None:
    body = b'[{"services":[{"name":"a","image":"x"},{"name":"b"}],"services":[{"image":"y"}]}]'
    services = (read_manifest(body).groups or ())[0].services or ()

    assert [(service.name, service.image) for service in services] == [("a", "y")]


@pytest.mark.parametrize(
    ("text", "value"),
    [("-5", -5), ("+0x1F", 31), ("0b11", 3), ("0o17", 15), ("0_7", 7), ("0x_f", 15), ("00", 0),
     ("1__0", None),     ("08", None), ("_1", None), ("1_", None), ("0x", None), ("1e3", None), ("٣", None)],
)  # fmt: skip
def test_amounts_have_the_bases_of_go(text: str, value: int | None) -> None:
    body = '[{"services":[{"resources":{"cpu":{"units":{"val":"VALUE"}}}}]}]'.replace("VALUE", text)
    try:
        cpu = ((read_manifest(body.encode()).groups or ())[0].services or ())[0].resources.cpu
    except ManifestError:
        assert value is None
    else:
        assert cpu is not None
        assert cpu.units.val == value
