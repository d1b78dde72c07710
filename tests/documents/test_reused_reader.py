"""A reader that read other commits before reads a commit as a new one does."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.documents.test_desired import BROKEN, History
from tests.documents.texts import CONFIG, KUBERNETES, PRICING, workload, workload_path

DENYING = CONFIG + b"images_denied: [docker.io/library/nginx]\n"
CHOICES: dict[str, tuple[bytes | None, ...]] = {
    "config.yaml": (CONFIG, CONFIG, DENYING, BROKEN, None),
    "pricing.yaml": (PRICING, PRICING, PRICING.replace(b"1uve", b"2uve"), BROKEN),
    "adapters/kubernetes.yaml": (KUBERNETES, KUBERNETES + b"enabled: false\n", None),
    "workload/x.yaml": (None, b""),
    "workloads/odd.yml": (None, b""),
    **{
        workload_path(n): (
            workload(n),
            workload(n, "paused: true"),
            workload(n, "adapter: other"),
            BROKEN,
            None,
        )
        for n in (1, 2, 3)
    },
}
commits = st.fixed_dictionaries({path: st.sampled_from(choices) for path, choices in CHOICES.items()})
odd = st.dictionaries(st.sampled_from(["workloads", workload_path(1)]), st.just("a link"), max_size=1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(commits, odd, st.integers(0, 3)), min_size=2, max_size=6))
def test_a_reader_that_read_other_commits_reads_as_a_new_one(
    history: list[tuple[dict[str, bytes | None], dict[str, str], int]],
) -> None:
    reused, known = History(), [dict[str, str]()]
    for chosen, refused, which in history:
        files: Mapping[str, bytes] = {path: text for path, text in chosen.items() if text is not None}
        good = known[which % len(known)]
        for _ in range(2):
            found = reused.read(files, good, refused)
            fresh = History(blobs=dict(reused.blobs)).read(files, good, refused)
            assert found == fresh
            assert repr(found) == repr(fresh)
        known.append(dict(found.valid_blobs))
