"""Submissions: checked, sealed, on disk, and only then answered."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from reconciler.chain.leased_deployments import LeasedDeployment
from reconciler.chain.node_errors import NodeError
from reconciler.gateway import manifest_intake
from reconciler.gateway.manifest_intake import IntakeSettings, ManifestIntake
from reconciler.gateway.submissions import Receipt, Submission, SubmissionMethod, SubmissionRefusal
from reconciler.git.mirror import MirrorError
from reconciler.git.remote import Remote
from reconciler.manifests.sdl_groups import read_deployment
from reconciler.manifests.stored_manifest import ManifestFile
from reconciler.runtime.accepted_manifests import sealed_file
from reconciler.values.addresses import is_host_denied
from reconciler.values.desired import Bidding, Config, Desired
from reconciler.values.ids import DeploymentId, LeaseId, OrderId
from reconciler.values.readings import Seen
from tests.git.forge import Forge
from tests.makers import HEIGHT, market
from tests.runtime.test_accepted_manifests import World

SDL = b"""\
version: "2.0"
services:
  web:
    image: nginx
    env: [TOKEN=s3cret]
    expose: [{port: 80, to: [{global: true}], accept: [shop.example.com]}]
profiles:
  compute: {web: {resources: {cpu: {units: 1}, memory: {size: 64Mi}, storage: {size: 64Mi}}}}
  placement: {near: {pricing: {web: {denom: uve, amount: 100}}}}
