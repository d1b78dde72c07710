"""Which open orders to bid on, and at what price; every order that gets no bid gets a reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fnmatch import fnmatchcase

from reconciler.planning.capacity import free, offered, too_small
from reconciler.planning.fees import Fees
from reconciler.planning.pricing import break_even_blocks, group_price
from reconciler.planning.retries import held_back
from reconciler.planning.situation import Proposals, Scene
from reconciler.values.desired import Bidding, Pricing
from reconciler.values.ids import LeaseId
from reconciler.values.messages import CreateBid
from reconciler.values.money import DENOM, plain, show_rate
from reconciler.values.observed import Order, ProviderRecord, State
from reconciler.values.plans import Hold, Reason
from reconciler.values.readings import Unseen
from reconciler.values.resources import Attribute, total

USAGE_BILLED: Attribute = ("billing", "usage")
"""An order with this attribute is bid at the minimum and billed by usage; it must stand in our record too."""

USAGE_BID = Decimal(1)
"""The bid for a usage-billed order, in uve a block: below one whole uve a lease may earn nothing (semantics
4.2).
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order that may be bid on: our price, and what the bid offers a block."""

    order: Order
    price: Decimal
    offer: Decimal


def plan_bids(scene: Scene) -> Proposals:
    """Bid on what fits our rules, dearest first, then oldest, while capacity, balance and ceilings last."""
    chosen: list[Candidate] = []
    holds: list[Hold] = []
    for judged in _judge_all(scene):
        if isinstance(judged, Hold):
            holds.append(judged)
        else:
            chosen.append(judged)
    chosen.sort(key=lambda c: (-c.price, c.order.created_at, c.order.id))
    messages, short = _allocate(scene, chosen)
    return Proposals(messages, (*holds, *short))


def _judge_all(scene: Scene) -> Iterator[Candidate | Hold]:
    bidding = scene.desired.config.bidding if scene.desired.config else None
    taken = {bid.order for bid in scene.market.bids}
    for order in scene.market.orders.values():
        if order.id in taken:
            continue
        if (stop := _standing_reason(scene, bidding)) is not None:
            yield replace(stop, subject=str(order.id))
        else:
            yield _judge(scene, order, bidding or Bidding(), _known(scene.desired.pricing))


def _known(pricing: Pricing | None) -> Pricing:
    assert pricing is not None, "a standing reason says that there is no price"
    return pricing


def _standing_reason(scene: Scene, bidding: Bidding | None) -> Hold | None:
    """Why no order at all is bid on."""
    if scene.market.provider is None:
        why = (
            f"{scene.market.wallet.address} is not registered as a provider on {scene.market.chain_id}; "
            "this revision of the chain takes no registration by transaction, ask for a genesis record"
        )
        return Hold("", Reason.NOT_REGISTERED, why)
    if bidding is None:
        return Hold("", Reason.BIDDING_OFF, "config.yaml has no readable version; mend it to bid")
    if not bidding.enabled:
        return Hold("", Reason.BIDDING_OFF, "config.yaml says bidding.enabled: false")
    if scene.limits.draining:
        why = "the provider drains; `provider-daemon drain --off` ends it"
        return Hold("", Reason.DRAINING, why)
    if scene.desired.pricing is None:
        return Hold("", Reason.NO_PRICE, "pricing.yaml has no readable version; mend it to bid")
    return None


def _judge(scene: Scene, order: Order, bidding: Bidding, pricing: Pricing) -> Candidate | Hold:
    """One order against every rule that needs no other order; the first that it breaks is its reason."""
    market = scene.market
    assert market.provider is not None, "a standing reason says that we are not registered"
    if refusal := _stranger(order, bidding, market.wallet.address) or _unmet(order, market.provider):
        return refusal
    if back := held_back(
        scene.memory, f"CreateBid:{LeaseId(order.id, market.wallet.address)}", str(order.id), scene.now
    ):
        return back
    price = group_price(order.units, pricing)
    offer = USAGE_BID if USAGE_BILLED in order.attributes else price
    if refusal := _too_cheap(scene, order, Candidate(order, price, offer)):
        return refusal
    return Candidate(order, price, offer)


def _stranger(order: Order, bidding: Bidding, address: str) -> Hold | None:
    subject = str(order.id)
    if order.deployment_state is not State.ACTIVE or order.group_state is not State.OPEN:
        why = (
            f"its deployment is {order.deployment_state} and its group {order.group_state}; "
            "no lease can come of it"
        )
        return Hold(subject, Reason.DEPLOYMENT_CLOSED, why)
    if order.id.owner == address:
        return Hold(subject, Reason.OWN_ORDER, "the order is our own; the chain refuses such a bid")
    if order.id.owner in bidding.owners_denied:
        return Hold(subject, Reason.OWNER_DENIED, "its owner is on bidding.owners_denied of config.yaml")
    if bidding.owners_allowed and order.id.owner not in bidding.owners_allowed:
        return Hold(subject, Reason.OWNER_DENIED, "its owner is not on bidding.owners_allowed of config.yaml")
    if order.denoms != frozenset({DENOM}):
        why = f"it is priced in {', '.join(sorted(order.denoms)) or 'nothing'}, we take {DENOM} only"
        return Hold(subject, Reason.FOREIGN_DENOM, why)
    return None


def _unmet(order: Order, provider: ProviderRecord) -> Hold | None:
    """The order's requirements against our record (semantics 3.2, attribute rule)."""
    subject = str(order.id)
    if missing := [a for a in order.attributes if not _met(a, provider.attributes)]:
        why = f"it requires {_show(missing)}, which our provider record does not have"
        return Hold(subject, Reason.ATTRIBUTES_MISSING, why)
    signed = {
        auditor for auditor, has in provider.audited.items() if all(_met(a, has) for a in order.attributes)
    }
    if missing_auditors := order.signed_by_all - signed:
        why = f"it requires attributes signed by all of {', '.join(sorted(missing_auditors))}"
        return Hold(subject, Reason.NOT_AUDITED, why)
    if order.signed_by_any and not order.signed_by_any & signed:
        why = f"it requires attributes signed by any of {', '.join(sorted(order.signed_by_any))}"
        return Hold(subject, Reason.NOT_AUDITED, why)
    return _incapable(order, provider)


