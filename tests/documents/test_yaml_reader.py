"""The strict reader: values, and the first thing that is wrong with a file."""

import time
from decimal import Decimal

import pytest

from reconciler.documents.document import BrokenFileError
from reconciler.documents.yaml_reader import BYTES_MAX, DEPTH_MAX, NODES_MAX, decode, read_yaml


def fault(content: bytes) -> str:
    with pytest.raises(BrokenFileError) as caught:
        read_yaml("f.yaml", content)
    return caught.value.fault.describe()


def test_values() -> None:
    document = read_yaml("f.yaml", b"a: {b: [1, 0.5, 'x', \"NO\"]}\nc: |\n  two\n  lines\nd:\n")
    assert document.root == {"a": {"b": [1, Decimal("0.5"), "x", "NO"]}, "c": "two\nlines\n", "d": None}


def test_an_empty_file_is_none() -> None:
    assert read_yaml("f.yaml", b"# a comment alone\n").root is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: &x 1", "f.yaml:1:4: the anchor &x is not supported (write the value out)"),
        (b"b: *x", "f.yaml:1:4: the alias *x is not supported (write the value out)"),
        (
            b"a: !!python/none x",
            "f.yaml:1:4: the tag tag:yaml.org,2002:python/none is not supported (remove it)",
        ),
        (b"a: ! x", "f.yaml:1:4: the tag ! is not supported (remove it)"),
        (b"a: 1\nb: 2\na: 3", "f.yaml:3:1: duplicate key a (first on line 1; remove one)"),
        (b"<<: {a: 1}", "f.yaml:1:1: merge keys (<<) are not supported (write the values out)"),
        (b"a: 1\n---\nb: 1", "f.yaml:2:1: the file has a second document (move it to its own file)"),
        (b"%YAML 1.1\n---\na: 1", "f.yaml:1:1: directives (%) are not supported (remove this line)"),
        (b"? [a]\n: 1", "f.yaml:1:3: the key is a list or mapping (use text)"),
        (b"80: x", "f.yaml:1:1: the key 80 is not a word (put it in quotes)"),
        (
            b"a: NO",
            (
                "f.yaml:1:4: NO without quotes: some YAML readers interpret it as true or false "
                '(write false, or "NO" for a text)'
            ),
        ),
        (
            b"a: 010",
            (
                "f.yaml:1:4: 010 without quotes: some YAML readers interpret it as an octal number "
                '(write a plain decimal number, or "010" for a text)'
            ),
        ),
        (b"a:\n\tb: 1", "f.yaml:2:1: tabs are not allowed (use spaces)"),
        (
            b"a: b: c",
            (
                "f.yaml:1:5: not YAML: mapping values are not allowed in this context "
                '(put text that contains ": " in quotes, or check the indentation)'
            ),
        ),
        (
            b"a:\n  - x\n y: 1\n",
            (
                "f.yaml:3:2: not YAML: while parsing a block mapping, did not find expected key "
                "(check the indentation, quotes and brackets here and on the line before)"
            ),
        ),
        (
            b"a: @b",
            (
                "f.yaml:1:4: not YAML: while scanning for the next token, found character that cannot "
                "start any token (put text that begins with this character in quotes)"
            ),
        ),
    ],
)
def test_unsupported_yaml_is_rejected(content: bytes, message: str) -> None:
    assert fault(content) == message


@pytest.mark.parametrize("content", [b"[" * 25_000 + b"]" * 25_000, b"{a: " * 25_000, b"- " * 25_000])
def test_a_deep_document_is_refused_at_once(content: bytes) -> None:
    started = time.monotonic()
    assert f"the nesting exceeds {DEPTH_MAX} levels" in fault(content)
    assert time.monotonic() - started < 1


def test_the_deepest_allowed_document_is_read() -> None:
    read_yaml("f.yaml", b"[" * DEPTH_MAX + b"]" * DEPTH_MAX)


def test_an_alias_bomb_is_rejected_at_its_first_anchor() -> None:
    bomb = b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (c, c, c - 1, c - 1) for c in b"bcdefghij")
    assert fault(bomb) == "f.yaml:1:4: the anchor &a is not supported (write the value out)"


