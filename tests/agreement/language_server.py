"""The YAML language server that editors run, asked over its own protocol what it thinks of files."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

HERE = Path(__file__).parent
SERVER = HERE / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
ERROR = 1
"""The severity of a diagnostic that an editor underlines as wrong; below come warnings and hints."""
SETTINGS = {"validate": True, "schemaStore": {"enable": False}}


def install() -> None:
    """As the lock beside this file says; by npm, which is one of the few things that are not Python here."""
    if SERVER.exists():
        return
    npm = shutil.which("npm")
    assert npm, "npm is not on the PATH; install nodejs and npm, then try again"
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    subprocess.run([npm, "ci", *quiet], cwd=HERE, check=True, timeout=240)


class Server:
    """One running server; it checks a file by the schema that the file's first line names."""

    def __init__(self, out: IO[bytes], into: IO[bytes]) -> None:
        self._out, self._into = out, into
        self._send("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, number=1)
        while self._receive().get("id") != 1:
            pass
        self._send("initialized", {})
        self._send("workspace/didChangeConfiguration", {"settings": {"yaml": SETTINGS}})

    def errors(self, paths: Iterable[Path]) -> dict[Path, list[str]]:
        """What is wrong with each file, in the order in which an editor would show it."""
        asked = {path.as_uri(): path for path in paths}
        for uri, path in asked.items():
            text = path.read_bytes().decode("utf-8", "replace")  # as editors open it
            opened = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
            self._send("textDocument/didOpen", {"textDocument": opened})
        told: dict[Path, list[str]] = {}
        while len(told) < len(asked):
            message = self._receive()
            if message.get("method") == "textDocument/publishDiagnostics":
                found = message["params"]
                errors = [each["message"] for each in found["diagnostics"] if each["severity"] == ERROR]
                told[asked[found["uri"]]] = errors
        return told

    def completions(self, path: Path, line: int, character: int) -> set[str]:
        """What it proposes at a place, counted from 0, of a file that `errors` has opened."""
        at = {"line": line, "character": character}
        asked = {"textDocument": {"uri": path.as_uri()}, "position": at}
        self._send("textDocument/completion", asked, number=2)
        while (answer := self._receive()).get("id") != 2:
            pass
        return {item["label"] for item in answer["result"]["items"]}

    def _send(self, method: str, params: dict[str, Any], number: int | None = None) -> None:
        self._write({"method": method, "params": params} | ({"id": number} if number else {}))

    def _write(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0"} | message).encode()
        self._into.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._into.flush()

    def _receive(self) -> dict[str, Any]:
        """The next message; what the server itself asks is answered with nothing."""
        length = 0
        while line := self._out.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the language server has ended"
        message = cast("dict[str, Any]", json.loads(self._out.read(length)))
        if "id" in message and "method" in message:
            asked = message["params"].get("items", []) if isinstance(message.get("params"), dict) else []
            self._write({"id": message["id"], "result": [None for _ in asked] or None})
        return message


@contextmanager
def running() -> Iterator[Server]:
    """A server that ends with the block."""
    install()
    program = subprocess.Popen(
        ["node", str(SERVER), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert program.stdin is not None
    assert program.stdout is not None
    try:
        yield Server(program.stdout, program.stdin)
    finally:
        program.kill()
        program.communicate()
