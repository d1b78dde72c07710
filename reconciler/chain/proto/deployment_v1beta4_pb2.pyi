from reconciler.chain.proto import base_attributes_v1_pb2 as _base_attributes_v1_pb2
from reconciler.chain.proto import base_deposit_v1_pb2 as _base_deposit_v1_pb2
from reconciler.chain.proto import base_resources_v1beta4_pb2 as _base_resources_v1beta4_pb2
from reconciler.chain.proto import cosmos_coin_pb2 as _cosmos_coin_pb2
from reconciler.chain.proto import cosmos_paging_pb2 as _cosmos_paging_pb2
from reconciler.chain.proto import deployment_v1_pb2 as _deployment_v1_pb2
from reconciler.chain.proto import escrow_types_v1_pb2 as _escrow_types_v1_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MsgCreateDeployment(_message.Message):
    __slots__ = ("id", "groups", "hash", "deposit")
    ID_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    DEPOSIT_FIELD_NUMBER: _ClassVar[int]
    id: _deployment_v1_pb2.DeploymentID
    groups: _containers.RepeatedCompositeFieldContainer[GroupSpec]
    hash: bytes
    deposit: _base_deposit_v1_pb2.Deposit
    def __init__(self, id: _Optional[_Union[_deployment_v1_pb2.DeploymentID, _Mapping]] = ..., groups: _Optional[_Iterable[_Union[GroupSpec, _Mapping]]] = ..., hash: _Optional[bytes] = ..., deposit: _Optional[_Union[_base_deposit_v1_pb2.Deposit, _Mapping]] = ...) -> None: ...

class MsgCreateDeploymentResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgUpdateDeployment(_message.Message):
    __slots__ = ("id", "hash")
    ID_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    id: _deployment_v1_pb2.DeploymentID
    hash: bytes
    def __init__(self, id: _Optional[_Union[_deployment_v1_pb2.DeploymentID, _Mapping]] = ..., hash: _Optional[bytes] = ...) -> None: ...

class MsgUpdateDeploymentResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgCloseDeployment(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: _deployment_v1_pb2.DeploymentID
    def __init__(self, id: _Optional[_Union[_deployment_v1_pb2.DeploymentID, _Mapping]] = ...) -> None: ...

class MsgCloseDeploymentResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeploymentFilters(_message.Message):
    __slots__ = ("owner", "dseq", "state")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DSEQ_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    owner: str
    dseq: int
    state: str
    def __init__(self, owner: _Optional[str] = ..., dseq: _Optional[int] = ..., state: _Optional[str] = ...) -> None: ...

class GroupFilters(_message.Message):
    __slots__ = ("owner", "dseq", "gseq", "state")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DSEQ_FIELD_NUMBER: _ClassVar[int]
    GSEQ_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    owner: str
    dseq: int
    gseq: int
    state: str
    def __init__(self, owner: _Optional[str] = ..., dseq: _Optional[int] = ..., gseq: _Optional[int] = ..., state: _Optional[str] = ...) -> None: ...

class Group(_message.Message):
    __slots__ = ("id", "state", "group_spec", "created_at")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        invalid: _ClassVar[Group.State]
        open: _ClassVar[Group.State]
        paused: _ClassVar[Group.State]
        insufficient_funds: _ClassVar[Group.State]
        closed: _ClassVar[Group.State]
    invalid: Group.State
    open: Group.State
    paused: Group.State
    insufficient_funds: Group.State
    closed: Group.State
    ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    GROUP_SPEC_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: _deployment_v1_pb2.GroupID
    state: Group.State
    group_spec: GroupSpec
    created_at: int
    def __init__(self, id: _Optional[_Union[_deployment_v1_pb2.GroupID, _Mapping]] = ..., state: _Optional[_Union[Group.State, str]] = ..., group_spec: _Optional[_Union[GroupSpec, _Mapping]] = ..., created_at: _Optional[int] = ...) -> None: ...

class MsgCloseGroup(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: _deployment_v1_pb2.GroupID
    def __init__(self, id: _Optional[_Union[_deployment_v1_pb2.GroupID, _Mapping]] = ...) -> None: ...

class MsgCloseGroupResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgPauseGroup(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: _deployment_v1_pb2.GroupID
    def __init__(self, id: _Optional[_Union[_deployment_v1_pb2.GroupID, _Mapping]] = ...) -> None: ...

class MsgPauseGroupResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MsgStartGroup(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: _deployment_v1_pb2.GroupID
    def __init__(self, id: _Optional[_Union[_deployment_v1_pb2.GroupID, _Mapping]] = ...) -> None: ...

class MsgStartGroupResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GroupSpec(_message.Message):
    __slots__ = ("name", "requirements", "resources")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUIREMENTS_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    name: str
    requirements: _base_attributes_v1_pb2.PlacementRequirements
    resources: _containers.RepeatedCompositeFieldContainer[ResourceUnit]
    def __init__(self, name: _Optional[str] = ..., requirements: _Optional[_Union[_base_attributes_v1_pb2.PlacementRequirements, _Mapping]] = ..., resources: _Optional[_Iterable[_Union[ResourceUnit, _Mapping]]] = ...) -> None: ...

class Params(_message.Message):
    __slots__ = ("min_deposits",)
    MIN_DEPOSITS_FIELD_NUMBER: _ClassVar[int]
    min_deposits: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    def __init__(self, min_deposits: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ...) -> None: ...

class MsgUpdateParams(_message.Message):
    __slots__ = ("authority", "params")
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    authority: str
    params: Params
    def __init__(self, authority: _Optional[str] = ..., params: _Optional[_Union[Params, _Mapping]] = ...) -> None: ...

class MsgUpdateParamsResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class QueryDeploymentsRequest(_message.Message):
    __slots__ = ("filters", "pagination")
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    filters: DeploymentFilters
    pagination: _cosmos_paging_pb2.PageRequest
    def __init__(self, filters: _Optional[_Union[DeploymentFilters, _Mapping]] = ..., pagination: _Optional[_Union[_cosmos_paging_pb2.PageRequest, _Mapping]] = ...) -> None: ...

class QueryDeploymentsResponse(_message.Message):
    __slots__ = ("deployments", "pagination")
    DEPLOYMENTS_FIELD_NUMBER: _ClassVar[int]
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    deployments: _containers.RepeatedCompositeFieldContainer[QueryDeploymentResponse]
    pagination: _cosmos_paging_pb2.PageResponse
    def __init__(self, deployments: _Optional[_Iterable[_Union[QueryDeploymentResponse, _Mapping]]] = ..., pagination: _Optional[_Union[_cosmos_paging_pb2.PageResponse, _Mapping]] = ...) -> None: ...

class QueryDeploymentRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: _deployment_v1_pb2.DeploymentID
    def __init__(self, id: _Optional[_Union[_deployment_v1_pb2.DeploymentID, _Mapping]] = ...) -> None: ...

class QueryDeploymentResponse(_message.Message):
    __slots__ = ("deployment", "groups", "escrow_account")
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    ESCROW_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    deployment: _deployment_v1_pb2.Deployment
    groups: _containers.RepeatedCompositeFieldContainer[Group]
    escrow_account: _escrow_types_v1_pb2.Account
    def __init__(self, deployment: _Optional[_Union[_deployment_v1_pb2.Deployment, _Mapping]] = ..., groups: _Optional[_Iterable[_Union[Group, _Mapping]]] = ..., escrow_account: _Optional[_Union[_escrow_types_v1_pb2.Account, _Mapping]] = ...) -> None: ...

class QueryGroupRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: _deployment_v1_pb2.GroupID
    def __init__(self, id: _Optional[_Union[_deployment_v1_pb2.GroupID, _Mapping]] = ...) -> None: ...

class QueryGroupResponse(_message.Message):
    __slots__ = ("group",)
    GROUP_FIELD_NUMBER: _ClassVar[int]
    group: Group
    def __init__(self, group: _Optional[_Union[Group, _Mapping]] = ...) -> None: ...

class QueryParamsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class QueryParamsResponse(_message.Message):
    __slots__ = ("params",)
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    params: Params
    def __init__(self, params: _Optional[_Union[Params, _Mapping]] = ...) -> None: ...

class ResourceUnit(_message.Message):
    __slots__ = ("resource", "count", "price")
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    resource: _base_resources_v1beta4_pb2.Resources
    count: int
    price: _cosmos_coin_pb2.DecCoin
    def __init__(self, resource: _Optional[_Union[_base_resources_v1beta4_pb2.Resources, _Mapping]] = ..., count: _Optional[int] = ..., price: _Optional[_Union[_cosmos_coin_pb2.DecCoin, _Mapping]] = ...) -> None: ...
