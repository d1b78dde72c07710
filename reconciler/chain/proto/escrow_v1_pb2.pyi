from reconciler.chain.proto import base_deposit_v1_pb2 as _base_deposit_v1_pb2
from reconciler.chain.proto import cosmos_coin_pb2 as _cosmos_coin_pb2
from reconciler.chain.proto import cosmos_paging_pb2 as _cosmos_paging_pb2
from reconciler.chain.proto import escrow_id_v1_pb2 as _escrow_id_v1_pb2
from reconciler.chain.proto import escrow_types_v1_pb2 as _escrow_types_v1_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DepositAuthorization(_message.Message):
    __slots__ = ("spend_limit", "scopes")
    class Scope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        invalid: _ClassVar[DepositAuthorization.Scope]
        deployment: _ClassVar[DepositAuthorization.Scope]
        bid: _ClassVar[DepositAuthorization.Scope]
    invalid: DepositAuthorization.Scope
    deployment: DepositAuthorization.Scope
    bid: DepositAuthorization.Scope
    SPEND_LIMIT_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    spend_limit: _cosmos_coin_pb2.Coin
    scopes: _containers.RepeatedScalarFieldContainer[DepositAuthorization.Scope]
    def __init__(self, spend_limit: _Optional[_Union[_cosmos_coin_pb2.Coin, _Mapping]] = ..., scopes: _Optional[_Iterable[_Union[DepositAuthorization.Scope, str]]] = ...) -> None: ...

class MsgAccountDeposit(_message.Message):
    __slots__ = ("signer", "id", "deposit")
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    DEPOSIT_FIELD_NUMBER: _ClassVar[int]
    signer: str
    id: _escrow_id_v1_pb2.Account
    deposit: _base_deposit_v1_pb2.Deposit
    def __init__(self, signer: _Optional[str] = ..., id: _Optional[_Union[_escrow_id_v1_pb2.Account, _Mapping]] = ..., deposit: _Optional[_Union[_base_deposit_v1_pb2.Deposit, _Mapping]] = ...) -> None: ...

class MsgAccountDepositResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class QueryAccountsRequest(_message.Message):
    __slots__ = ("state", "xid", "pagination")
    STATE_FIELD_NUMBER: _ClassVar[int]
    XID_FIELD_NUMBER: _ClassVar[int]
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    state: str
    xid: str
    pagination: _cosmos_paging_pb2.PageRequest
    def __init__(self, state: _Optional[str] = ..., xid: _Optional[str] = ..., pagination: _Optional[_Union[_cosmos_paging_pb2.PageRequest, _Mapping]] = ...) -> None: ...

class QueryAccountsResponse(_message.Message):
    __slots__ = ("accounts", "pagination")
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedCompositeFieldContainer[_escrow_types_v1_pb2.Account]
    pagination: _cosmos_paging_pb2.PageResponse
    def __init__(self, accounts: _Optional[_Iterable[_Union[_escrow_types_v1_pb2.Account, _Mapping]]] = ..., pagination: _Optional[_Union[_cosmos_paging_pb2.PageResponse, _Mapping]] = ...) -> None: ...

class QueryPaymentsRequest(_message.Message):
    __slots__ = ("state", "xid", "pagination")
    STATE_FIELD_NUMBER: _ClassVar[int]
    XID_FIELD_NUMBER: _ClassVar[int]
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    state: str
    xid: str
    pagination: _cosmos_paging_pb2.PageRequest
    def __init__(self, state: _Optional[str] = ..., xid: _Optional[str] = ..., pagination: _Optional[_Union[_cosmos_paging_pb2.PageRequest, _Mapping]] = ...) -> None: ...

class QueryPaymentsResponse(_message.Message):
    __slots__ = ("payments", "pagination")
    PAYMENTS_FIELD_NUMBER: _ClassVar[int]
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    payments: _containers.RepeatedCompositeFieldContainer[_escrow_types_v1_pb2.Payment]
    pagination: _cosmos_paging_pb2.PageResponse
    def __init__(self, payments: _Optional[_Iterable[_Union[_escrow_types_v1_pb2.Payment, _Mapping]]] = ..., pagination: _Optional[_Union[_cosmos_paging_pb2.PageResponse, _Mapping]] = ...) -> None: ...

class QueryInvoiceRequest(_message.Message):
    __slots__ = ("invoice_id",)
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    def __init__(self, invoice_id: _Optional[str] = ...) -> None: ...

class QueryInvoiceResponse(_message.Message):
    __slots__ = ("invoice_json",)
    INVOICE_JSON_FIELD_NUMBER: _ClassVar[int]
    invoice_json: str
    def __init__(self, invoice_json: _Optional[str] = ...) -> None: ...

class QueryInvoicesByProviderRequest(_message.Message):
    __slots__ = ("provider", "pagination")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    provider: str
    pagination: _cosmos_paging_pb2.PageRequest
    def __init__(self, provider: _Optional[str] = ..., pagination: _Optional[_Union[_cosmos_paging_pb2.PageRequest, _Mapping]] = ...) -> None: ...

class QueryInvoicesByProviderResponse(_message.Message):
    __slots__ = ("invoices_json", "pagination")
    INVOICES_JSON_FIELD_NUMBER: _ClassVar[int]
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    invoices_json: _containers.RepeatedScalarFieldContainer[str]
    pagination: _cosmos_paging_pb2.PageResponse
    def __init__(self, invoices_json: _Optional[_Iterable[str]] = ..., pagination: _Optional[_Union[_cosmos_paging_pb2.PageResponse, _Mapping]] = ...) -> None: ...

class QueryInvoicesByCustomerRequest(_message.Message):
    __slots__ = ("customer", "pagination")
    CUSTOMER_FIELD_NUMBER: _ClassVar[int]
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    customer: str
    pagination: _cosmos_paging_pb2.PageRequest
    def __init__(self, customer: _Optional[str] = ..., pagination: _Optional[_Union[_cosmos_paging_pb2.PageRequest, _Mapping]] = ...) -> None: ...

class QueryInvoicesByCustomerResponse(_message.Message):
    __slots__ = ("invoices_json", "pagination")
    INVOICES_JSON_FIELD_NUMBER: _ClassVar[int]
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    invoices_json: _containers.RepeatedScalarFieldContainer[str]
    pagination: _cosmos_paging_pb2.PageResponse
    def __init__(self, invoices_json: _Optional[_Iterable[str]] = ..., pagination: _Optional[_Union[_cosmos_paging_pb2.PageResponse, _Mapping]] = ...) -> None: ...

class QueryInvoiceLedgerRequest(_message.Message):
    __slots__ = ("invoice_id",)
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    def __init__(self, invoice_id: _Optional[str] = ...) -> None: ...

class QueryInvoiceLedgerResponse(_message.Message):
    __slots__ = ("entries_json",)
    ENTRIES_JSON_FIELD_NUMBER: _ClassVar[int]
    entries_json: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, entries_json: _Optional[_Iterable[str]] = ...) -> None: ...
