"""Examples of what the gate is asked and what it says."""

from decimal import Decimal
from typing import Any

from evcs.contracts import topics
from evcs.contracts.examples.config import PRICES_E5
from evcs.contracts.examples.services import RULES_SINCE_MS
from evcs.contracts.examples.story import (
    CARD,
    CARD_REQUEST,
    PRINTED_CARD,
    REQUEST,
    SERIAL,
    TARIFF,
    TRANSFORMER,
    Example,
    at,
    of_gun,
)
from evcs.contracts.gun import (
    AskRequest,
    Figures,
    Goal,
    Joint,
    JointRole,
    LeaveQueue,
    LongerHold,
    Resume,
    StartRequest,
    Verdict,
    VerdictKind,
)
from evcs.contracts.reasons import Reason, sentence
from evcs.contracts.states import GoalKind, StartSource
from evcs.contracts.times import to_ms

GOAL = Goal(kind=GoalKind.AMOUNT, amount_fen=100_000)
COVERED = Decimal("625.0000")
"""What 1000.00 yuan buy at the dearest price of the day, 1.60 yuan/kWh."""
ADMITTED = at(8, 8, 12, 44)
ADMITTED_ON = Figures(
    transformer=TRANSFORMER,
    band="limited",
    load_pct=52.4,
    planned_pct=52.4,
    share_pct=10.13,
    limited_pct=50.0,
    blocked_pct=80.0,
    source="meter",
)
BLOCKED_ON = Figures(
    transformer=TRANSFORMER,
    band="blocked",
    load_pct=83.1,
    planned_pct=83.1,
    limited_pct=50.0,
    blocked_pct=80.0,
    source="meter",
    retry_after_s=60,
)
BLOCKED = sentence(Reason.BAND_BLOCKED, blocked_pct=80, load_pct=83.1)
REACHED = sentence(Reason.GOAL_REACHED)

REQUESTS: tuple[Example[Any], ...] = (
    of_gun(
        topics.REQUEST,
        "start",
        StartRequest(
            id=REQUEST,
            serial=SERIAL,
            goal=GOAL,
            source=StartSource.CARD,
            tariff_version=TARIFF,
            balance_fen=100_000,
            covered_kwh=COVERED,
            price_e5=PRICES_E5,
            card=CARD,
            printed_card=PRINTED_CARD,
            card_request=CARD_REQUEST,
            expires_at=at(8, 8, 21, 640),
        ),
        "刷卡订单请求启动，冻结 1000.00 元",
        "an order by card, whose hold of 1000.00 yuan the pile gets as its balance",
    ),
    of_gun(
        topics.REQUEST,
        "start_joint",
        StartRequest(
            id="5b1c0f6d2e3a4b5c8d7e6f5a4b3c2d1e",
            serial=SERIAL,
            goal=Goal(kind=GoalKind.FULL),
            source=StartSource.APP,
            tariff_version=TARIFF,
            balance_fen=100_000,
            covered_kwh=COVERED,
            price_e5=PRICES_E5,
            joint=Joint(number="261124160812", role=JointRole.MAIN),
            expires_at=at(8, 8, 42),
        ),
        "双枪并充的主枪",
        "the main gun of two on one car",
    ),
    of_gun(
        topics.REQUEST,
        "start_waits",
        StartRequest(
            id="6d7e8f9a0b1c2d3e4f5061728394a5b6",
            serial=SERIAL,
            goal=Goal(kind=GoalKind.FULL),
            source=StartSource.APP,
            tariff_version=TARIFF,
            balance_fen=100_000,
            covered_kwh=COVERED,
            price_e5=PRICES_E5,
            may_queue=True,
            queued_since=at(8, 8, 12),
            queue_until=at(8, 38, 12),
            rules_since_ms=RULES_SINCE_MS,
            expires_at=at(8, 38, 12),
        ),
        "规则引擎重启后，排队中的订单再次请求，名次不变",
        "an order that waits already, repeated to a rules that just started: it keeps its place",
    ),
    of_gun(
        topics.REQUEST,
        "ask",
        AskRequest(id="0b8a7c6d5e4f40318293a4b5c6d7e8f9", expires_at=at(8, 7, 53)),
        "现在启动会不会被允许？（不占用功率）",
        "would a start be admitted now? Reserves nothing",
    ),
    of_gun(
        topics.REQUEST,
        "longer_hold",
        LongerHold(
            id="7c6b5a4938271605f4e3d2c1b0a99887",
            serial=SERIAL,
            covered_kwh=Decimal("750.0000"),
            expires_at=at(8, 17, 30),
        ),
        "冻结增加，可充电量变为 750 kWh",
        "the hold now covers 750 kWh",
    ),
    of_gun(
        topics.REQUEST,
        "leave_queue",
        LeaveQueue(id="1f2e3d4c5b6a79880716253443526170", serial=SERIAL, expires_at=at(8, 9, 30)),
        "司机不再排队",
        "the driver does not wait any more",
    ),
    of_gun(
        topics.REQUEST,
        "resume",
        Resume(
            id="2a3b4c5d6e7f80910a1b2c3d4e5f6071",
            rules_since_ms=RULES_SINCE_MS,
            serial=SERIAL,
            goal=GOAL,
            covered_kwh=COVERED,
            price_e5=PRICES_E5,
            charging_since=at(8, 8, 15, 210),
            cap_kw=60.0,
            expires_at=at(8, 15, 30),
        ),
        "规则引擎重启后，被告知一张未完成的订单",
        "an open order, told to an engine that just started",
    ),
)

