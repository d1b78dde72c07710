"""What each adapter provides, by its settings and machines."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.planning.planning_input import PlanningBasis
from reconciler.values.desired import Workload
from reconciler.values.features import AdapterFeatures, Feature, Need, features_of, unsupported
from reconciler.values.readings import Seen

_OF_CAPACITY = (Feature.ARCHITECTURE, Feature.GPU_MODEL, Feature.PERSISTENT_VOLUME)


def provided_features(basis: PlanningBasis) -> Mapping[str, AdapterFeatures]:
    """The features of each adapter whose machines are seen; the same object as long as none changes."""
    adapters = basis.desired.adapters
    seen = {
        name: view.capacity.view
        for name, view in sorted(basis.adapters.items())
        if isinstance(view.capacity, Seen) and name in adapters
    }
    found = basis.decisions.reuse(
        "features of machines",
        (adapters, *seen, *seen.values()),
        lambda: {name: features_of(adapters[name], capacity) for name, capacity in seen.items()},
    )
    return basis.decisions.same("adapter features", found)


def missing_features(basis: PlanningBasis, workload: Workload) -> tuple[Need, ...]:
    """What a workload needs and its adapter lacks; while its capacity is unseen, what depends on it does not
    count."""
    settings = basis.desired.adapters.get(workload.adapter)
    if settings is None:
        return ()
    if (features := provided_features(basis).get(workload.adapter)) is not None:
        return unsupported(workload, features)
    missing = unsupported(workload, features_of(settings))
    return tuple(need for need in missing if need.feature not in _OF_CAPACITY)
