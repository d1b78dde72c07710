"""500 tenants send a manifest at once: submissions a second, the slowest percent, and the time to read them.

python -m tests.bench.submissions [TENANTS]
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from reconciler.chain.leased_deployments import LeasedDeployment
from reconciler.gateway.manifest_intake import IntakeSettings, ManifestIntake
from reconciler.gateway.submissions import Receipt, Submission, SubmissionMethod
from reconciler.git.remote import Remote
from reconciler.values.ids import DeploymentId, LeaseId, OrderId
from tests.gateway.test_manifest_intake import BODY, LEASED
from tests.runtime.test_accepted_manifests import World


def leased(deployment: DeploymentId) -> LeasedDeployment:
    lease = LeaseId(OrderId(deployment.owner, deployment.dseq, 1, 1), "ve1provider")
    return replace(LEASED, leases=((lease, "near"),))


def main(tenants: int) -> None:
    with TemporaryDirectory() as folder:
        subprocess.run(["git", "init", "-q", "--bare", f"{folder}/forge"], check=True)
        world = World(Remote(f"{folder}/forge"), Path(folder, "state"))
        settings = IntakeSettings(world.recipient, lambda: None, lambda: None)
        intake = ManifestIntake(leased, world.branch, world.accepted, settings)

        def submit(dseq: int) -> float:
            began = monotonic()
            submission = Submission(DeploymentId("ve1owner", dseq), BODY, SubmissionMethod.JWT)
            assert isinstance(intake.submit(submission), Receipt)
            return monotonic() - began

        with ThreadPoolExecutor(tenants) as pool:
            began = monotonic()
            seconds = sorted(pool.map(submit, range(1, tenants + 1)))
            took = monotonic() - began
        began = monotonic()
        assert len(world.view().by_workload) == tenants
        read = monotonic() - began
        began = monotonic()
        world.view()
        quiet = monotonic() - began
        began = monotonic()
        world.branch.synchronise()
        print(
            f"{tenants} at once: {tenants / took:.0f} a second, median {seconds[tenants // 2]:.2f} s, "
            f"p99 {seconds[tenants * 99 // 100]:.2f} s; read in {read:.2f} s, again in {quiet * 1e3:.2f} ms; "
            f"pushed in {monotonic() - began:.2f} s"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