VERDICTS: tuple[Example[Any], ...] = (
    of_gun(
        topics.VERDICT,
        "admitted",
        Verdict(
            id=f"verdict-{REQUEST}",
            request=REQUEST,
            serial=SERIAL,
            kind=VerdictKind.ADMITTED,
            figures=ADMITTED_ON,
            cap_kw=60.0,
            covered_kwh=COVERED,
            goal=GoalKind.AMOUNT,
            decided_at=ADMITTED,
        ),
        "负荷超过 50%，允许启动但限到半功率",
        "over 50 % load: admitted with half the gun's power",
    ),
    of_gun(
        topics.VERDICT,
        "queued",
        Verdict(
            id=f"queued-{REQUEST}",
            request=REQUEST,
            serial=SERIAL,
            kind=VerdictKind.QUEUED,
            reason=Reason.BAND_BLOCKED,
            figures=BLOCKED_ON,
            goal=GoalKind.AMOUNT,
            position=2,
            queue_until=at(8, 38, 12, 44),
            zh="排队第 2 位：变压器负荷超过 80.0%，暂停新的充电（现为 83.1%）；"
            "负荷允许后自动启动，请保持插枪，最迟等到 16:38。",
            en="Place 2 in the queue: the transformer load went over 80.0% (now 83.1%). "
            "It starts by itself when the load allows; keep the plug in. It waits until 16:38 at the latest.",
            decided_at=ADMITTED,
        ),
        "负荷超过 80%，排队等待",
        "over 80 % load: the order waits",
    ),
    of_gun(
        topics.VERDICT,
        "refused",
        Verdict(
            id=f"verdict-{REQUEST}",
            request=REQUEST,
            serial=SERIAL,
            kind=VerdictKind.REFUSED,
            reason=Reason.BAND_BLOCKED,
            figures=BLOCKED_ON,
            zh=BLOCKED.zh,
            en=BLOCKED.en,
            decided_at=ADMITTED,
        ),
        "负荷超过 80%，拒绝启动，一分钟后可再试",
        "over 80 % load: refused, to be tried again in a minute",
    ),
    of_gun(
        topics.VERDICT,
        "ask_answer",
        Verdict(
            id="verdict-0b8a7c6d5e4f40318293a4b5c6d7e8f9",
            request="0b8a7c6d5e4f40318293a4b5c6d7e8f9",
            kind=VerdictKind.ASK_ANSWER,
            would_admit=True,
            figures=ADMITTED_ON,
            cap_kw=60.0,
            decided_at=at(8, 7, 50, 12),
        ),
        "可以启动，限 60 kW",
        "a start would be admitted with 60 kW",
    ),
    of_gun(
        topics.VERDICT,
        "hold_low",
        Verdict(
            id=f"{SERIAL}-hold-{to_ms(at(8, 17))}",
            serial=SERIAL,
            kind=VerdictKind.HOLD_LOW,
            covered_kwh=COVERED,
            goal=GoalKind.AMOUNT,
            decided_at=at(8, 17),
        ),
        "冻结金额快用完",
        "the hold is nearly used up",
    ),
    of_gun(
        topics.VERDICT,
        "goal_reached",
        Verdict(
            id=f"{SERIAL}-goal_reached",
            serial=SERIAL,
            kind=VerdictKind.GOAL_REACHED,
            reason=Reason.GOAL_REACHED,
            covered_kwh=COVERED,
            goal=GoalKind.AMOUNT,
            zh=REACHED.zh,
            en=REACHED.en,
            decided_at=at(8, 20, 46),
        ),
        "达到设定目标，正在停止",
        "the goal is reached; a stop goes out",
    ),
)

EXAMPLES: tuple[Example[Any], ...] = (*REQUESTS, *VERDICTS)
