"""Points that a settlement earns; no coins move, but an event tells of them (semantics 5.5)."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.chain.proto.settlement_v1_pb2 import Params, UsageRecord

_PARTS = 10_000
_MEMORY = frozenset({"memory", "ram", "mem", "memory_gb_hours", "gb-hour", "gb_hours"})
_STORAGE = frozenset({"storage", "disk", "storage_gb_hours"})
_GPU = frozenset({"gpu", "gpu_hours", "gpu-hour"})
_NETWORK = frozenset({"network", "bandwidth", "network_gb"})


def earned(usages: Iterable[UsageRecord], params: Params) -> bool:
    """Whether any record earns at least one coin's worth of reward."""
    return any(_reward(int(coin.amount), usage, params) for usage in usages for coin in usage.total_cost)


def _reward(cost: int, usage: UsageRecord, params: Params) -> int:
    late = usage.submitted_at > usage.period_end + params.usage_grace_period
    shares = (
        params.usage_reward_rate_bps,
        _of_type(usage.usage_type.strip().lower(), params),
        params.usage_reward_sla_late_multiplier_bps
        if late
        else params.usage_reward_sla_ontime_multiplier_bps,
        params.usage_reward_ack_multiplier_bps
        if usage.customer_acknowledged
        else params.usage_reward_unack_multiplier_bps,
    )
    for share in shares:
        cost = cost * share // _PARTS
    return cost


def _of_type(name: str, params: Params) -> int:
    if name in _MEMORY:
        return params.usage_reward_memory_multiplier_bps
    if name in _STORAGE:
        return params.usage_reward_storage_multiplier_bps
    if name in _GPU:
        return params.usage_reward_gpu_multiplier_bps
    if name in _NETWORK:
        return params.usage_reward_network_multiplier_bps
    return params.usage_reward_cpu_multiplier_bps
