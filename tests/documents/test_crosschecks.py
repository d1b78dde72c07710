"""What several files together show."""

from reconciler.documents.desired import validate
from tests.documents.texts import PROVIDER, repository, workload, workload_path


def told(files: dict[str, bytes]) -> list[str]:
    return [fault.describe() for fault in validate(files, PROVIDER)]


def test_a_repository_without_faults() -> None:
    assert told(repository(1, 2)) == []


def test_an_adapter_that_is_not_there_or_not_enabled() -> None:
    path = workload_path(1)
    files = repository() | {path: workload(1, "adapter: ansible")}
    (missing,) = told(files)
    assert missing == (
        f"{path}:3:10: adapter: there is no adapters/ansible.yaml without errors "
        "(add or fix it, or name another adapter)"
    )
    files["adapters/ansible.yaml"] = b"enabled: false\n"
    (off,) = told(files)
    assert off == (
        f"{path}:3:10: adapter: adapters/ansible.yaml is not enabled "
        "(set enabled: true there or name another adapter)"
    )


def test_a_denied_image() -> None:
    files = repository(1) | {"config.yaml": b'images_denied: ["ngi*"]\n'}
    (denied,) = told(files)
    assert denied == (
        f"{workload_path(1)}:6:12: services.0.image: image docker.io/library/nginx:1.27 is denied by "
        "ngi* in config.yaml "
        "(use another image)"
    )


def test_two_files_for_one_lease() -> None:
    files = repository() | {f"workloads/1-1-1-{name}.yaml": workload(1) for name in ("a" * 10, "b" * 10)}
    (message,) = [fault.describe() for fault in validate(files)]
    assert message.startswith(
        "workloads/1-1-1-bbbbbbbbbb.yaml:2:1: lease: workloads/1-1-1-aaaaaaaaaa.yaml has the"
    )
