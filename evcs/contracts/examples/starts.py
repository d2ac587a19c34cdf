"""Examples of what the gate lets through and ends, what became of it, and what the gate holds."""

from typing import Any

from evcs.contracts import topics
from evcs.contracts.examples.config import PRICES_E5
from evcs.contracts.examples.gate import ADMITTED, COVERED, GOAL
from evcs.contracts.examples.story import (
    BRIDGE,
    CARD,
    CARD_REQUEST,
    GUN,
    LINK,
    PILE,
    PRINTED_CARD,
    REQUEST,
    SERIAL,
    TARIFF,
    Example,
    at,
    of_gun,
    receipt,
)
from evcs.contracts.gun import GunReply, Start, Stop
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.session import Held, SessionLevel
from evcs.contracts.states import CapState
from evcs.contracts.times import to_ms

START = f"start-{REQUEST}"
STOP = f"{SERIAL}-stop-{to_ms(at(8, 20, 46))}"

EXAMPLES: tuple[Example[Any], ...] = (
    of_gun(
        topics.START,
        "by_card",
        Start(
            id=START,
            bridge=BRIDGE,
            link=LINK,
            serial=SERIAL,
            balance_fen=100_000,
            allowance_kw=60.0,
            tariff_version=TARIFF,
            card=CARD,
            printed_card=PRINTED_CARD,
            card_request=CARD_REQUEST,
            expires_at=at(8, 8, 21, 640),
        ),
        "获准的刷卡启动：先限到 60 kW，再回复桩",
        "an admitted start by card: the cap first, then the answer to the pile",
    ),
    of_gun(
        topics.STOP,
        "goal_reached",
        Stop(id=STOP, bridge=BRIDGE, link=LINK, serial=SERIAL, why=Reason.GOAL_REACHED, expires_at=at(8, 20, 56)),
        "达到目标，停止充电",
        "end the charge: its goal is reached",
    ),
    of_gun(
        topics.STOP,
        "station_stop",
        Stop(
            id="stop-9e8d7c6b5a4f4e3d2c1b0a9f8e7d6c5b",
            bridge=BRIDGE,
            link=LINK,
            serial=None,
            why=Reason.STATION_STOPPED,
            expires_at=at(8, 20, 56),
        ),
        "全站停止：无论在充哪一单",
        "a station stop: whatever runs",
    ),
    of_gun(
        topics.GUN_REPLY,
        "start_accepted",
        GunReply(
            id=START,
            receipt=receipt(1),
            serial=SERIAL,
            command="start",
            outcome=Outcome.ACCEPTED,
            allowance_kw=60.0,
            received_at=at(8, 8, 15, 210),
            frame_hex="681edc0000333201060001923601241124160812000132010600019236010100429e",
        ),
        "启动成功，桩确认限到 60 kW",
        "the charge has begun with the confirmed cap",
    ),
    of_gun(
        topics.GUN_REPLY,
        "start_refused",
        GunReply(
            id=START,
            receipt=receipt(2),
            serial=SERIAL,
            command="start",
            outcome=Outcome.REFUSED,
            reason=Reason.GUN_NOT_PLUGGED,
            pile_code=5,
            pile_text_zh="未插枪",
            pile_text_en="gun not plugged in",
            received_at=at(8, 9, 15, 211),
            frame_hex="681edc0000333201060001923601241124160812000132010600019236010005830d",
        ),
        "桩拒绝启动：未插枪",
        "the pile refuses: not plugged in",
    ),
    of_gun(
        topics.SESSION,
        "held",
        SessionLevel(
            version=to_ms(at(8, 8, 15, 240)),
            pile=PILE,
            gun=GUN,
            held=Held(
                serial=SERIAL,
                goal=GOAL,
                covered_kwh=COVERED,
                price_e5=PRICES_E5,
                reserved_kw=15.833,
                cap_kw=60.0,
                bound_by="transformer",
                cap_state=CapState.CONFIRMED,
                admitted_at=ADMITTED,
                start_id=START,
                request_id=REQUEST,
            ),
            allowance_sent_kw=60.0,
            allowance_confirmed_kw=60.0,
        ),
        "一次充电及为它预留的功率",
        "a session and the power that is kept for it",
    ),
    of_gun(
        topics.SESSION,
        "none",
        SessionLevel(
            version=to_ms(at(8, 20, 48)),
            pile=PILE,
            gun=GUN,
            allowance_sent_kw=120.0,
            allowance_confirmed_kw=120.0,
        ),
        "没有充电",
        "no session; the pile's cap is lifted",
    ),
)
