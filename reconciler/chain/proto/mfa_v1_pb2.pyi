from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FactorType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FACTOR_TYPE_UNSPECIFIED: _ClassVar[FactorType]
    FACTOR_TYPE_TOTP: _ClassVar[FactorType]
    FACTOR_TYPE_FIDO2: _ClassVar[FactorType]
    FACTOR_TYPE_SMS: _ClassVar[FactorType]
    FACTOR_TYPE_EMAIL: _ClassVar[FactorType]
    FACTOR_TYPE_VEID: _ClassVar[FactorType]
    FACTOR_TYPE_TRUSTED_DEVICE: _ClassVar[FactorType]
    FACTOR_TYPE_HARDWARE_KEY: _ClassVar[FactorType]
FACTOR_TYPE_UNSPECIFIED: FactorType
FACTOR_TYPE_TOTP: FactorType
FACTOR_TYPE_FIDO2: FactorType
FACTOR_TYPE_SMS: FactorType
FACTOR_TYPE_EMAIL: FactorType
FACTOR_TYPE_VEID: FactorType
FACTOR_TYPE_TRUSTED_DEVICE: FactorType
FACTOR_TYPE_HARDWARE_KEY: FactorType

class QueryParamsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class QueryParamsResponse(_message.Message):
    __slots__ = ("params",)
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    params: Params
    def __init__(self, params: _Optional[_Union[Params, _Mapping]] = ...) -> None: ...

class Params(_message.Message):
    __slots__ = ("default_session_duration", "max_factors_per_account", "max_challenge_attempts", "challenge_ttl", "max_trusted_devices", "trusted_device_ttl", "min_veid_score_for_mfa", "require_at_least_one_factor", "allowed_factor_types")
    DEFAULT_SESSION_DURATION_FIELD_NUMBER: _ClassVar[int]
    MAX_FACTORS_PER_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    MAX_CHALLENGE_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    CHALLENGE_TTL_FIELD_NUMBER: _ClassVar[int]
    MAX_TRUSTED_DEVICES_FIELD_NUMBER: _ClassVar[int]
    TRUSTED_DEVICE_TTL_FIELD_NUMBER: _ClassVar[int]
    MIN_VEID_SCORE_FOR_MFA_FIELD_NUMBER: _ClassVar[int]
    REQUIRE_AT_LEAST_ONE_FACTOR_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_FACTOR_TYPES_FIELD_NUMBER: _ClassVar[int]
    default_session_duration: int
    max_factors_per_account: int
    max_challenge_attempts: int
    challenge_ttl: int
    max_trusted_devices: int
    trusted_device_ttl: int
    min_veid_score_for_mfa: int
    require_at_least_one_factor: bool
    allowed_factor_types: _containers.RepeatedScalarFieldContainer[FactorType]
    def __init__(self, default_session_duration: _Optional[int] = ..., max_factors_per_account: _Optional[int] = ..., max_challenge_attempts: _Optional[int] = ..., challenge_ttl: _Optional[int] = ..., max_trusted_devices: _Optional[int] = ..., trusted_device_ttl: _Optional[int] = ..., min_veid_score_for_mfa: _Optional[int] = ..., require_at_least_one_factor: _Optional[bool] = ..., allowed_factor_types: _Optional[_Iterable[_Union[FactorType, str]]] = ...) -> None: ...
