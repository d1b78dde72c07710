"""`workloads/<id>.yaml`: the workload of one lease."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.documents.forms import WHOLE, Address, Close, Name
from reconciler.documents.model import FileModel, StrictModel
from reconciler.documents.service_model import ServiceModel

Sequence64 = Annotated[int, Field(ge=1, le=2**64 - 1), WHOLE]
Sequence32 = Annotated[int, Field(ge=1, le=2**32 - 1), WHOLE]


class LeaseModel(StrictModel):
    """The lease that pays for the workload; its provider is this one."""

    owner: Address
    """The tenant's address."""
    dseq: Sequence64
    """Deployment sequence number."""
    gseq: Sequence32
    """Group sequence number within the deployment."""
    oseq: Sequence32
    """Order sequence number within the group."""


class WorkloadFile(FileModel):
    """The workload of one lease. The file's name is the workload's ID, which is derived from the lease."""

    kind: Literal["Workload"] = "Workload"
    """Workload."""
    lease: LeaseModel
    """The lease that pays for it."""
    adapter: Name | None = None
    """Adapter that runs it: adapters/<name>.yaml. Default: as the order's attributes say, else the first that
    fits; the choice is kept."""
    paused: bool = False
    """true: no container runs and no usage is billed; the tenant is still charged for the lease."""
    close: Close | None = None
    """Closes the lease permanently: unstable, decommission, unspecified or manifest_timeout, then optionally
    a comma and an explanation: "decommission, the rack moves".
    """
    services: Annotated[list[ServiceModel], Field(min_length=1, max_length=200)] | None = None
    """The services, each with a unique name. Default: those of the manifest that the tenant sent."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        services = self.services or []
        names = [service.name for service in services]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PydanticCustomError("services_twice", "duplicate service {name}", {"name": twice[0]})
        others = [*(each for s in services for each in s.dependencies)]
        others += [port.service for s in services for port in s.expose if port.service]
        if unknown := sorted(set(others) - set(names)):
            raise PydanticCustomError("service_unknown", "there is no service {name}", {"name": unknown[0]})
        return self
