from reconciler.chain.proto import base_attributes_v1_pb2 as _base_attributes_v1_pb2
from reconciler.chain.proto import cosmos_paging_pb2 as _cosmos_paging_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VerificationMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERIFICATION_METHOD_UNKNOWN: _ClassVar[VerificationMethod]
    VERIFICATION_METHOD_DNS_TXT: _ClassVar[VerificationMethod]
    VERIFICATION_METHOD_DNS_CNAME: _ClassVar[VerificationMethod]
    VERIFICATION_METHOD_HTTP_WELL_KNOWN: _ClassVar[VerificationMethod]
VERIFICATION_METHOD_UNKNOWN: VerificationMethod
VERIFICATION_METHOD_DNS_TXT: VerificationMethod
VERIFICATION_METHOD_DNS_CNAME: VerificationMethod
VERIFICATION_METHOD_HTTP_WELL_KNOWN: VerificationMethod

class EventProviderCreated(_message.Message):
    __slots__ = ("owner",)
    OWNER_FIELD_NUMBER: _ClassVar[int]
    owner: str
    def __init__(self, owner: _Optional[str] = ...) -> None: ...

class EventProviderUpdated(_message.Message):
    __slots__ = ("owner",)
    OWNER_FIELD_NUMBER: _ClassVar[int]
    owner: str
    def __init__(self, owner: _Optional[str] = ...) -> None: ...

class EventProviderDeleted(_message.Message):
    __slots__ = ("owner",)
    OWNER_FIELD_NUMBER: _ClassVar[int]
    owner: str
    def __init__(self, owner: _Optional[str] = ...) -> None: ...

class EventProviderDomainVerificationStarted(_message.Message):
    __slots__ = ("owner", "domain", "token")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    owner: str
    domain: str
    token: str
    def __init__(self, owner: _Optional[str] = ..., domain: _Optional[str] = ..., token: _Optional[str] = ...) -> None: ...

class EventProviderDomainVerified(_message.Message):
    __slots__ = ("owner", "domain")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    owner: str
    domain: str
    def __init__(self, owner: _Optional[str] = ..., domain: _Optional[str] = ...) -> None: ...

class EventProviderDomainVerificationRequested(_message.Message):
    __slots__ = ("owner", "domain", "method", "token")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    owner: str
    domain: str
    method: str
    token: str
    def __init__(self, owner: _Optional[str] = ..., domain: _Optional[str] = ..., method: _Optional[str] = ..., token: _Optional[str] = ...) -> None: ...

class EventProviderDomainVerificationConfirmed(_message.Message):
    __slots__ = ("owner", "domain", "method")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    owner: str
    domain: str
    method: str
    def __init__(self, owner: _Optional[str] = ..., domain: _Optional[str] = ..., method: _Optional[str] = ...) -> None: ...

class EventProviderDomainVerificationRevoked(_message.Message):
    __slots__ = ("owner", "domain")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    owner: str
    domain: str
    def __init__(self, owner: _Optional[str] = ..., domain: _Optional[str] = ...) -> None: ...

class MsgCreateProvider(_message.Message):
    __slots__ = ("owner", "host_uri", "attributes", "info")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    HOST_URI_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    owner: str
    host_uri: str
    attributes: _containers.RepeatedCompositeFieldContainer[_base_attributes_v1_pb2.Attribute]
    info: Info
    def __init__(self, owner: _Optional[str] = ..., host_uri: _Optional[str] = ..., attributes: _Optional[_Iterable[_Union[_base_attributes_v1_pb2.Attribute, _Mapping]]] = ..., info: _Optional[_Union[Info, _Mapping]] = ...) -> None: ...

class MsgCreateProviderResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgUpdateProvider(_message.Message):
    __slots__ = ("owner", "host_uri", "attributes", "info")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    HOST_URI_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    owner: str
    host_uri: str
    attributes: _containers.RepeatedCompositeFieldContainer[_base_attributes_v1_pb2.Attribute]
    info: Info
    def __init__(self, owner: _Optional[str] = ..., host_uri: _Optional[str] = ..., attributes: _Optional[_Iterable[_Union[_base_attributes_v1_pb2.Attribute, _Mapping]]] = ..., info: _Optional[_Union[Info, _Mapping]] = ...) -> None: ...

class MsgUpdateProviderResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgDeleteProvider(_message.Message):
    __slots__ = ("owner",)
    OWNER_FIELD_NUMBER: _ClassVar[int]
    owner: str
    def __init__(self, owner: _Optional[str] = ...) -> None: ...

class MsgDeleteProviderResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgGenerateDomainVerificationToken(_message.Message):
    __slots__ = ("owner", "domain")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    owner: str
    domain: str
    def __init__(self, owner: _Optional[str] = ..., domain: _Optional[str] = ...) -> None: ...

class MsgGenerateDomainVerificationTokenResponse(_message.Message):
    __slots__ = ("token", "expires_at")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    token: str
    expires_at: int
    def __init__(self, token: _Optional[str] = ..., expires_at: _Optional[int] = ...) -> None: ...

class MsgVerifyProviderDomain(_message.Message):
    __slots__ = ("owner",)
    OWNER_FIELD_NUMBER: _ClassVar[int]
    owner: str
    def __init__(self, owner: _Optional[str] = ...) -> None: ...

class MsgVerifyProviderDomainResponse(_message.Message):
    __slots__ = ("verified",)
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    verified: bool
    def __init__(self, verified: _Optional[bool] = ...) -> None: ...

class MsgRequestDomainVerification(_message.Message):
    __slots__ = ("owner", "domain", "method")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    owner: str
    domain: str
    method: VerificationMethod
    def __init__(self, owner: _Optional[str] = ..., domain: _Optional[str] = ..., method: _Optional[_Union[VerificationMethod, str]] = ...) -> None: ...

class MsgRequestDomainVerificationResponse(_message.Message):
    __slots__ = ("token", "expires_at", "verification_target")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_TARGET_FIELD_NUMBER: _ClassVar[int]
    token: str
    expires_at: int
    verification_target: str
    def __init__(self, token: _Optional[str] = ..., expires_at: _Optional[int] = ..., verification_target: _Optional[str] = ...) -> None: ...

class MsgConfirmDomainVerification(_message.Message):
    __slots__ = ("owner", "proof")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    owner: str
    proof: str
    def __init__(self, owner: _Optional[str] = ..., proof: _Optional[str] = ...) -> None: ...

class MsgConfirmDomainVerificationResponse(_message.Message):
    __slots__ = ("verified", "verified_at")
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_AT_FIELD_NUMBER: _ClassVar[int]
    verified: bool
    verified_at: int
    def __init__(self, verified: _Optional[bool] = ..., verified_at: _Optional[int] = ...) -> None: ...

class MsgRevokeDomainVerification(_message.Message):
    __slots__ = ("owner",)
    OWNER_FIELD_NUMBER: _ClassVar[int]
    owner: str
    def __init__(self, owner: _Optional[str] = ...) -> None: ...

class MsgRevokeDomainVerificationResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Info(_message.Message):
    __slots__ = ("email", "website")
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    WEBSITE_FIELD_NUMBER: _ClassVar[int]
    email: str
    website: str
    def __init__(self, email: _Optional[str] = ..., website: _Optional[str] = ...) -> None: ...

class Provider(_message.Message):
    __slots__ = ("owner", "host_uri", "attributes", "info")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    HOST_URI_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    owner: str
    host_uri: str
    attributes: _containers.RepeatedCompositeFieldContainer[_base_attributes_v1_pb2.Attribute]
    info: Info
    def __init__(self, owner: _Optional[str] = ..., host_uri: _Optional[str] = ..., attributes: _Optional[_Iterable[_Union[_base_attributes_v1_pb2.Attribute, _Mapping]]] = ..., info: _Optional[_Union[Info, _Mapping]] = ...) -> None: ...

class QueryProvidersRequest(_message.Message):
    __slots__ = ("pagination",)
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    pagination: _cosmos_paging_pb2.PageRequest
    def __init__(self, pagination: _Optional[_Union[_cosmos_paging_pb2.PageRequest, _Mapping]] = ...) -> None: ...

class QueryProvidersResponse(_message.Message):
    __slots__ = ("providers", "pagination")
    PROVIDERS_FIELD_NUMBER: _ClassVar[int]
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    providers: _containers.RepeatedCompositeFieldContainer[Provider]
    pagination: _cosmos_paging_pb2.PageResponse
    def __init__(self, providers: _Optional[_Iterable[_Union[Provider, _Mapping]]] = ..., pagination: _Optional[_Union[_cosmos_paging_pb2.PageResponse, _Mapping]] = ...) -> None: ...

class QueryProviderRequest(_message.Message):
    __slots__ = ("owner",)
    OWNER_FIELD_NUMBER: _ClassVar[int]
    owner: str
    def __init__(self, owner: _Optional[str] = ...) -> None: ...

class QueryProviderResponse(_message.Message):
    __slots__ = ("provider",)
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    provider: Provider
    def __init__(self, provider: _Optional[_Union[Provider, _Mapping]] = ...) -> None: ...
