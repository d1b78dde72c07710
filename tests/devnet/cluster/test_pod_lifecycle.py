from __future__ import annotations

from itertools import islice

import pytest

from reconciler.devnet.cluster.pod_lifecycle import lifecycle_of, log_lines, pod_states


@pytest.mark.parametrize(
    ("image", "word"),
    [
        ("registry.example/team/crash:1", "crash"),
        ("missing", "missing"),
        ("slow/web:2", "slow"),
        ("nginx:1", "fine"),
        ("registry.example/not-missing:1", "fine"),
    ],
)
def test_a_part_of_the_image_name_selects_the_lifecycle(image: str, word: str) -> None:
    assert lifecycle_of([image])[0] == word


def test_the_worst_container_decides_for_its_pod() -> None:
    assert lifecycle_of(["nginx:1", "x/missing:1"]) == ("missing", "x/missing:1")


def test_pods_are_ready_at_once_and_slow_ones_later() -> None:
    assert [(m.after_seconds, m.ready) for m in pod_states("fine", "i")] == [(0, False), (0, True)]
    assert [(m.after_seconds, m.ready) for m in pod_states("slow", "i")] == [(0, False), (5.0, True)]
    assert not any(m.ready for m in pod_states("unready", "i"))


def test_a_missing_image_fails_to_pull() -> None:
    assert [(m.phase, m.reason) for m in pod_states("missing", "i")] == [
        ("Pending", "ErrImagePull"),
        ("Pending", "ImagePullBackOff"),
    ]


def test_a_crashing_container_restarts_with_back_off() -> None:
    listed = list(islice(pod_states("oom", "i"), 6))

    assert [(m.state, m.reason, m.restarts) for m in listed] == [
        ("running", "", 0),
        ("running", "", 1),
        ("waiting", "CrashLoopBackOff", 1),
        ("running", "", 2),
        ("waiting", "CrashLoopBackOff", 2),
        ("running", "", 3),
    ]
    assert listed[3].after_seconds - listed[2].after_seconds == pytest.approx(2)
    assert listed[5].after_seconds - listed[4].after_seconds == pytest.approx(4)
    assert listed[1].exited is not None
    assert listed[1].exited[2:] == (137, "OOMKilled")


def test_a_log_shows_the_containers_lifecycle() -> None:
    assert [line for _, line in log_lines("c", "nginx:1", 100, 125)] == [
        "c started from nginx:1",
        "c has been running for 10 s",
        "c has been running for 20 s",
    ]
    assert [line for _, line in log_lines("c", "crash", 100, 125)][-1] == "c exits with 1"
    assert list(log_lines("c", "missing", 100, 125)) == []
