from __future__ import annotations

from reconciler.devnet.cluster.events import ClusterEvent, record_event
from tests.devnet.cluster.makers import Stepped, pod_spec


def test_a_repeated_event_raises_its_count() -> None:
    stepped = Stepped()
    pod = stepped.create("Pod", "p", spec=pod_spec())
    record_event(stepped.writes, pod, ClusterEvent("BackOff", "once", warning=True))
    stepped.clock.now += 5

    record_event(stepped.writes, pod, ClusterEvent("BackOff", "twice", warning=True))

    (event,) = stepped.all("Event")
    assert (event["type"], event["count"], event["message"]) == ("Warning", 2, "twice")
    assert event["firstTimestamp"] < event["lastTimestamp"]
    assert event["involvedObject"]["uid"] == pod["metadata"]["uid"]


def test_a_terminating_namespace_gets_no_events() -> None:
    stepped = Stepped()
    pod = stepped.create("Pod", "p", spec=pod_spec())
    stepped.delete("Namespace", "x", namespace="")

    record_event(stepped.writes, pod, ClusterEvent("Killing", "late"))

    assert stepped.all("Event") == []