def _incapable(order: Order, provider: ProviderRecord) -> Hold | None:
    """GPU models and storage classes against the record's capabilities."""
    has = {key for key, value in provider.attributes if value == "true"}
    for unit in order.units:
        for key, _ in unit.gpu_attributes:
            wanted = f"capabilities/gpu/{key}"
            if unit.gpu and not any(fnmatchcase(k, wanted) for k in has):
                why = f"it requires GPUs {key}, which our provider record does not have"
                return Hold(str(order.id), Reason.ATTRIBUTES_MISSING, why)
    return None


def _met(wanted: Attribute, have: tuple[Attribute, ...] | frozenset[Attribute]) -> bool:
    """The key is a pattern, the value literal."""
    key, value = wanted
    return any(value == v and fnmatchcase(k, key) for k, v in have)


def _show(attributes: list[Attribute]) -> str:
    return ", ".join(f"{key}={value}" for key, value in attributes)


def _too_cheap(scene: Scene, order: Order, candidate: Candidate) -> Hold | None:
    subject = str(order.id)
    price, offer = candidate.price, candidate.offer
    if price <= 0:
        return Hold(subject, Reason.NO_PRICE, "our prices make it free; the chain refuses a bid of nothing")
    if offer > order.price:
        why = f"it pays at most {show_rate(order.price)} a block, our price is {show_rate(offer)}"
        return Hold(subject, Reason.PRICE_TOO_LOW, why)
    fees = Fees.under(scene.market.rules, scene.limits)
    blocks = break_even_blocks(price, fees, scene.market.rules.take_percent)
    seconds = blocks * scene.market.block_seconds
    bound = scene.desired.config.bidding.break_even_seconds if scene.desired.config else 0
    if seconds > bound:
        why = (
            f"at {plain(price)}uve a block it earns back the {fees.lease_costs}uve of its fees only after "
            f"{plain(Decimal(round(seconds / 3600, 1)))} hours; config.yaml allows {bound / 3600:g}"
        )
        return Hold(subject, Reason.BREAK_EVEN, why)
    return None


def _allocate(scene: Scene, candidates: list[Candidate]) -> tuple[tuple[CreateBid, ...], list[Hold]]:
    """Give room and money in order; what is left over is held."""
    capacity = offered(scene.adapters)
    if isinstance(capacity, Unseen):
        return (), [Hold(str(c.order.id), Reason.CLUSTER_UNSEEN, capacity.why) for c in candidates]
    room = free(scene, capacity.view)
    purse = Purse.of(scene)
    bids: list[CreateBid] = []
    holds: list[Hold] = []
    for candidate in candidates:
        order = candidate.order
        if short := too_small(order.units, room, capacity.view.nodes):
            holds.append(Hold(str(order.id), Reason.NO_CAPACITY, short))
        elif len(bids) >= scene.limits.bids_per_cycle:
            why = f"{len(bids)} bids are made this cycle, the host file's bids_per_cycle"
            holds.append(Hold(str(order.id), Reason.CEILING, why))
        elif empty := purse.lacks():
            holds.append(replace(empty, subject=str(order.id)))
        else:
            purse = purse.after_bid()
            room = room - total([u.all for u in order.units])
            bids.append(_bid(scene, candidate))
    return tuple(bids), holds


def _bid(scene: Scene, candidate: Candidate) -> CreateBid:
    own = LeaseId(candidate.order.id, scene.market.wallet.address)
    return CreateBid(own, candidate.offer, scene.market.rules.bid_deposit, candidate.order.units)


@dataclass(frozen=True, slots=True)
class Purse:
    """What may still be spent: of the balance above its reserve, and of the hour's allowance; in uve."""

    balance: int
    allowance: int
    each: int
    reserve: int

    @classmethod
    def of(cls, scene: Scene) -> Purse:
        """The purse before this cycle's bids; a bid costs its deposit and its fee."""
        ledger = scene.memory.ledger
        spent = sum(a for t, a in ledger.spent if t > scene.market.time - 3600) if ledger else 0
        each = scene.market.rules.bid_deposit + Fees.under(scene.market.rules, scene.limits).bid
        reserve = scene.limits.balance_reserve
        return cls(scene.market.wallet.balance - reserve, scene.limits.spend_per_hour - spent, each, reserve)

    def lacks(self) -> Hold | None:
        """Why no further bid can be paid."""
        each = f"a bid locks and costs {self.each}uve"
        if self.balance < self.each:
            why = f"{each}; {max(self.balance, 0)}uve are left above the reserve of {self.reserve}uve"
            return Hold("", Reason.NO_BALANCE, why)
        if self.allowance < self.each:
            why = f"{each}; {max(self.allowance, 0)}uve are left of the host file's spend_per_hour"
            return Hold("", Reason.CEILING, why)
        return None

    def after_bid(self) -> Purse:
        """The purse after one more bid."""
        return replace(self, balance=self.balance - self.each, allowance=self.allowance - self.each)
