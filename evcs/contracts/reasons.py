"""Why something was refused, stopped or set aside: one code each, with what a person can do, in both languages."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """A published code; its meaning never changes, a new one is added beside it."""

    # the gate (rules), in the order in which it looks
    LOCKED_OUT = "locked_out"
    STATION_STOPPED = "station_stopped"
    PILE_OFFLINE = "pile_offline"
    GUN_NOT_PLUGGED = "gun_not_plugged"
    GUN_BUSY = "gun_busy"
    GUN_FAULTED = "gun_faulted"
    STATION_UNKNOWN = "station_unknown"
    ENGINE_NOT_SURE = "engine_not_sure"
    NO_TARIFF = "no_tariff"
    BAND_BLOCKED = "band_blocked"
    BAND_UNKNOWN = "band_unknown"
    OVER_BLOCKED_THRESHOLD = "over_blocked_threshold"
    NO_HEADROOM = "no_headroom"
    FEEDER_FULL = "feeder_full"
    # the way to the pile (bridge)
    CAP_NOT_CONFIRMED = "cap_not_confirmed"
    TARIFF_DIFFERS = "tariff_differs"
    EXPIRED = "expired"
    TIMED_OUT = "timed_out"
    PILE_REFUSED = "pile_refused"
    LINK_LOST = "link_lost"
    NOT_CHARGING = "not_charging"
    PILE_BUSY = "pile_busy"
    NOT_SUPPORTED = "not_supported"
    VALUE_NOT_ALLOWED = "value_not_allowed"
    TARIFF_NOT_WANTED = "tariff_not_wanted"
    TARIFF_NOT_EXPRESSIBLE = "tariff_not_expressible"
    JOINT_CANCELLED = "joint_cancelled"
    # the order (webapi)
    ENGINE_AWAY = "engine_away"
    BALANCE_TOO_LOW = "balance_too_low"
    GOAL_OVER_BALANCE = "goal_over_balance"
    IN_DEBT = "in_debt"
    CUSTOMER_BLOCKED = "customer_blocked"
    GUN_RESERVED_BY_ORDER = "gun_reserved_by_order"
    DATABASE_AWAY = "database_away"
    CARD_UNKNOWN = "card_unknown"
    CARD_BLOCKED = "card_blocked"
    VIN_UNKNOWN = "vin_unknown"
    VEHICLE_BLOCKED = "vehicle_blocked"
    WRONG_PASSWORD = "wrong_password"
    ACCOUNT_NOT_ALLOWED = "account_not_allowed"
    CARD_MODE_UNSUPPORTED = "card_mode_unsupported"
    # stops
    STOPPED_BY_PERSON = "stopped_by_person"
    GOAL_REACHED = "goal_reached"
    HOLD_USED_UP = "hold_used_up"
    UNEXPECTED_CHARGE = "unexpected_charge"
    START_DEADLINE = "start_deadline"
    OVERLOAD_STOPPED = "overload_stopped"
    PROTECTION_STOPPED = "protection_stopped"
    LOCKOUT_STOPPED = "lockout_stopped"
    # the queue
    QUEUE_FULL = "queue_full"
    QUEUE_EXPIRED = "queue_expired"
    QUEUE_LEFT = "queue_left"
    # alarms
    PROTECTION_LOCKED = "protection_locked"
    # logins
    PILE_UNKNOWN = "pile_unknown"
    NETWORK_NOT_ALLOWED = "network_not_allowed"
    GUN_COUNT_DIFFERS = "gun_count_differs"
    WEAKER_PROOF = "weaker_proof"


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is the matter and what to do next, in Chinese and English; `{figures}` are filled in by name."""

    zh: str
    en: str


