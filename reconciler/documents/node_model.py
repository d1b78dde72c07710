"""The part of the host file that names nodes of the chain."""

from reconciler.documents.forms import Line, PathText
from reconciler.documents.model import StrictModel


class NodeModel(StrictModel):
    """A node of the chain; off this machine it is reached over TLS."""

    grpc: Line
    """Its gRPC address, host:port. (restart)"""
    rpc: Line
    """Its CometBFT RPC, https://host:port, or http:// on this machine. (restart)"""
    tls: bool = False
    """true: gRPC over TLS, verified with public authorities or `ca_file`. (restart)"""
    ca_file: PathText | None = None
    """Certificates, PEM, that both are verified against in place of public authorities. (restart)"""
    plaintext: bool = False
    """true: a node on another machine is asked without TLS: everyone on the way can change what it says.
    (restart)
    """


class ChainModel(NodeModel):
    """The node that we ask and send through."""

    chain_id: Line
    """The chain that it must be of. (restart)"""
    witness: NodeModel | None = None
    """A second node, run by somebody else: a workload is removed only where both show its lease as ended.
    (restart)
    """
