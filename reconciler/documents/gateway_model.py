"""The host file's `gateway`: the listener for tenants."""

from typing import Annotated

from pydantic import Field

from reconciler.documents.forms import WHOLE, Line, PathText
from reconciler.documents.model import StrictModel


class GatewayModel(StrictModel):
    """Listener for tenants' manifests, status and logs, at the address that the provider's host_uri names."""

    address: Line
    """Address and port, such as "0.0.0.0:8443"; another one than those of listen. (restart)"""
    certificate: PathText
    """Certificate chain, PEM, of an authority that tenants trust, for the host of host_uri and `mtls.` before
    it. (live)
    """
    key: PathText
    """Its private key, PEM, without a passphrase. (live)"""
    hostname: Line | None = None
    """Public host name for tenants; default: the certificate's first. (restart)"""
    grpc: Line | None = None
    """Address and port of the gRPC status service; none by default. (restart)"""
    connections: Annotated[int, Field(ge=8, le=10_000), WHOLE] = 512
    """Open connections. (restart)"""
    connections_per_client: Annotated[int, Field(ge=1, le=10_000), WHOLE] = 32
    """Open connections of one network address; more if a proxy forwards all. (restart)"""
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000), WHOLE] = 240
    """Requests of one network address; more if a proxy forwards all. (restart)"""
