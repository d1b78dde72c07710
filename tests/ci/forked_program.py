"""`provider-daemon` in forks of a process that has imported it: the same program without its start-up time.

`python -m tests.ci.forked_program SOCKET` serves; CLIENT is the program that a script calls.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.cli import clones
from reconciler.cli.forge import command, review
from reconciler.cli.main import main
from reconciler.cli.planning import preview
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
IMPORTED = (clones, command, preview, review)
REQUEST_BYTES_MAX = 1 << 20
CLIENT = """\
#!{python} -IS
import json, os, socket, sys
call = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [call], [0, 1, 2])
    server.shutdown(socket.SHUT_WR)
    sys.exit(int(server.recv(16)))
"""


@contextmanager
def serving(directory: Path) -> Iterator[Path]:
    """The client, while the server runs."""
    address, client = directory / "socket", directory / "provider-daemon"
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory)}
    words = [sys.executable, "-m", "tests.ci.forked_program", str(address)]
    server = subprocess.Popen(words, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)
    try:
        client.write_text(CLIENT.format(python=sys.executable, address=str(address)))
        client.chmod(0o700)
        wait_until(address.exists, "the server listens")
        yield client
    finally:
        server.kill()
        server.wait()


def serve(address: str) -> None:
    """Run each call in a fork, one after the other."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{address}.new")
        listener.listen()
        Path(f"{address}.new").rename(address)
        while True:
            with listener.accept()[0] as client:
                client.sendall(str(_forked(client)).encode())


def _forked(client: socket.socket) -> int:
    call, descriptors, _, _ = socket.recv_fds(client, REQUEST_BYTES_MAX, 3)
    while more := client.recv(REQUEST_BYTES_MAX):
        call += more
    child = os.fork()
    if child == 0:
        try:
            _run(call, descriptors)
        finally:
            os._exit(70)
    for each in descriptors:
        os.close(each)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _run(call: bytes, descriptors: list[int]) -> None:
    words, directory, environment = json.loads(call)
    for number, each in enumerate(descriptors):
        os.dup2(each, number)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["provider-daemon", *words]
    code: object = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    except Exception:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    serve(sys.argv[1])
