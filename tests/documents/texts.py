"""Files of a small state repository, as bytes; each function changes one thing."""

from __future__ import annotations

from reconciler.values.ids import LeaseId, OrderId, workload_id

OWNER = "ve1" + "q" * 32 + "07mtg4"
PROVIDER = "ve1" + "p" * 32 + "eh5vvg"

SHEET_PRICING = b"""\
# pricing.yaml
pricing:
  cpu_millicores: 0.000001uve     # Per millicore per block
  memory_mb: 0.0000001uve         # Per MB per block
  storage_mb: 0.00000001uve       # Per MB per block
  gpu: 0.001uve                   # Per GPU per block
  
  profit_margin: 0.15             # 15% margin
"""  # noqa: W293  # word for word as the operator's sheet has it
PRICING = b"""\
apiVersion: provider.virtengine.dev/v1alpha1
kind: Pricing
pricing:
  cpu_millicores: 1uve
  memory_mb: 1uve
  storage_mb: 0.1uve
  gpu: 20000uve
  profit_margin: 0.15
"""
CONFIG = b"kind: Config\n"
KUBERNETES = b"kind: KubernetesAdapter\nnetwork_policy: other\n"


def lease(dseq: int) -> LeaseId:
    return LeaseId(OrderId(OWNER, dseq, 1, 1), PROVIDER)


def workload_path(dseq: int) -> str:
    return f"workloads/{workload_id(lease(dseq))}.yaml"


def workload(dseq: int, more: str = "", image: str = "nginx:1.27") -> bytes:
    return f"""\
kind: Workload
lease: {{owner: {OWNER}, dseq: {dseq}, gseq: 1, oseq: 1}}
{more}
services:
  - name: web
    image: {image}
    resources: {{cpu: 500m, memory: 512Mi}}
""".encode()


def repository(*dseqs: int) -> dict[str, bytes]:
    files = {"config.yaml": CONFIG, "pricing.yaml": PRICING, "adapters/kubernetes.yaml": KUBERNETES}
    return files | {workload_path(dseq): workload(dseq) for dseq in dseqs}