deployment: {web: {near: {profile: web, count: 1}}}
"""
DEPLOYMENT = DeploymentId("ve1owner", 7)
LEASE = LeaseId(OrderId("ve1owner", 7, 1, 1), "ve1provider")
MADE = read_deployment(SDL)
LEASED = LeasedDeployment(True, MADE.manifest.hash(), tuple(MADE.groups), ((LEASE, "near"),))
BODY = MADE.manifest.sorted_json().encode()


class Gateway(World):
    """The intake with a chain of one deployment, whose looks are counted."""

    def __init__(self, remote: Remote, state: Path) -> None:
        super().__init__(remote, state)
        self.chain: list[LeasedDeployment | Exception | None] = [LEASED]
        self.config = Config()
        self.waited: list[float] = []
        self.woken = 0
        self.accepted.take_more()
        self.accepted.current(market())
        self.intake = self.restarted()

    def failed_at(self) -> Mapping[str, int]:
        reading = self.accepted.current(market())
        assert isinstance(reading, Seen)
        return reading.view.failed_at

    def restarted(self) -> ManifestIntake:
        settings = IntakeSettings(
            self.recipient,
            desired=lambda: Desired("c", self.config, None, {}, {}),
            wake=self.wake,
            now=lambda: 1_000,
            wait=self.waited.append,
            monotonic=lambda: sum(self.waited),
        )
        self.intake = ManifestIntake(self.look_up, self.branch, self.accepted, settings)
        return self.intake

    def look_up(self, _: DeploymentId) -> LeasedDeployment | None:
        found = self.chain.pop(0) if len(self.chain) > 1 else self.chain[0]
        if isinstance(found, Exception):
            raise found
        return found

    def wake(self) -> None:
        self.woken += 1

    def submit(self, body: bytes = BODY) -> Receipt | SubmissionRefusal:
        return self.intake.submit(Submission(DEPLOYMENT, body, SubmissionMethod.JWT))


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(Remote(str(Forge.make(tmp_path / "forge").path)), tmp_path / "state")


def test_a_receipt_names_a_commit_that_holds_the_sealed_manifest(gateway: Gateway, tmp_path: Path) -> None:
    receipt = gateway.submit()
    assert receipt == Receipt(MADE.manifest.hash(), gateway.branch.state.tip)
    assert gateway.woken == 1
    assert [each.manifest_hash for each in gateway.view().by_workload.values()] == [MADE.manifest.hash()]
    assert gateway.intake.accepted_group(LEASE) == MADE.manifest.sorted_json()
    gateway.branch.synchronise()
    forge = Forge(tmp_path / "forge")
    assert "s3cret" not in forge.git("log", "--patch", "tenants/p")
    assert forge.git("log", "--format=%an %B", "tenants/p").splitlines() == [
        "ve1owner Accept the manifest of 7-1-1-" + next(iter(gateway.view().by_workload))[-10:],
        "",
        f"Lease: {LEASE}",
        f"Manifest-Hash: {MADE.manifest.hash()}",
        "Submitted-By: ve1owner",
        "Method: jwt",
    ]


def test_the_same_manifest_makes_no_second_commit_also_after_a_restart(gateway: Gateway) -> None:
    gateway.submit()
    tip = gateway.branch.state.tip
    for intake in (gateway.intake, gateway.restarted()):
        again = intake.submit(Submission(DEPLOYMENT, BODY, SubmissionMethod.CERTIFICATE))
        assert isinstance(again, Receipt)
        assert gateway.branch.state.tip == tip


def test_an_updated_deployment_takes_its_new_manifest_only(gateway: Gateway) -> None:
    gateway.submit()
    after = read_deployment(SDL.replace(b"nginx", b"redis"))
    gateway.chain = [replace(LEASED, manifest_hash=after.manifest.hash())]
    refused = gateway.submit()
    assert isinstance(refused, SubmissionRefusal)
    assert "manifest version validation failed" in refused.text
    assert isinstance(gateway.submit(after.manifest.sorted_json().encode()), Receipt)
    assert [each.manifest_hash for each in gateway.view().by_workload.values()] == [after.manifest.hash()]


def test_a_lease_that_is_not_seen_yet_is_waited_for(gateway: Gateway) -> None:
    gateway.chain = [None, replace(LEASED, leases=()), LEASED]
    assert isinstance(gateway.submit(), Receipt)
    assert len(gateway.waited) == 2
    gateway.chain = [replace(LEASED, leases=())]
    refused = gateway.submit()
    assert isinstance(refused, SubmissionRefusal)
    assert (refused.status, sum(gateway.waited)) == (HTTPStatus.NOT_FOUND, 12)
    assert gateway.failed_at() == {"ve1owner": HEIGHT}
    assert refused.text.startswith("no lease for deployment 7")


OTHER_GROUPS = tuple(
    replace(group, units=tuple(replace(unit, cpu_milli=500) for unit in group.units))
    for group in LEASED.groups
)


@pytest.mark.parametrize(
    ("chain", "body", "status", "text"),
    [
        (LEASED, b"{", 422, "unexpected EOF"),
        (LEASED, b"[]", 422, "manifest is empty"),
        (LEASED, b'[{"name":"x","services":[]}]', 422, "contains no services"),
        (replace(LEASED, groups=OTHER_GROUPS), BODY, 422, "CPU resources mismatch"),
        (replace(LEASED, is_active=False), BODY, 404, "is closed"),
        (NodeError("refused"), BODY, 503, "node does not answer"),
    ],
)
def test_refusals(
    gateway: Gateway, chain: LeasedDeployment | Exception, body: bytes, status: int, text: str
) -> None:
    gateway.chain = [chain]
    refused = gateway.submit(body)
    assert isinstance(refused, SubmissionRefusal)
    assert refused.status == status
    assert text in refused.text
    assert gateway.failed_at().keys() == ({"ve1owner"} if refused.retry_after_seconds else set())
    assert gateway.branch.state.tip == ""


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (Config(images_denied=("docker.io/library/ngin*",)), "image not allowed: docker.io/library/nginx"),
        (Config(hosts_denied=(".example.com",)), 'hostname not allowed: "shop.example.com"'),
        (Config(bidding=Bidding(owners_denied=frozenset({"ve1owner"}))), "does not serve this account"),
    ],
)
def test_the_operators_rules(gateway: Gateway, config: Config, text: str) -> None:
    gateway.config = config
    refused = gateway.submit()
    assert isinstance(refused, SubmissionRefusal)
    assert refused.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert text in refused.text


def test_host_rules() -> None:
    rules = (".example.com", "one.org")
    names = {
        "example.com": True,
        "a.b.Example.com": True,
        "badexample.com": False,
        "one.org": True,
        "a.one.org": False,
    }
    assert {name: is_host_denied(name, rules) for name in names} == names


def test_what_cannot_be_stored_is_not_acknowledged(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (MirrorError("disk full"), OSError("disk full")):

        def commit(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(gateway.branch, "commit", commit)
        refused = gateway.submit()
        assert isinstance(refused, SubmissionRefusal)
        assert (refused.status, refused.retry_after_seconds) == (HTTPStatus.SERVICE_UNAVAILABLE, 10)
        assert gateway.failed_at() == {"ve1owner": HEIGHT}


def test_submissions_that_arrive_together_are_committed_together(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.chain = [LEASED]
    began, go_on, calls = threading.Event(), threading.Event(), list[int]()
    commit = gateway.branch.commit

    def slow(commits: list[object]) -> object:
        calls.append(len(commits))
        began.set()
        go_on.wait(10)
        return commit(commits)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(gateway.branch, "commit", slow)
    answers: list[object] = []

    def submit(dseq: int) -> None:
        lease = LeaseId(OrderId("ve1owner", dseq, 1, 1), "ve1provider")
        leased = replace(LEASED, leases=((lease, "near"),))
        intake_chain[dseq] = leased
        answers.append(
            gateway.intake.submit(Submission(DeploymentId("ve1owner", dseq), BODY, SubmissionMethod.JWT))
        )

    intake_chain: dict[int, LeasedDeployment] = {}
    monkeypatch.setattr(gateway.intake, "_look_up", lambda deployment: intake_chain[deployment.dseq])
    threads = [threading.Thread(target=submit, args=(dseq,)) for dseq in range(1, 6)]
    threads[0].start()
    assert began.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(gateway.intake._waiting) < 4:  # nothing else shows that they wait
        go_on.wait(0.01)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert [type(each) for each in answers] == [Receipt] * 5
    assert calls == [1, 4]
    assert len(gateway.branch.state.files) == 5


def test_equal_submissions_at_once_make_one_commit(gateway: Gateway) -> None:
    answers: list[object] = []
    threads = [threading.Thread(target=lambda: answers.append(gateway.submit())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [type(each) for each in answers] == [Receipt] * 4
    assert gateway.branch.state.unpushed == 1


def test_the_same_manifest_again_repairs_what_cannot_be_read(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.submit()
    monkeypatch.setattr(gateway.branch, "read", lambda _: {})
    assert isinstance(gateway.submit(), Receipt)
    monkeypatch.undo()
    assert gateway.branch.state.unpushed == 2


def test_a_deployment_is_sealed_once_and_an_account_adds_so_much_a_day(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases = [(LeaseId(OrderId("ve1owner", 7, number, 1), "ve1provider"), "near") for number in (1, 2, 3)]
    gateway.chain = [replace(LEASED, leases=tuple(leases))]
    sealed: list[object] = []

    def counted(*given: Any) -> ManifestFile:
        sealed.append(given)
        return sealed_file(*given)

    monkeypatch.setattr(manifest_intake, "sealed_file", counted)
    monkeypatch.setattr(manifest_intake, "OWNER_BYTES_A_DAY", 10)
    assert isinstance(gateway.submit(), Receipt)
    assert (len(sealed), len(gateway.view().by_workload)) == (1, 3)
    assert [each.fault for each in gateway.view().by_workload.values()] == ["", "", ""]
    assert isinstance(gateway.submit(), Receipt)  # nothing is added
    after = read_deployment(SDL.replace(b"nginx", b"redis"))
    gateway.chain = [replace(LEASED, manifest_hash=after.manifest.hash())]
    refused = gateway.submit(after.manifest.sorted_json().encode())
    assert isinstance(refused, SubmissionRefusal)
    assert refused.status == HTTPStatus.TOO_MANY_REQUESTS
    gateway.waited.append(86_400)
    assert isinstance(gateway.submit(after.manifest.sorted_json().encode()), Receipt)


def test_an_unforeseen_error_counts_as_a_failure_too(gateway: Gateway) -> None:
    gateway.chain = [RuntimeError("bug")]
    with pytest.raises(RuntimeError):
        gateway.submit()
    assert gateway.failed_at() == {"ve1owner": HEIGHT}
