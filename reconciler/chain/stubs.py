"""Unary gRPC methods from the service descriptors, for clients and servers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from reconciler.chain.proto import (
    audit_v1_pb2,
    cert_v1_pb2,
    cosmos_auth_pb2,
    cosmos_authz_pb2,
    cosmos_bank_pb2,
    cosmos_blocks_pb2,
    cosmos_multisig_keys_pb2,
    cosmos_node_pb2,
    cosmos_secp256k1_pb2,
    cosmos_tx_pb2,
    deployment_v1beta4_pb2,
    escrow_v1_pb2,
    market_v1beta5_pb2,
    mfa_v1_pb2,
    provider_v1beta4_pb2,
    settlement_v1_pb2,
    take_v1_pb2,
)

_FILES = (
    audit_v1_pb2.DESCRIPTOR,
    cert_v1_pb2.DESCRIPTOR,
    cosmos_auth_pb2.DESCRIPTOR,
    cosmos_authz_pb2.DESCRIPTOR,
    cosmos_bank_pb2.DESCRIPTOR,
    cosmos_blocks_pb2.DESCRIPTOR,
    cosmos_multisig_keys_pb2.DESCRIPTOR,  # no service: imported to unpack an Any of it
    cosmos_node_pb2.DESCRIPTOR,
    cosmos_secp256k1_pb2.DESCRIPTOR,  # likewise
    cosmos_tx_pb2.DESCRIPTOR,
    deployment_v1beta4_pb2.DESCRIPTOR,
    escrow_v1_pb2.DESCRIPTOR,
    market_v1beta5_pb2.DESCRIPTOR,
    mfa_v1_pb2.DESCRIPTOR,
    provider_v1beta4_pb2.DESCRIPTOR,
    settlement_v1_pb2.DESCRIPTOR,
    take_v1_pb2.DESCRIPTOR,
)

SERVED: dict[str, ServiceDescriptor] = {
    service.full_name: service
    for file in _FILES
    for name, service in file.services_by_name.items()
    if name != "Msg"
}
"""Services that a node serves over gRPC, by full name; Msg services are excluded (semantics 0)."""


Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True, slots=True)
class Unary(Generic[Request, Response]):
    """One method: its gRPC path, request class and response class."""

    path: str
    request: type[Request]
    response: type[Response]

    def stub(self, channel: grpc.Channel) -> "grpc.UnaryUnaryMultiCallable[Request, Response]":
        """The method as a callable on a channel; it takes `timeout` in seconds and `metadata`."""
        return channel.unary_unary(
            self.path,
            request_serializer=self.request.SerializeToString,
            response_deserializer=self.response.FromString,
        )


def unary(service: str, request: type[Request], response: type[Response]) -> Unary[Request, Response]:
    """The method with these message classes; KeyError if the service has none."""
    for method in SERVED[service].methods:
        if method.input_type is request.DESCRIPTOR and method.output_type is response.DESCRIPTOR:
            return Unary(path_of(method), request, response)
    raise KeyError(f"{service} has no method from {request.DESCRIPTOR.name} to {response.DESCRIPTOR.name}")


def methods_of(service: ServiceDescriptor) -> Iterator[Unary[Message, Message]]:
    """Every method of a service, for a server."""
    for method in service.methods:
        yield Unary(path_of(method), GetMessageClass(method.input_type), GetMessageClass(method.output_type))


def class_of(type_url: str) -> type[Message] | None:
    """The message class of a type URL; None for an unknown type."""
    try:
        descriptor = descriptor_pool.Default().FindMessageTypeByName(type_url.removeprefix("/"))
    except KeyError:
        return None
    return GetMessageClass(descriptor)


def path_of(method: MethodDescriptor) -> str:
    """The path of a method in gRPC and `abci_query`, such as `/virtengine.market.v1beta5.Query/Orders`."""
    return f"/{method.containing_service.full_name}/{method.name}"
