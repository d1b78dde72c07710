from reconciler.chain.proto import cosmos_coin_pb2 as _cosmos_coin_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReleaseCondition(_message.Message):
    __slots__ = ("type", "unlock_after", "required_signers", "signature_threshold", "min_usage_units", "required_verification_score", "satisfied", "satisfied_at")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    UNLOCK_AFTER_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_SIGNERS_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    MIN_USAGE_UNITS_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_VERIFICATION_SCORE_FIELD_NUMBER: _ClassVar[int]
    SATISFIED_FIELD_NUMBER: _ClassVar[int]
    SATISFIED_AT_FIELD_NUMBER: _ClassVar[int]
    type: str
    unlock_after: int
    required_signers: _containers.RepeatedScalarFieldContainer[str]
    signature_threshold: int
    min_usage_units: int
    required_verification_score: int
    satisfied: bool
    satisfied_at: int
    def __init__(self, type: _Optional[str] = ..., unlock_after: _Optional[int] = ..., required_signers: _Optional[_Iterable[str]] = ..., signature_threshold: _Optional[int] = ..., min_usage_units: _Optional[int] = ..., required_verification_score: _Optional[int] = ..., satisfied: _Optional[bool] = ..., satisfied_at: _Optional[int] = ...) -> None: ...

class EscrowAccount(_message.Message):
    __slots__ = ("escrow_id", "order_id", "lease_id", "depositor", "recipient", "amount", "balance", "state", "conditions", "created_at", "expires_at", "activated_at", "closed_at", "closure_reason", "total_settled", "settlement_count", "block_height")
    ESCROW_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    DEPOSITOR_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    ACTIVATED_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSURE_REASON_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SETTLED_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    escrow_id: str
    order_id: str
    lease_id: str
    depositor: str
    recipient: str
    amount: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    balance: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    state: str
    conditions: _containers.RepeatedCompositeFieldContainer[ReleaseCondition]
    created_at: int
    expires_at: int
    activated_at: int
    closed_at: int
    closure_reason: str
    total_settled: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    settlement_count: int
    block_height: int
    def __init__(self, escrow_id: _Optional[str] = ..., order_id: _Optional[str] = ..., lease_id: _Optional[str] = ..., depositor: _Optional[str] = ..., recipient: _Optional[str] = ..., amount: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ..., balance: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ..., state: _Optional[str] = ..., conditions: _Optional[_Iterable[_Union[ReleaseCondition, _Mapping]]] = ..., created_at: _Optional[int] = ..., expires_at: _Optional[int] = ..., activated_at: _Optional[int] = ..., closed_at: _Optional[int] = ..., closure_reason: _Optional[str] = ..., total_settled: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ..., settlement_count: _Optional[int] = ..., block_height: _Optional[int] = ...) -> None: ...

class SettlementRecord(_message.Message):
    __slots__ = ("settlement_id", "escrow_id", "order_id", "lease_id", "provider", "customer", "total_amount", "provider_share", "platform_fee", "validator_fee", "settled_at", "usage_record_ids", "total_usage_units", "period_start", "period_end", "block_height", "settlement_type", "is_final")
    SETTLEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ESCROW_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_FIELD_NUMBER: _ClassVar[int]
    TOTAL_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_SHARE_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FEE_FIELD_NUMBER: _ClassVar[int]
    VALIDATOR_FEE_FIELD_NUMBER: _ClassVar[int]
    SETTLED_AT_FIELD_NUMBER: _ClassVar[int]
    USAGE_RECORD_IDS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_USAGE_UNITS_FIELD_NUMBER: _ClassVar[int]
    PERIOD_START_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    IS_FINAL_FIELD_NUMBER: _ClassVar[int]
    settlement_id: str
    escrow_id: str
    order_id: str
    lease_id: str
    provider: str
    customer: str
    total_amount: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    provider_share: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    platform_fee: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    validator_fee: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    settled_at: int
    usage_record_ids: _containers.RepeatedScalarFieldContainer[str]
    total_usage_units: int
    period_start: int
    period_end: int
    block_height: int
    settlement_type: str
    is_final: bool
    def __init__(self, settlement_id: _Optional[str] = ..., escrow_id: _Optional[str] = ..., order_id: _Optional[str] = ..., lease_id: _Optional[str] = ..., provider: _Optional[str] = ..., customer: _Optional[str] = ..., total_amount: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ..., provider_share: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ..., platform_fee: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ..., validator_fee: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ..., settled_at: _Optional[int] = ..., usage_record_ids: _Optional[_Iterable[str]] = ..., total_usage_units: _Optional[int] = ..., period_start: _Optional[int] = ..., period_end: _Optional[int] = ..., block_height: _Optional[int] = ..., settlement_type: _Optional[str] = ..., is_final: _Optional[bool] = ...) -> None: ...

