"""The demo's third part: a tenant's own client sends an SDL file's manifest; the operator types nothing."""

from __future__ import annotations

from reconciler.devnet.accounts import key_of
from reconciler.devnet.demo import Demo, Step
from reconciler.devnet.home import gateway_url
from reconciler.devnet.operator_git import TENANTS
from reconciler.devnet.tenant_client import GatewayAccess, TenantClient
from reconciler.manifests.sdl_groups import SdlDeployment, read_deployment
from reconciler.values.ids import OrderId
from reconciler.values.observed import State

SHOP = "shop"
HOST = "shop.localhost"
SDL = f"""\
version: "2.0"
services:
  web:
    image: nginx:1.27
    expose:
      - port: 80
        as: 80
        accept: [{HOST}]
        to: [{{global: true}}]
  db:
    image: postgres:17
    env: [POSTGRES_PASSWORD=secret-of-alice]
    params: {{storage: {{data: {{mount: /var/lib/postgresql/data}}}}}}
    expose:
      - port: 5432
        to: [{{service: web}}]
profiles:
  compute:
    web:
      resources:
        cpu: {{units: 500m}}
        memory: {{size: 512Mi}}
        storage: {{size: 512Mi}}
    db:
      resources:
        cpu: {{units: 500m}}
        memory: {{size: 1Gi}}
        storage:
          - size: 512Mi
          - {{name: data, size: 1Gi, attributes: {{persistent: true, class: beta2}}}}
  placement:
    here:
      pricing:
        web: {{denom: uve, amount: 8000}}
        db: {{denom: uve, amount: 8000}}
deployment:
  web: {{here: {{profile: web, count: 1}}}}
  db: {{here: {{profile: db, count: 1}}}}
"""
"""Two services, a host name, a volume, and a secret that must not be readable in git."""


def _deployment() -> SdlDeployment:
    return read_deployment(SDL.encode())


def _post(demo: Demo) -> None:
    posted = demo.trader("alice").deploy(_deployment())
    demo.orders[SHOP] = OrderId(posted.owner, posted.dseq, 1, 1)


def _bid(demo: Demo) -> str:
    bid = demo.probe.bid(demo.bid(SHOP))
    return f"our bid is {bid.price}uve a block" if bid and bid.state is State.OPEN else ""


def _leased(demo: Demo) -> str:
    lease = demo.probe.lease(demo.bid(SHOP))
    return f"`{SHOP}` is ours" if lease and lease.state is State.ACTIVE else ""


def _client(demo: Demo) -> TenantClient:
    access = GatewayAccess(gateway_url(demo.home.facts()), demo.home.certificate)
    return TenantClient(access, key_of("alice"))


def _send(demo: Demo) -> None:
    body = _deployment().manifest.sorted_json().encode()
    _client(demo).send_manifest(demo.order(SHOP).dseq, body)


def _running(demo: Demo) -> str:
    """Both services are available to the tenant, under the host name that she chose."""
    services = _client(demo).status(demo.bid(SHOP)).get("services") or {}
    if {name: each["available"] for name, each in services.items()} != {"web": 1, "db": 1}:
        return ""
    uris = services["web"]["uris"] or []
    return f"web and db run, reachable as {', '.join(uris)}" if HOST in uris else ""


def _committed(demo: Demo) -> str:
    if not demo.probe.head(TENANTS):
        return ""
    files = demo.probe.files(TENANTS)
    if any("secret-of-alice" in text for text in files):
        return ""
    return f"{demo.probe.log(TENANTS)[-1]}; its {len(files)} file has no readable secret"


MANIFEST_STEPS = (
    Step(
        "sdl-order",
        "Alice posts an SDL file: two services, a host name, a volume that persists",
        _bid,
        f"the chain does not show our bid on `{SHOP}`",
        _post,
    ),
    Step(
        "sdl-lease",
        "She accepts",
        _leased,
        f"the chain does not show our lease of `{SHOP}`",
        lambda demo: demo.trader("alice").accept(demo.bid(SHOP)),
    ),
    Step(
        "sdl-running",
        "Her client sends the manifest to the provider's gateway; nobody types a file",
        _running,
        "the gateway does not report both services as available under the host name",
        _send,
    ),
    Step(
        "sdl-commit",
        "The submission is a commit",
        _committed,
        "the tenants branch does not have the manifest, or a secret in it is readable",
    ),
)
