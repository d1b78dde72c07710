"""Foreign text in Markdown."""

import html

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.values.markdown import cell, code, table
from reconciler.values.text import LINE_MAX


def test_only_signs_that_mean_something_where_they_stand_are_escaped() -> None:
    assert cell("a|b <script> @me [x](y)\n# z") == "a&#124;b &#60;script> @me [x&#93;(y) # z"
    plain = "services[0].cpu_millicores: 1uve -> 1.2uve (+20 %), 3 < 4 & 5; {a}, a+b, x!"
    assert cell(plain) == plain
    assert code("a`b|c\nd") == "`a'b¦c d`"


SIGNS = "\\`*_{}[]<>()#+-.!|~&@$=:^x1; "
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def read(markdown: str) -> str:
    """What a reader sees, if it is one paragraph of text and nothing else; each tag is a marker."""
    return html.unescape(MARKDOWN.render(markdown).strip().removeprefix("<p>").removesuffix("</p>"))


@settings(deadline=None, max_examples=500)  # other processes share the machine
@given(st.text(st.sampled_from(SIGNS), max_size=30))
def test_a_cell_reads_as_its_text(text: str) -> None:
    """Alone, before other text, in a list and in a table."""
    plain = " ".join(text.split())
    assert read(cell(text)) == plain
    assert read(f"{cell(text)}: (x) [y]") == f"{plain}: (x) [y]"
    if plain:
        item = MARKDOWN.render(f"- {cell(text)}")
        assert html.unescape(item) == f"<ul>\n<li>{plain}</li>\n</ul>\n"
        row = MARKDOWN.render(table(("a", "b"), [(cell(text), "z")]))
        assert f"<td>{plain}</td>\n<td>z</td>" in html.unescape(row)


def test_what_is_not_seen_is_left_out() -> None:
    assert cell("a\u061cb\u200bc\u202ed\ufeffe\ud800f") == "abcdef"


def test_long_texts_are_cut() -> None:
    assert len(cell("x" * 10_000)) == LINE_MAX


def test_a_table() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
    assert table(("a",), []) == ""


def test_no_line_begins_a_list_or_a_rule_of_its_own() -> None:
    assert [cell(text) for text in ("- held", "-", "---", "12. x")] == [
        "&#45; held",
        "&#45;",
        "&#45;--",
        "12&#46; x",
    ]
    assert [cell(text) for text in ("-9 %", "1.5", "a - b")] == ["-9 %", "1.5", "a - b"]