class UsageRecord(_message.Message):
    __slots__ = ("usage_id", "order_id", "lease_id", "provider", "customer", "usage_units", "usage_type", "period_start", "period_end", "unit_price", "total_cost", "provider_signature", "customer_acknowledged", "customer_signature", "settled", "settlement_id", "submitted_at", "block_height", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    USAGE_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_FIELD_NUMBER: _ClassVar[int]
    USAGE_UNITS_FIELD_NUMBER: _ClassVar[int]
    USAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    PERIOD_START_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_FIELD_NUMBER: _ClassVar[int]
    UNIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COST_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_AT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    usage_id: str
    order_id: str
    lease_id: str
    provider: str
    customer: str
    usage_units: int
    usage_type: str
    period_start: int
    period_end: int
    unit_price: _cosmos_coin_pb2.DecCoin
    total_cost: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    provider_signature: bytes
    customer_acknowledged: bool
    customer_signature: bytes
    settled: bool
    settlement_id: str
    submitted_at: int
    block_height: int
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, usage_id: _Optional[str] = ..., order_id: _Optional[str] = ..., lease_id: _Optional[str] = ..., provider: _Optional[str] = ..., customer: _Optional[str] = ..., usage_units: _Optional[int] = ..., usage_type: _Optional[str] = ..., period_start: _Optional[int] = ..., period_end: _Optional[int] = ..., unit_price: _Optional[_Union[_cosmos_coin_pb2.DecCoin, _Mapping]] = ..., total_cost: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ..., provider_signature: _Optional[bytes] = ..., customer_acknowledged: _Optional[bool] = ..., customer_signature: _Optional[bytes] = ..., settled: _Optional[bool] = ..., settlement_id: _Optional[str] = ..., submitted_at: _Optional[int] = ..., block_height: _Optional[int] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class UsageTypeSummary(_message.Message):
    __slots__ = ("usage_type", "usage_units", "total_cost")
    USAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    USAGE_UNITS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COST_FIELD_NUMBER: _ClassVar[int]
    usage_type: str
    usage_units: int
    total_cost: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    def __init__(self, usage_type: _Optional[str] = ..., usage_units: _Optional[int] = ..., total_cost: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ...) -> None: ...

class UsageSummary(_message.Message):
    __slots__ = ("provider", "order_id", "period_start", "period_end", "total_usage_units", "total_cost", "by_usage_type", "generated_at", "block_height", "usage_record_ids")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    PERIOD_START_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_FIELD_NUMBER: _ClassVar[int]
    TOTAL_USAGE_UNITS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COST_FIELD_NUMBER: _ClassVar[int]
    BY_USAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    GENERATED_AT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    USAGE_RECORD_IDS_FIELD_NUMBER: _ClassVar[int]
    provider: str
    order_id: str
    period_start: int
    period_end: int
    total_usage_units: int
    total_cost: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    by_usage_type: _containers.RepeatedCompositeFieldContainer[UsageTypeSummary]
    generated_at: int
    block_height: int
    usage_record_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, provider: _Optional[str] = ..., order_id: _Optional[str] = ..., period_start: _Optional[int] = ..., period_end: _Optional[int] = ..., total_usage_units: _Optional[int] = ..., total_cost: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ..., by_usage_type: _Optional[_Iterable[_Union[UsageTypeSummary, _Mapping]]] = ..., generated_at: _Optional[int] = ..., block_height: _Optional[int] = ..., usage_record_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class PayoutRecord(_message.Message):
    __slots__ = ("payout_id", "fiat_conversion_id", "invoice_id", "settlement_id", "escrow_id", "order_id", "lease_id", "provider", "customer", "gross_amount", "platform_fee", "validator_fee", "holdback_amount", "net_amount", "state", "dispute_id", "hold_reason", "idempotency_key", "execution_attempts", "last_attempt_at", "last_error", "tx_hash", "created_at", "processed_at", "completed_at", "block_height")
    PAYOUT_ID_FIELD_NUMBER: _ClassVar[int]
    FIAT_CONVERSION_ID_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ESCROW_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_FIELD_NUMBER: _ClassVar[int]
    GROSS_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FEE_FIELD_NUMBER: _ClassVar[int]
    VALIDATOR_FEE_FIELD_NUMBER: _ClassVar[int]
    HOLDBACK_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    NET_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    HOLD_REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    LAST_ATTEMPT_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    TX_HASH_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    PROCESSED_AT_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_AT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    payout_id: str
    fiat_conversion_id: str
    invoice_id: str
    settlement_id: str
    escrow_id: str
    order_id: str
    lease_id: str
    provider: str
    customer: str
    gross_amount: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    platform_fee: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    validator_fee: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    holdback_amount: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    net_amount: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    state: str
    dispute_id: str
    hold_reason: str
    idempotency_key: str
    execution_attempts: int
    last_attempt_at: int
    last_error: str
    tx_hash: str
    created_at: int
    processed_at: int
    completed_at: int
    block_height: int
    def __init__(self, payout_id: _Optional[str] = ..., fiat_conversion_id: _Optional[str] = ..., invoice_id: _Optional[str] = ..., settlement_id: _Optional[str] = ..., escrow_id: _Optional[str] = ..., order_id: _Optional[str] = ..., lease_id: _Optional[str] = ..., provider: _Optional[str] = ..., customer: _Optional[str] = ..., gross_amount: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ..., platform_fee: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ..., validator_fee: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ..., holdback_amount: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ..., net_amount: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ..., state: _Optional[str] = ..., dispute_id: _Optional[str] = ..., hold_reason: _Optional[str] = ..., idempotency_key: _Optional[str] = ..., execution_attempts: _Optional[int] = ..., last_attempt_at: _Optional[int] = ..., last_error: _Optional[str] = ..., tx_hash: _Optional[str] = ..., created_at: _Optional[int] = ..., processed_at: _Optional[int] = ..., completed_at: _Optional[int] = ..., block_height: _Optional[int] = ...) -> None: ...

class QueryEscrowRequest(_message.Message):
    __slots__ = ("escrow_id",)
    ESCROW_ID_FIELD_NUMBER: _ClassVar[int]
    escrow_id: str
    def __init__(self, escrow_id: _Optional[str] = ...) -> None: ...

class QueryEscrowResponse(_message.Message):
    __slots__ = ("escrow",)
    ESCROW_FIELD_NUMBER: _ClassVar[int]
    escrow: EscrowAccount
    def __init__(self, escrow: _Optional[_Union[EscrowAccount, _Mapping]] = ...) -> None: ...

class QueryEscrowsByOrderRequest(_message.Message):
    __slots__ = ("order_id",)
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    def __init__(self, order_id: _Optional[str] = ...) -> None: ...

class QueryEscrowsByOrderResponse(_message.Message):
    __slots__ = ("escrows",)
    ESCROWS_FIELD_NUMBER: _ClassVar[int]
    escrows: _containers.RepeatedCompositeFieldContainer[EscrowAccount]
    def __init__(self, escrows: _Optional[_Iterable[_Union[EscrowAccount, _Mapping]]] = ...) -> None: ...

class QueryEscrowsByStateRequest(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: str
    def __init__(self, state: _Optional[str] = ...) -> None: ...

class QueryEscrowsByStateResponse(_message.Message):
    __slots__ = ("escrows",)
    ESCROWS_FIELD_NUMBER: _ClassVar[int]
    escrows: _containers.RepeatedCompositeFieldContainer[EscrowAccount]
    def __init__(self, escrows: _Optional[_Iterable[_Union[EscrowAccount, _Mapping]]] = ...) -> None: ...

class QuerySettlementRequest(_message.Message):
    __slots__ = ("settlement_id",)
    SETTLEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    settlement_id: str
    def __init__(self, settlement_id: _Optional[str] = ...) -> None: ...

class QuerySettlementResponse(_message.Message):
    __slots__ = ("settlement",)
    SETTLEMENT_FIELD_NUMBER: _ClassVar[int]
    settlement: SettlementRecord
    def __init__(self, settlement: _Optional[_Union[SettlementRecord, _Mapping]] = ...) -> None: ...

class QuerySettlementsByOrderRequest(_message.Message):
    __slots__ = ("order_id",)
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    def __init__(self, order_id: _Optional[str] = ...) -> None: ...

class QuerySettlementsByOrderResponse(_message.Message):
    __slots__ = ("settlements",)
    SETTLEMENTS_FIELD_NUMBER: _ClassVar[int]
    settlements: _containers.RepeatedCompositeFieldContainer[SettlementRecord]
    def __init__(self, settlements: _Optional[_Iterable[_Union[SettlementRecord, _Mapping]]] = ...) -> None: ...

class QueryUsageRecordRequest(_message.Message):
    __slots__ = ("usage_id",)
    USAGE_ID_FIELD_NUMBER: _ClassVar[int]
    usage_id: str
    def __init__(self, usage_id: _Optional[str] = ...) -> None: ...

class QueryUsageRecordResponse(_message.Message):
    __slots__ = ("usage_record",)
    USAGE_RECORD_FIELD_NUMBER: _ClassVar[int]
    usage_record: UsageRecord
    def __init__(self, usage_record: _Optional[_Union[UsageRecord, _Mapping]] = ...) -> None: ...

class QueryUsageRecordsByOrderRequest(_message.Message):
    __slots__ = ("order_id",)
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    def __init__(self, order_id: _Optional[str] = ...) -> None: ...

class QueryUsageRecordsByOrderResponse(_message.Message):
    __slots__ = ("usage_records",)
    USAGE_RECORDS_FIELD_NUMBER: _ClassVar[int]
    usage_records: _containers.RepeatedCompositeFieldContainer[UsageRecord]
    def __init__(self, usage_records: _Optional[_Iterable[_Union[UsageRecord, _Mapping]]] = ...) -> None: ...

class QueryUsageSummaryRequest(_message.Message):
    __slots__ = ("order_id", "provider", "period_start", "period_end")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PERIOD_START_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    provider: str
    period_start: int
    period_end: int
    def __init__(self, order_id: _Optional[str] = ..., provider: _Optional[str] = ..., period_start: _Optional[int] = ..., period_end: _Optional[int] = ...) -> None: ...

class QueryUsageSummaryResponse(_message.Message):
    __slots__ = ("summary",)
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    summary: UsageSummary
    def __init__(self, summary: _Optional[_Union[UsageSummary, _Mapping]] = ...) -> None: ...

class QueryPayoutRequest(_message.Message):
    __slots__ = ("payout_id",)
    PAYOUT_ID_FIELD_NUMBER: _ClassVar[int]
    payout_id: str
    def __init__(self, payout_id: _Optional[str] = ...) -> None: ...

class QueryPayoutResponse(_message.Message):
    __slots__ = ("payout",)
    PAYOUT_FIELD_NUMBER: _ClassVar[int]
    payout: PayoutRecord
    def __init__(self, payout: _Optional[_Union[PayoutRecord, _Mapping]] = ...) -> None: ...

class QueryPayoutsByProviderRequest(_message.Message):
    __slots__ = ("provider",)
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    provider: str
    def __init__(self, provider: _Optional[str] = ...) -> None: ...

class QueryPayoutsByProviderResponse(_message.Message):
    __slots__ = ("payouts",)
    PAYOUTS_FIELD_NUMBER: _ClassVar[int]
    payouts: _containers.RepeatedCompositeFieldContainer[PayoutRecord]
    def __init__(self, payouts: _Optional[_Iterable[_Union[PayoutRecord, _Mapping]]] = ...) -> None: ...

class QueryParamsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class QueryParamsResponse(_message.Message):
    __slots__ = ("params",)
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    params: Params
    def __init__(self, params: _Optional[_Union[Params, _Mapping]] = ...) -> None: ...

class MsgCreateEscrow(_message.Message):
    __slots__ = ("sender", "order_id", "amount", "expires_in")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_FIELD_NUMBER: _ClassVar[int]
    sender: str
    order_id: str
    amount: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    expires_in: int
    def __init__(self, sender: _Optional[str] = ..., order_id: _Optional[str] = ..., amount: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ..., expires_in: _Optional[int] = ...) -> None: ...

class MsgCreateEscrowResponse(_message.Message):
    __slots__ = ("escrow_id", "created_at")
    ESCROW_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    escrow_id: str
    created_at: int
    def __init__(self, escrow_id: _Optional[str] = ..., created_at: _Optional[int] = ...) -> None: ...

class MsgActivateEscrow(_message.Message):
    __slots__ = ("sender", "escrow_id", "lease_id", "recipient")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    ESCROW_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    sender: str
    escrow_id: str
    lease_id: str
    recipient: str
    def __init__(self, sender: _Optional[str] = ..., escrow_id: _Optional[str] = ..., lease_id: _Optional[str] = ..., recipient: _Optional[str] = ...) -> None: ...

class MsgActivateEscrowResponse(_message.Message):
    __slots__ = ("activated_at",)
    ACTIVATED_AT_FIELD_NUMBER: _ClassVar[int]
    activated_at: int
    def __init__(self, activated_at: _Optional[int] = ...) -> None: ...

class MsgReleaseEscrow(_message.Message):
    __slots__ = ("sender", "escrow_id", "amount", "reason")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    ESCROW_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    sender: str
    escrow_id: str
    amount: _containers.RepeatedCompositeFieldContainer[_cosmos_coin_pb2.Coin]
    reason: str
    def __init__(self, sender: _Optional[str] = ..., escrow_id: _Optional[str] = ..., amount: _Optional[_Iterable[_Union[_cosmos_coin_pb2.Coin, _Mapping]]] = ..., reason: _Optional[str] = ...) -> None: ...

class MsgReleaseEscrowResponse(_message.Message):
    __slots__ = ("released_amount", "released_at")
    RELEASED_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    RELEASED_AT_FIELD_NUMBER: _ClassVar[int]
    released_amount: str
    released_at: int
    def __init__(self, released_amount: _Optional[str] = ..., released_at: _Optional[int] = ...) -> None: ...

class MsgRefundEscrow(_message.Message):
    __slots__ = ("sender", "escrow_id", "reason")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    ESCROW_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    sender: str
    escrow_id: str
    reason: str
    def __init__(self, sender: _Optional[str] = ..., escrow_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class MsgRefundEscrowResponse(_message.Message):
    __slots__ = ("refunded_amount", "refunded_at")
    REFUNDED_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_AT_FIELD_NUMBER: _ClassVar[int]
    refunded_amount: str
    refunded_at: int
    def __init__(self, refunded_amount: _Optional[str] = ..., refunded_at: _Optional[int] = ...) -> None: ...

class MsgDisputeEscrow(_message.Message):
    __slots__ = ("sender", "escrow_id", "reason", "evidence")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    ESCROW_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    sender: str
    escrow_id: str
    reason: str
    evidence: str
    def __init__(self, sender: _Optional[str] = ..., escrow_id: _Optional[str] = ..., reason: _Optional[str] = ..., evidence: _Optional[str] = ...) -> None: ...

class MsgDisputeEscrowResponse(_message.Message):
    __slots__ = ("disputed_at",)
    DISPUTED_AT_FIELD_NUMBER: _ClassVar[int]
    disputed_at: int
    def __init__(self, disputed_at: _Optional[int] = ...) -> None: ...

class MsgSettleOrder(_message.Message):
    __slots__ = ("sender", "order_id", "usage_record_ids", "is_final")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    USAGE_RECORD_IDS_FIELD_NUMBER: _ClassVar[int]
    IS_FINAL_FIELD_NUMBER: _ClassVar[int]
    sender: str
    order_id: str
    usage_record_ids: _containers.RepeatedScalarFieldContainer[str]
    is_final: bool
    def __init__(self, sender: _Optional[str] = ..., order_id: _Optional[str] = ..., usage_record_ids: _Optional[_Iterable[str]] = ..., is_final: _Optional[bool] = ...) -> None: ...

class MsgSettleOrderResponse(_message.Message):
    __slots__ = ("settlement_id", "total_amount", "provider_share", "platform_fee", "settled_at")
    SETTLEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TOTAL_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_SHARE_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FEE_FIELD_NUMBER: _ClassVar[int]
    SETTLED_AT_FIELD_NUMBER: _ClassVar[int]
    settlement_id: str
    total_amount: str
    provider_share: str
    platform_fee: str
    settled_at: int
    def __init__(self, settlement_id: _Optional[str] = ..., total_amount: _Optional[str] = ..., provider_share: _Optional[str] = ..., platform_fee: _Optional[str] = ..., settled_at: _Optional[int] = ...) -> None: ...

class MsgRecordUsage(_message.Message):
    __slots__ = ("sender", "order_id", "lease_id", "usage_units", "usage_type", "period_start", "period_end", "unit_price", "signature")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    USAGE_UNITS_FIELD_NUMBER: _ClassVar[int]
    USAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    PERIOD_START_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_FIELD_NUMBER: _ClassVar[int]
    UNIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    sender: str
    order_id: str
    lease_id: str
    usage_units: int
    usage_type: str
    period_start: int
    period_end: int
    unit_price: _cosmos_coin_pb2.DecCoin
    signature: bytes
    def __init__(self, sender: _Optional[str] = ..., order_id: _Optional[str] = ..., lease_id: _Optional[str] = ..., usage_units: _Optional[int] = ..., usage_type: _Optional[str] = ..., period_start: _Optional[int] = ..., period_end: _Optional[int] = ..., unit_price: _Optional[_Union[_cosmos_coin_pb2.DecCoin, _Mapping]] = ..., signature: _Optional[bytes] = ...) -> None: ...

class MsgRecordUsageResponse(_message.Message):
    __slots__ = ("usage_id", "total_cost", "recorded_at")
    USAGE_ID_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COST_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    usage_id: str
    total_cost: str
    recorded_at: int
    def __init__(self, usage_id: _Optional[str] = ..., total_cost: _Optional[str] = ..., recorded_at: _Optional[int] = ...) -> None: ...

class MsgAcknowledgeUsage(_message.Message):
    __slots__ = ("sender", "usage_id", "signature")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    USAGE_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    sender: str
    usage_id: str
    signature: bytes
    def __init__(self, sender: _Optional[str] = ..., usage_id: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...

class MsgAcknowledgeUsageResponse(_message.Message):
    __slots__ = ("acknowledged_at",)
    ACKNOWLEDGED_AT_FIELD_NUMBER: _ClassVar[int]
    acknowledged_at: int
    def __init__(self, acknowledged_at: _Optional[int] = ...) -> None: ...

class Params(_message.Message):
    __slots__ = ("platform_fee_rate", "validator_fee_rate", "min_escrow_duration", "max_escrow_duration", "settlement_period", "reward_claim_expiry", "min_settlement_amount", "usage_grace_period", "staking_reward_epoch_length", "verification_reward_amount", "payout_holdback_rate", "max_payout_retries", "dispute_window_duration", "usage_reward_rate_bps", "usage_reward_cpu_multiplier_bps", "usage_reward_memory_multiplier_bps", "usage_reward_storage_multiplier_bps", "usage_reward_gpu_multiplier_bps", "usage_reward_network_multiplier_bps", "usage_reward_sla_ontime_multiplier_bps", "usage_reward_sla_late_multiplier_bps", "usage_reward_ack_multiplier_bps", "usage_reward_unack_multiplier_bps", "fiat_conversion_enabled", "fiat_conversion_min_amount", "fiat_conversion_max_amount", "fiat_conversion_daily_limit", "fiat_conversion_stable_denom", "fiat_conversion_stable_symbol", "fiat_conversion_stable_decimals", "fiat_conversion_default_fiat", "fiat_conversion_default_method", "fiat_conversion_max_slippage", "fiat_conversion_risk_score_threshold", "fiat_conversion_min_compliance_status")
    PLATFORM_FEE_RATE_FIELD_NUMBER: _ClassVar[int]
    VALIDATOR_FEE_RATE_FIELD_NUMBER: _ClassVar[int]
    MIN_ESCROW_DURATION_FIELD_NUMBER: _ClassVar[int]
    MAX_ESCROW_DURATION_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_PERIOD_FIELD_NUMBER: _ClassVar[int]
    REWARD_CLAIM_EXPIRY_FIELD_NUMBER: _ClassVar[int]
    MIN_SETTLEMENT_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    USAGE_GRACE_PERIOD_FIELD_NUMBER: _ClassVar[int]
    STAKING_REWARD_EPOCH_LENGTH_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_REWARD_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_HOLDBACK_RATE_FIELD_NUMBER: _ClassVar[int]
    MAX_PAYOUT_RETRIES_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_WINDOW_DURATION_FIELD_NUMBER: _ClassVar[int]
    USAGE_REWARD_RATE_BPS_FIELD_NUMBER: _ClassVar[int]
    USAGE_REWARD_CPU_MULTIPLIER_BPS_FIELD_NUMBER: _ClassVar[int]
    USAGE_REWARD_MEMORY_MULTIPLIER_BPS_FIELD_NUMBER: _ClassVar[int]
    USAGE_REWARD_STORAGE_MULTIPLIER_BPS_FIELD_NUMBER: _ClassVar[int]
    USAGE_REWARD_GPU_MULTIPLIER_BPS_FIELD_NUMBER: _ClassVar[int]
    USAGE_REWARD_NETWORK_MULTIPLIER_BPS_FIELD_NUMBER: _ClassVar[int]
    USAGE_REWARD_SLA_ONTIME_MULTIPLIER_BPS_FIELD_NUMBER: _ClassVar[int]
    USAGE_REWARD_SLA_LATE_MULTIPLIER_BPS_FIELD_NUMBER: _ClassVar[int]
    USAGE_REWARD_ACK_MULTIPLIER_BPS_FIELD_NUMBER: _ClassVar[int]
    USAGE_REWARD_UNACK_MULTIPLIER_BPS_FIELD_NUMBER: _ClassVar[int]
    FIAT_CONVERSION_ENABLED_FIELD_NUMBER: _ClassVar[int]
    FIAT_CONVERSION_MIN_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    FIAT_CONVERSION_MAX_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    FIAT_CONVERSION_DAILY_LIMIT_FIELD_NUMBER: _ClassVar[int]
    FIAT_CONVERSION_STABLE_DENOM_FIELD_NUMBER: _ClassVar[int]
    FIAT_CONVERSION_STABLE_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    FIAT_CONVERSION_STABLE_DECIMALS_FIELD_NUMBER: _ClassVar[int]
    FIAT_CONVERSION_DEFAULT_FIAT_FIELD_NUMBER: _ClassVar[int]
    FIAT_CONVERSION_DEFAULT_METHOD_FIELD_NUMBER: _ClassVar[int]
    FIAT_CONVERSION_MAX_SLIPPAGE_FIELD_NUMBER: _ClassVar[int]
    FIAT_CONVERSION_RISK_SCORE_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    FIAT_CONVERSION_MIN_COMPLIANCE_STATUS_FIELD_NUMBER: _ClassVar[int]
    platform_fee_rate: str
    validator_fee_rate: str
    min_escrow_duration: int
    max_escrow_duration: int
    settlement_period: int
    reward_claim_expiry: int
    min_settlement_amount: str
    usage_grace_period: int
    staking_reward_epoch_length: int
    verification_reward_amount: str
    payout_holdback_rate: str
    max_payout_retries: int
    dispute_window_duration: int
    usage_reward_rate_bps: int
    usage_reward_cpu_multiplier_bps: int
    usage_reward_memory_multiplier_bps: int
    usage_reward_storage_multiplier_bps: int
    usage_reward_gpu_multiplier_bps: int
    usage_reward_network_multiplier_bps: int
    usage_reward_sla_ontime_multiplier_bps: int
    usage_reward_sla_late_multiplier_bps: int
    usage_reward_ack_multiplier_bps: int
    usage_reward_unack_multiplier_bps: int
    fiat_conversion_enabled: bool
    fiat_conversion_min_amount: str
    fiat_conversion_max_amount: str
    fiat_conversion_daily_limit: str
    fiat_conversion_stable_denom: str
    fiat_conversion_stable_symbol: str
    fiat_conversion_stable_decimals: int
    fiat_conversion_default_fiat: str
    fiat_conversion_default_method: str
    fiat_conversion_max_slippage: str
    fiat_conversion_risk_score_threshold: int
    fiat_conversion_min_compliance_status: str
    def __init__(self, platform_fee_rate: _Optional[str] = ..., validator_fee_rate: _Optional[str] = ..., min_escrow_duration: _Optional[int] = ..., max_escrow_duration: _Optional[int] = ..., settlement_period: _Optional[int] = ..., reward_claim_expiry: _Optional[int] = ..., min_settlement_amount: _Optional[str] = ..., usage_grace_period: _Optional[int] = ..., staking_reward_epoch_length: _Optional[int] = ..., verification_reward_amount: _Optional[str] = ..., payout_holdback_rate: _Optional[str] = ..., max_payout_retries: _Optional[int] = ..., dispute_window_duration: _Optional[int] = ..., usage_reward_rate_bps: _Optional[int] = ..., usage_reward_cpu_multiplier_bps: _Optional[int] = ..., usage_reward_memory_multiplier_bps: _Optional[int] = ..., usage_reward_storage_multiplier_bps: _Optional[int] = ..., usage_reward_gpu_multiplier_bps: _Optional[int] = ..., usage_reward_network_multiplier_bps: _Optional[int] = ..., usage_reward_sla_ontime_multiplier_bps: _Optional[int] = ..., usage_reward_sla_late_multiplier_bps: _Optional[int] = ..., usage_reward_ack_multiplier_bps: _Optional[int] = ..., usage_reward_unack_multiplier_bps: _Optional[int] = ..., fiat_conversion_enabled: _Optional[bool] = ..., fiat_conversion_min_amount: _Optional[str] = ..., fiat_conversion_max_amount: _Optional[str] = ..., fiat_conversion_daily_limit: _Optional[str] = ..., fiat_conversion_stable_denom: _Optional[str] = ..., fiat_conversion_stable_symbol: _Optional[str] = ..., fiat_conversion_stable_decimals: _Optional[int] = ..., fiat_conversion_default_fiat: _Optional[str] = ..., fiat_conversion_default_method: _Optional[str] = ..., fiat_conversion_max_slippage: _Optional[str] = ..., fiat_conversion_risk_score_threshold: _Optional[int] = ..., fiat_conversion_min_compliance_status: _Optional[str] = ...) -> None: ...
