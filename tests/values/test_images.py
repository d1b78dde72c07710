import pytest

from reconciler.values.images import denied_by, full_name


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("nginx", "docker.io/library/nginx"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("team/web:1", "docker.io/team/web:1"),
        ("Docker.IO/team/web", "docker.io/team/web"),
        ("localhost/x", "localhost/x"),
        ("reg.example:5000/a/b", "reg.example:5000/a/b"),
    ],
)
def test_one_image_has_one_name(image: str, name: str) -> None:
    assert full_name(image) == name


def test_a_short_name_does_not_slip_past_a_full_pattern() -> None:
    assert denied_by("evil/miner:1", ["docker.io/evil/*"]) == "docker.io/evil/*"
    assert denied_by("evil/miner:1", ["evil/*"]) == "evil/*"
    assert denied_by("good/web", ["docker.io/evil/*"]) is None
