"""Decoding from several threads at once, in a process of its own: a fault would end it."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from reconciler.adapters.kubernetes.objects import ObjectList
from reconciler.documents.typed_json import decode_json

FIRST_USES = """
import sys, threading
import msgspec
from reconciler.documents.typed_json import decode_json

TYPES = '''
class Inner(msgspec.Struct):
    name: "str"
    labels: "dict[str, str] | None" = None

class Outer(msgspec.Struct):
    inner: "Inner"
    items: "list[Inner] | None"
'''

sys.setswitchinterval(1e-6)
for again in range(100):
    exec(TYPES)
    start = threading.Barrier(8)

    def first_use():
        start.wait()
        assert decode_json('{"inner":{"name":"a"},"items":[]}', Outer).inner.name == "a"

    threads = [threading.Thread(target=first_use) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print("done")
"""


def test_the_first_uses_of_a_type_may_come_from_many_threads_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_USES], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


@pytest.mark.parametrize("text", [b"", b"{}", b'{"metadata":{},"items":1}'])
def test_a_value_of_another_type_is_an_error(text: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_json(text, ObjectList)
