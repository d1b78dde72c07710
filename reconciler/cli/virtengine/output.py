"""Answers on standard output: one line of JSON, or YAML as the chain's own client writes it."""

from __future__ import annotations

import json
from typing import Any

import click
import yaml

WIDTH = 1 << 20
"""Wide enough that no line is folded."""


output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    envvar="VE_OUTPUT",
    show_default=True,
    help="YAML, or one line of JSON.",
)


class _Text(yaml.CSafeDumper):
    """Puts texts that YAML would read as a number, boolean or null in double quotes."""

    def ignore_aliases(self, data: object) -> bool:
        """Write equal parts out each time."""
        del data
        return True


def _quoted(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    tag = "tag:yaml.org,2002:str"
    reads_as_text = dumper.resolve(yaml.ScalarNode, text, (True, False)) == tag  # type: ignore[no-untyped-call]  # of the stubs
    return dumper.represent_scalar(tag, text, style=None if reads_as_text else '"')


_Text.add_representer(str, _quoted)


def print_answer(answer: Any, output: str) -> None:
    """Print an answer: `json` keeps the order of its keys, `text` sorts them."""
    if output == "json":
        click.echo(one_line(answer))
    else:
        click.echo(as_yaml(answer, sort_keys=True), nl=False)


def one_line(answer: Any) -> str:
    """JSON without spaces; in ASCII if it has invisible characters, which could move a cursor."""
    line = json.dumps(answer, separators=(",", ":"), ensure_ascii=False)
    return line if line.isprintable() else json.dumps(answer, separators=(",", ":"))


def as_yaml(answer: Any, *, sort_keys: bool) -> str:
    """YAML in block style with a final line end; in ASCII if it has invisible characters."""

    def dumped(*, unicode: bool) -> str:
        return yaml.dump(
            answer,
            Dumper=_Text,
            sort_keys=sort_keys,
            allow_unicode=unicode,
            width=WIDTH,
            default_flow_style=False,
        )

    text = dumped(unicode=True)
    return text if text.replace("\n", "").isprintable() else dumped(unicode=False)