SENTENCES: dict[Reason, Sentence] = {
    Reason.LOCKED_OUT: Sentence(
        "该设备已停用，请使用其他充电枪。", "This equipment is locked out; please use another gun."
    ),
    Reason.STATION_STOPPED: Sentence(
        "本站已全站停止，暂不能充电。", "The station has been stopped; no charging for now."
    ),
    Reason.PILE_OFFLINE: Sentence(
        "充电桩离线，请换一把枪或稍后再试。", "The pile is offline; use another gun or try again later."
    ),
    Reason.GUN_NOT_PLUGGED: Sentence("请先把充电枪插好，再启动充电。", "Please plug the gun in first, then start."),
    Reason.GUN_BUSY: Sentence("该枪正在充电，请换一把枪。", "This gun is in use; please use another one."),
    Reason.GUN_FAULTED: Sentence("该枪故障，请换一把枪；已通知运维。", "This gun has a fault; please use another one."),
    Reason.STATION_UNKNOWN: Sentence(
        "平台还没有该站点的配置，请联系客服。", "The platform has no configuration of this station."
    ),
    Reason.ENGINE_NOT_SURE: Sentence(
        "系统正在恢复该站点的状态，请半分钟后再试。",
        "The station's state is being restored; try again in half a minute.",
    ),
    Reason.NO_TARIFF: Sentence(
        "充电桩尚未确认电价，暂不能启动；请稍后再试。", "The pile has not confirmed a tariff yet; try again later."
    ),
    Reason.BAND_BLOCKED: Sentence(
        "变压器负荷超过 {blocked_pct}% 后暂停新的充电（现为 {load_pct}%）；"
        "低于 {release_pct}% 满 {retry_s} 秒后重新开放。",
        "New charges wait since the transformer load went over {blocked_pct}% (now {load_pct}%); "
        "they go on after {retry_s} s below {release_pct}%.",
    ),
    Reason.BAND_UNKNOWN: Sentence(
        "变压器电表现在没有有效读数（60 秒以内的才算），暂停新的充电；读数恢复后即可启动。",
        "The transformer's meter gives no valid reading now (at most 60 s old); new charges go on when it reads again.",
    ),
    Reason.OVER_BLOCKED_THRESHOLD: Sentence(
        "变压器负荷 {load_pct}%，加上已预留的共计划 {planned_pct}%，超过 {blocked_pct}%，暂停新的充电；"
        "有车充完后再试。",
        "Transformer load {load_pct}%, with what is reserved {planned_pct}%, is over {blocked_pct}%; "
        "try again when a charge has ended.",
    ),
    Reason.NO_HEADROOM: Sentence(
        "变压器余量不足（计划 {planned_pct}% + 本次 {share_pct}% > {blocked_pct}%）；"
        "计划降到 {room_pct}% 及以下后再试。",
        "Not enough headroom (planned {planned_pct}% + this start {share_pct}% > {blocked_pct}%); "
        "try again when the plan is at {room_pct}% or less.",
    ),
    Reason.FEEDER_FULL: Sentence(
        "馈线 {feeder} 已计划 {feeder_kw} kW，上限 {feeder_limit_kw} kW，余量不足；有车充完后再试，或换一把枪。",
        "Feeder {feeder} has {feeder_kw} of {feeder_limit_kw} kW planned and no room for this start; "
        "try again when a charge there has ended, or use another gun.",
    ),
    Reason.CAP_NOT_CONFIRMED: Sentence(
        "充电桩没有确认限功率，未启动；请重试或换一把枪。",
        "The pile did not confirm its power limit; nothing was started. Try again or use another gun.",
    ),
    Reason.TARIFF_DIFFERS: Sentence(
        "充电桩的电价版本已变，请重新下单。", "The pile's tariff has changed meanwhile; please order again."
    ),
    Reason.EXPIRED: Sentence(
        "启动指令已过期，未启动；请重试。", "The start came too late and was not carried out; try again."
    ),
    Reason.TIMED_OUT: Sentence(
        "充电桩没有应答，未启动；请重试或换一把枪。", "The pile did not answer; try again or use another gun."
    ),
    Reason.PILE_REFUSED: Sentence(
        "充电桩拒绝了指令（{pile_reason}）。", "The pile refused the command ({pile_reason})."
    ),
    Reason.LINK_LOST: Sentence("与充电桩的连接中断。", "The connection to the pile was lost."),
    Reason.NOT_CHARGING: Sentence("该枪没有在充电。", "This gun is not charging."),
    Reason.PILE_BUSY: Sentence(
        "充电桩正在充电，不能执行该操作；请等充电结束后再试。",
        "The pile is charging and cannot do this now; try again when it is idle.",
    ),
    Reason.NOT_SUPPORTED: Sentence(
        "该充电桩的协议不支持此操作。", "This pile's protocol does not know this operation."
    ),
    Reason.VALUE_NOT_ALLOWED: Sentence(
        "参数超出协议允许的范围，未下发；请修改后重试。",
        "A value is outside what the protocol can carry; nothing was sent. Correct it and try again.",
    ),
    Reason.TARIFF_NOT_WANTED: Sentence(
        "下发的电价不是该桩当前应使用的版本，请刷新后重试。",
        "This is not the tariff version that the pile is to have; refresh and try again.",
    ),
    Reason.TARIFF_NOT_EXPRESSIBLE: Sentence(
        "该桩的协议没有“{bands}”费率，无法使用此版本；请为其指派仅含尖峰平谷的版本。",
        "The pile's protocol has no slot for {bands}; assign it a version without that band.",
    ),
    Reason.JOINT_CANCELLED: Sentence(
        "并充的另一把枪未能启动，本枪一并取消。",
        "The other gun of the joint charge could not start; this one was cancelled with it.",
    ),
    Reason.ENGINE_AWAY: Sentence(
        "负荷控制服务暂时不可用，未启动，款项已解冻；请稍后再试。",
        "Load control is away; nothing was started and the hold was released. Try again later.",
    ),
    Reason.BALANCE_TOO_LOW: Sentence(
        "余额 {available_yuan} 元不足 {minimum_yuan} 元，请先充值。",
        "The balance of ¥{available_yuan} is below ¥{minimum_yuan}; please recharge first.",
    ),
    Reason.GOAL_OVER_BALANCE: Sentence(
        "定额 {goal_yuan} 元超过可用余额 {available_yuan} 元，请充值或降低金额。",
        "The goal of ¥{goal_yuan} is above the available balance of ¥{available_yuan}; recharge or lower it.",
    ),
    Reason.IN_DEBT: Sentence(
        "有欠费 {debt_yuan} 元，请先补缴。", "There is a debt of ¥{debt_yuan}; please settle it first."
    ),
    Reason.CUSTOMER_BLOCKED: Sentence(
        "该账户已被冻结，请联系客服。", "This account is blocked; please contact the service."
    ),
    Reason.GUN_RESERVED_BY_ORDER: Sentence("该枪已有进行中的订单。", "This gun already has an open order."),
    Reason.DATABASE_AWAY: Sentence(
        "系统繁忙，未启动；请稍后再试。", "The system is busy; nothing was started. Try again later."
    ),
    Reason.CARD_UNKNOWN: Sentence("该卡未登记，请到平台绑定。", "This card is not registered; please bind it first."),
    Reason.CARD_BLOCKED: Sentence("该卡已被停用，请联系客服。", "This card is blocked; please contact the service."),
    Reason.VIN_UNKNOWN: Sentence(
        "该车辆未登记，请先绑定车架号。", "This vehicle is not registered; please bind its VIN first."
    ),
    Reason.VEHICLE_BLOCKED: Sentence(
        "该车辆已被停用，请联系客服。", "This vehicle is blocked; please contact the service."
    ),
    Reason.WRONG_PASSWORD: Sentence("卡密码错误，请重新输入。", "The card's password is wrong; please try again."),
    Reason.ACCOUNT_NOT_ALLOWED: Sentence("该账户不能使用本充电桩。", "This account may not use this pile."),
    Reason.CARD_MODE_UNSUPPORTED: Sentence(
        "暂不支持账号启动，请刷卡或扫码。", "Starting by account is not supported; use a card or the QR code."
    ),
    Reason.STOPPED_BY_PERSON: Sentence("人工停止。", "Stopped by a person."),
    Reason.GOAL_REACHED: Sentence("已达到设定目标。", "The goal was reached."),
    Reason.HOLD_USED_UP: Sentence("冻结金额已用完，充电停止。", "The held amount was used up; the charge was stopped."),
    Reason.UNEXPECTED_CHARGE: Sentence(
        "平台未预期的充电，已停止。", "A charge that the platform did not expect was stopped."
    ),
    Reason.START_DEADLINE: Sentence(
        "规定时间内没有开始充电，订单已取消，款项已解冻。",
        "Charging did not begin in time; the order was closed and the hold released.",
    ),
    Reason.OVERLOAD_STOPPED: Sentence(
        "变压器过载，为保证安全已停止最后启动的充电。",
        "The transformer was overloaded; the charge that began last was stopped for safety.",
    ),
    Reason.PROTECTION_STOPPED: Sentence(
        "保护规则停止了充电；请换一把枪，并等待运维检查。",
        "A protective rule stopped the charge; use another gun, this one is being looked at.",
    ),
    Reason.LOCKOUT_STOPPED: Sentence(
        "该设备被停用，充电已停止。", "The equipment was locked out and the charge stopped."
    ),
    Reason.QUEUE_FULL: Sentence("排队已满，请稍后再试。", "The queue is full; please try again later."),
    Reason.QUEUE_EXPIRED: Sentence(
        "排队超时，未启动，款项已解冻；请重新下单。",
        "The wait was too long; nothing was started and the hold was released.",
    ),
    Reason.QUEUE_LEFT: Sentence("已退出排队。", "The queue was left."),
    Reason.PROTECTION_LOCKED: Sentence(
        "该设备因告警暂停使用，请换一把枪。", "This equipment is out of use because of an alarm; use another gun."
    ),
    Reason.PILE_UNKNOWN: Sentence("未登记的充电桩。", "The pile is not registered."),
    Reason.NETWORK_NOT_ALLOWED: Sentence(
        "该网络不允许仅凭桩号登录。", "Login by number alone is not allowed from this network."
    ),
    Reason.GUN_COUNT_DIFFERS: Sentence("枪数与登记不符。", "The number of guns differs from the registration."),
    Reason.WEAKER_PROOF: Sentence("已有身份证明更强的连接。", "A connection with stronger proof holds this pile."),
}


def sentence(reason: Reason, **figures: object) -> Sentence:
    """The reason's sentence with its figures filled in; a figure that is missing shows as “—”."""
    raw = SENTENCES[reason]
    filled = _Dashes({name: str(value) for name, value in figures.items()})
    return Sentence(raw.zh.format_map(filled), raw.en.format_map(filled))


class _Dashes(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "—"
