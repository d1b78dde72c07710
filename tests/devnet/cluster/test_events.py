from __future__ import annotations

from reconciler.devnet.cluster.events import ClusterEvent, tell
from tests.devnet.cluster.makers import Stepped, pod_spec


def test_what_is_said_again_is_counted() -> None:
    stepped = Stepped()
    pod = stepped.create("Pod", "p", spec=pod_spec())
    tell(stepped.writes, pod, ClusterEvent("BackOff", "once", warning=True))
    stepped.clock.now += 5

    tell(stepped.writes, pod, ClusterEvent("BackOff", "twice", warning=True))

    (event,) = stepped.all("Event")
    assert (event["type"], event["count"], event["message"]) == ("Warning", 2, "twice")
    assert event["firstTimestamp"] < event["lastTimestamp"]
    assert event["involvedObject"]["uid"] == pod["metadata"]["uid"]


def test_nothing_is_said_in_a_namespace_that_goes() -> None:
    stepped = Stepped()
    pod = stepped.create("Pod", "p", spec=pod_spec())
    stepped.delete("Namespace", "x", namespace="")

    tell(stepped.writes, pod, ClusterEvent("Killing", "late"))

    assert stepped.all("Event") == []
