"""The same repository over HTTP: credentials from a file or the address, and refused ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.git.remote import Remote
from reconciler.git.repository import GitRepository
from reconciler.values.outcomes import Done, Failed
from reconciler.values.readings import Seen, Unseen
from reconciler.values.repository import BranchCommit
from tests.api.certificates import Authority
from tests.git.forge import Forge
from tests.git.http_forge import PASSWORD, USER, backend, served

pytestmark = pytest.mark.skipif(not backend().exists(), reason="this git was installed without http-backend")

STATUS = BranchCommit("status/p", {"a": b"1\n"}, "It happened")


@pytest.fixture
def address(forge: Forge, tmp_path: Path) -> Iterator[str]:
    forge.commit("one", config_yaml="kind: Config\n")
    forge.git("clone", "--quiet", "--bare", ".", str(tmp_path / "served" / "state.git"))
    with served(tmp_path / "served") as port:
        yield f"127.0.0.1:{port}/state.git"


def test_a_password_in_the_address(address: str, state: Path, forge: Forge, tmp_path: Path) -> None:
    repository = GitRepository(Remote(f"http://{USER}:{PASSWORD}@{address}"), state)
    reading = repository.fetch("")
    assert isinstance(reading, Seen), reading
    assert reading.view[0].subject == "one"
    outcome = repository.publish(STATUS)
    assert isinstance(outcome, Done), outcome
    bare = Forge(tmp_path / "served" / "state.git")
    assert bare.git("rev-parse", "status/p") == outcome.detail
    assert repository.publish(STATUS) == Done("")


def test_a_password_in_a_file_of_the_host(address: str, state: Path, tmp_path: Path) -> None:
    store = tmp_path / "git-credentials"
    store.write_text(f"http://{USER}:{PASSWORD}@{address.split('/')[0]}\n")
    reading = GitRepository(Remote(f"http://{address}", credentials=store), state).fetch("")
    assert isinstance(reading, Seen), reading


@pytest.mark.parametrize("url", ["http://{}", "http://olga:wrong@{}"])
def test_without_the_right_password(address: str, state: Path, url: str) -> None:
    repository = GitRepository(Remote(url.format(address)), state)
    reading = repository.fetch("")
    assert isinstance(reading, Unseen)
    assert f"http://{address} rejects our credentials" in reading.why
    assert "wrong" not in reading.why
    assert isinstance(repository.publish(STATUS), Failed)


def test_a_repository_that_is_not_there(address: str, state: Path) -> None:
    url = f"http://{USER}:{PASSWORD}@{address}".replace("state.git", "other.git")
    reading = GitRepository(Remote(url), state).fetch("")
    assert isinstance(reading, Unseen)
    assert "there is no repository at http://127.0.0.1" in reading.why
    assert PASSWORD not in reading.why


def test_a_host_with_a_certificate_of_a_private_authority(forge: Forge, state: Path, tmp_path: Path) -> None:
    forge.commit("one", config_yaml="kind: Config\n")
    forge.git("clone", "--quiet", "--bare", ".", str(tmp_path / "served" / "state.git"))
    authority = Authority(tmp_path)
    with served(tmp_path / "served", authority.issue("forge")) as port:
        url = f"https://{USER}:{PASSWORD}@127.0.0.1:{port}/state.git"
        refused = GitRepository(Remote(url), state / "a").fetch("")
        assert isinstance(refused, Unseen)
        assert "is not trusted; set repository.ca_file to its authority" in refused.why
        repository = GitRepository(Remote(url, ca_file=authority.file), state / "b")
        assert isinstance(repository.fetch(""), Seen)
        assert isinstance(repository.publish(STATUS), Done)
        unreadable = GitRepository(Remote(url, ca_file=tmp_path / "none"), state / "c").fetch("")
        assert isinstance(unreadable, Unseen)
        assert "repository.ca_file cannot be read" in unreadable.why


def test_a_repository_of_sha256_over_http(state: Path, tmp_path: Path) -> None:
    wide = Forge.make(tmp_path / "wide", "sha256")
    made = wide.commit("one", config_yaml="kind: Config\n")
    wide.git("clone", "--quiet", "--bare", ".", str(tmp_path / "served" / "state.git"))
    with served(tmp_path / "served") as port:
        repository = GitRepository(Remote(f"http://{USER}:{PASSWORD}@127.0.0.1:{port}/state.git"), state)
        reading = repository.fetch("")
        assert isinstance(reading, Seen), reading
        assert reading.view[0].id == made
        assert isinstance(repository.publish(STATUS), Done)
