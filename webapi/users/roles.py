"""Who may do what: rights by role, one table."""

from enum import StrEnum

from webapi.users.models import Role


class Right(StrEnum):
    """Something that not everybody may do."""

    SEE_SITES = "see_sites"
    """Stations, transformers, piles, guns and their live values."""
    SEE_ORDERS = "see_orders"
    PLACE_ORDERS = "place_orders"
    STOP_ORDERS = "stop_orders"
    OPERATE_PILES = "operate_piles"
    """Restart, update, settings, offline cards, parking locks, polls, clock, traces; push a tariff again."""
    LOCK_OUT = "lock_out"
    """停用, 全站停止 and lifting them."""
    LIMIT_POWER = "limit_power"
    """功率设置 of guns."""
    SET_TRANSFORMERS = "set_transformers"
    """Thresholds, ratings and feeders of transformers."""
    RUN_DEGRADED = "run_degraded"
    """Ask for or confirm that a transformer runs without its dead meter."""
    HANDLE_ALARMS = "handle_alarms"
    """Acknowledge faults and warnings."""
    MANAGE_FAULT_CODES = "manage_fault_codes"
    """The fault-code dictionary; an operator's administrator only where there is no other operator."""
    SET_TARIFFS = "set_tariffs"
    """Make versions of tariffs and give them to piles."""
    SEE_ACCOUNTS = "see_accounts"
    """Customers with their wallets and statements."""
    OPEN_ACCOUNTS = "open_accounts"
    BLOCK_ACCOUNTS = "block_accounts"
    """冻结账户 and lifting it."""
    RECHARGE = "recharge"
    APPROVE_RECHARGES = "approve_recharges"
    """As the second person, for what another one asked."""
    POST_PAYOUTS = "post_payouts"
    """Payouts of channels, and what each channel still has."""
    ASK_WITHDRAWALS = "ask_withdrawals"
    """余额退款 of what is on a wallet; a driver of the own one."""
    ASK_ORDER_REFUNDS = "ask_order_refunds"
    """订单退款 to the wallet."""
    APPROVE_REFUNDS = "approve_refunds"
    """Decide refunds, and confirm transfers that were made by hand."""
    ADOPT_CHARGES = "adopt_charges"
    """Have a customer pay for a charge that no order explains."""
    DECIDE_REVIEWS = "decide_reviews"
    """See bills in review, and decide whose calculation counts."""
    SEE_PHONES = "see_phones"
    """Phone numbers in full; everybody else sees 138****0001."""
    MANAGE_CARDS = "manage_cards"
    """Bind, block and unbind cards and vehicles, set card passwords; who may sees their numbers in full."""
    SEE_AUDIT = "see_audit"
    OWN_TOKENS = "own_tokens"
    """Make and revoke bearer tokens for oneself."""


_LOOK = frozenset({Right.SEE_SITES, Right.SEE_ORDERS, Right.OWN_TOKENS})
_HANDS = frozenset(
    {
        Right.PLACE_ORDERS,
        Right.STOP_ORDERS,
        Right.OPERATE_PILES,
        Right.HANDLE_ALARMS,
        Right.LOCK_OUT,
        Right.LIMIT_POWER,
        Right.RUN_DEGRADED,
        Right.SEE_ACCOUNTS,
        Right.OPEN_ACCOUNTS,
        Right.BLOCK_ACCOUNTS,
        Right.MANAGE_CARDS,
    }
)

GRANTED: dict[Role, frozenset[Right]] = {
    Role.PLATFORM_ADMIN: frozenset(Right),
    Role.TENANT_ADMIN: frozenset(Right),
    Role.OPERATOR: _LOOK | _HANDS,
    Role.FINANCE: _LOOK
    | {
        Right.SEE_ACCOUNTS,
        Right.RECHARGE,
        Right.APPROVE_RECHARGES,
        Right.ASK_WITHDRAWALS,
        Right.ASK_ORDER_REFUNDS,
        Right.APPROVE_REFUNDS,
        Right.POST_PAYOUTS,
        Right.ADOPT_CHARGES,
        Right.DECIDE_REVIEWS,
        Right.SEE_PHONES,
        Right.SEE_AUDIT,
    },
    Role.VIEWER: _LOOK,
}

DRIVER = frozenset(
    {
        Right.SEE_ORDERS,
        Right.PLACE_ORDERS,
        Right.STOP_ORDERS,
        Right.SEE_ACCOUNTS,
        Right.SEE_PHONES,
        Right.ASK_WITHDRAWALS,
    }
)
"""What a customer may do, always with the own orders and the own account only."""
