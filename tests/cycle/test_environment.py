"""The list of effects, which the kill tests use."""

from __future__ import annotations

import pytest

from reconciler import ports
from reconciler.cycle.environment import EFFECTS


@pytest.mark.parametrize(("port", "method"), EFFECTS)
def test_every_effect_is_a_method_of_a_port(port: str, method: str) -> None:
    assert callable(getattr(getattr(ports, port.capitalize()), method))


def test_effects_are_unique() -> None:
    assert len(set(EFFECTS)) == len(EFFECTS)
