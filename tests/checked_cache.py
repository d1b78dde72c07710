"""A cache that evaluates each reused result again, and fails where that differs: an input is missing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from types import CodeType
from typing import Any

from reconciler.values.result_cache import Inputs, Key, KeyedInputs, Result, ResultCache


class CheckedCache(ResultCache):
    """Checks that a result is that of its inputs alone, and that a name belongs to one result."""

    def __init__(self) -> None:
        super().__init__()
        self._codes: dict[Hashable, CodeType] = {}

    def reuse(self, name: Hashable, inputs: Inputs, evaluate: Callable[[], Result]) -> Result:
        self._check_name(name, evaluate)
        result = super().reuse(name, inputs, evaluate)
        check(name, result, evaluate())
        return result

    def reuse_values(
        self, name: Hashable, values: Mapping[Key, Any], evaluate: Callable[[Any], Result | None]
    ) -> Mapping[Key, Result]:
        self._check_name(name, evaluate)
        return super().reuse_values(name, values, evaluate)

    def reuse_each(
        self, name: Hashable, inputs: KeyedInputs[Key], evaluate: Callable[[Key], Result | None]
    ) -> Mapping[Key, Result]:
        if evaluate.__code__ is not OF_VALUES:
            self._check_name(name, evaluate)
        results = super().reuse_each(name, inputs, evaluate)
        fresh = {key: result for key in inputs.keys if (result := evaluate(key)) is not None}
        check(name, list(results.items()), list(fresh.items()))
        check(name, repr(results), repr(fresh))  # not every field counts in a comparison
        return results

    def sum_each(self, name: Hashable, values: Mapping[Key, Any], amount_of: Callable[[Any], int]) -> int:
        self._check_name(name, amount_of)
        total = super().sum_each(name, values, amount_of)
        check(name, total, sum(map(amount_of, values.values())))
        return total

    def _check_name(self, name: Hashable, evaluate: Callable[..., object]) -> None:
        code = evaluate.__code__
        assert self._codes.setdefault(name, code) is code, f"two results have the name {name!r}"


def check(name: Hashable, reused: object, fresh: object) -> None:
    assert reused == fresh, f"{name!r} depends on something that its inputs do not list"


OF_VALUES = next(each for each in ResultCache.reuse_values.__code__.co_consts if isinstance(each, CodeType))
"""The function that `reuse_values` makes."""