def test_too_many_values_are_refused() -> None:
    assert f"more than {NODES_MAX} values" in fault(b"[" + b"1," * (NODES_MAX + 1) + b"]")


def test_quoted_scalars_are_text() -> None:
    assert read_yaml("f", b"a: 'NO'\nb: \"010\"\n'80': '<<'\n").root == {"a": "NO", "b": "010", "80": "<<"}


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"\ta: b\n", "1:1"),
        (b"a:\n  b: c\n \td: e\n", "3:2"),
        (b"a:\r\n\tb: c\r\n", "2:1"),
        (b"a:\t b\n", "1:3"),
        (b"a: b\t# c\n", "1:5"),
        (b"a: b\t\n", "1:5"),
        (b"a: b\n\t\nc: d\n", "2:1"),
        (b"a: b\n\t# c\n", "2:1"),
        (b"a: [b,\tc]\n", "1:7"),
        (b"a:\n-\tb\n", "2:2"),
        ("é: 'é\té' #\té\nè:\té\n".encode(), "2:3"),
    ],
)
def test_a_tab_between_tokens_is_reported(content: bytes, place: str) -> None:
    with pytest.raises(BrokenFileError) as told:
        read_yaml("f.yaml", content)
    assert told.value.fault.describe() == f"f.yaml:{place}: tabs are not allowed (use spaces)"


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'a: "x\ty"  # c\td\n', "x\ty"),
        (b"#\tx\na: b #\ty\n", "b"),
        (b"a: x\ty\n", "x\ty"),
        (b"a: b#c\td\n", "b#c\td"),
        (b"a: |\n  x\ty\n  \tz\n", "x\ty\n\tz\n"),
    ],
)
def test_tabs_in_scalars_and_comments_are_allowed(content: bytes, value: str) -> None:
    assert read_yaml("f.yaml", content).root == {"a": value}


@pytest.mark.parametrize("sign", ["<<<<<<< HEAD", "||||||| 1a2b3c4", "=======", ">>>>>>> theirs"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_conflict_marker_is_found(sign: str, end: str) -> None:
    """Also what is left when somebody has removed the others, and within quotes, where YAML would take it."""
    for before in ("a: b", 'a: "b', "a: |"):
        with pytest.raises(BrokenFileError) as told:
            read_yaml("f.yaml", f"{before}{end}{sign}{end}".encode())
        assert told.value.fault.describe() == (
            "f.yaml:2:1: unresolved merge conflict (resolve it and remove the conflict markers)"
        )


def test_text_that_resembles_a_conflict_marker_is_read() -> None:
    assert read_yaml("f.yaml", b"# =======\na: '======='\nb: |\n  <<<<<<< HEAD\n").root == {
        "a": "=======",
        "b": "<<<<<<< HEAD\n",
    }


def test_byte_order_mark_and_all_line_ends_are_accepted() -> None:
    assert decode("f", b"\xef\xbb\xbfa: 1\r\nb: \xc3\xa9\r") == "a: 1\r\nb: é\r"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfea\x00", "f:1:1: the file is UTF-16 (save it as UTF-8)"),
        (b"a: 1\nb: \xe9\n", "f:2:4: byte 0xe9 is not UTF-8 (save the file as UTF-8)"),
        (
            b"a: 1\r\nb: x\x1b[31m\n",
            "f:2:5: the invisible character U+001B is not allowed (remove it, or escape it in quotes)",
        ),
        (
            "a: é\u202egpj".encode(),
            "f:1:5: the invisible character U+202E is not allowed (remove it, or escape it in quotes)",
        ),
        (
            b"x" * (BYTES_MAX + 1),
            "f:1:1: the file has 1048577 bytes; at most 1048576 are read (split it)",
        ),
    ],
)
def test_undecodable_bytes_are_rejected(content: bytes, message: str) -> None:
    with pytest.raises(BrokenFileError) as caught:
        decode("f", content)
    assert caught.value.fault.describe() == message
