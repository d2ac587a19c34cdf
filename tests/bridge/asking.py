"""What drivers, cars and chargers say at a pile, as frames by hand."""

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.codes import BatteryType, ChargeMode, GunRole, Outcome, StartFailure, StartMode, YesNo
from bridge.protocols.ykc.messages.bms import CellMax
from evcs.contracts.gun import GunEvent, GunEventKind, Joint, Start
from evcs.contracts.pile import PileCommand, PileCommandKind
from evcs.contracts.reasons import Reason
from evcs.contracts.topics import GUN_EVENT
from tests.bridge.kit import PILE, SERIAL, Desk

CARD = "00000000D14B0A54"
OTHER_CARD = "000000000BADCAFE"
VIN = "LGXC14AA5M0123456"
JOINT = "260302120000"
SERIAL_2 = PILE + "02" + "260302120000" + "0001"


def swiped(
    card: str = CARD,
    *,
    gun: int = 1,
    mode: StartMode | int = StartMode.CARD,
    vin: str = "",
    password: str | None = None,
) -> ykc.StartRequest:
    """0x31."""
    return ykc.StartRequest(
        pile_no=PILE,
        gun_no=ykc.gun_no(gun),
        start_mode=mode,
        need_password=YesNo.NO if password is None else YesNo.YES,
        account_or_card=card.lower(),
        password_md5=password or "0" * 32,
        vin_reversed=vin,
    )


def swiped_for_two(gun: int, card: str = CARD, number: str = JOINT) -> ykc.ParallelStartRequest:
    """0xA1."""
    return ykc.ParallelStartRequest(
        pile_no=PILE,
        gun_no=ykc.gun_no(gun),
        start_mode=StartMode.CARD,
        need_password=YesNo.NO,
        account_or_card=card.lower(),
        password_md5="0" * 32,
        vin_reversed="",
        gun_role=GunRole.MAIN if gun == 1 else GunRole.AUXILIARY,
        parallel_no=number,
    )


def joint_answer(
    serial: str, gun: int, *, ok: bool = True, why: StartFailure | int = StartFailure.NONE
) -> ykc.RemoteParallelStartAnswer:
    """0xA3."""
    return ykc.RemoteParallelStartAnswer(
        trade_no=serial,
        pile_no=PILE,
        gun_no=ykc.gun_no(gun),
        result=Outcome.OK if ok else Outcome.FAILED,
        fail_reason=why,
        gun_role=GunRole.MAIN if gun == 1 else GunRole.AUXILIARY,
        parallel_no=JOINT,
    )


def asked(desk: Desk, gun: int | None = None) -> list[GunEvent]:
    """The questions that were published."""
    return [event for event in desk.of(GUN_EVENT, gun) if event.kind is GunEventKind.CARD_REQUEST]


def answer_command(
    desk: Desk,
    question: str,
    *,
    serial: str = SERIAL,
    allowance_kw: float | None = None,
    joint: Joint | None = None,
    **other: Any,
) -> Start:
    """`G/start` that answers a question at the pile."""
    command = desk.start_command(
        f"start-{question[-8:]}", serial, allowance_kw=allowance_kw, expires_in_s=other.pop("expires_in_s", 10.0)
    )
    return replace(command, card_request=question, printed_card="1234567890", card=CARD, joint=joint, **other)


def refuse(desk: Desk, question: str, reason: Reason, gun: int = 1, command_id: str = "refuse-1") -> None:
    """`P/command` refuse_card."""
    command = PileCommand(
        id=command_id,
        bridge="b1",
        link=desk.pile.link,
        kind=PileCommandKind.REFUSE_CARD,
        expires_at=desk.start_command().expires_at,
        gun=gun,
        card_request=question,
        reason=reason,
    )
    desk.fleet.command(PILE, command, desk.now)


def handshake(serial: str = SERIAL, **other: Any) -> ykc.ChargeHandshake:
    """0x15."""
    values: dict[str, Any] = {
        "trade_no": serial,
        "pile_no": PILE,
        "gun_no": "01",
        "bms_version": "010100",
        "battery_type": BatteryType.LFP,
        "rated_ah": Decimal("280.0"),
        "rated_v": Decimal("398.0"),
        "maker": "CATL",
        "pack_serial": "01020304",
        "made_year": 2023,
        "made_month": 6,
        "made_day": 15,
        "charge_count": 120,
        "ownership": 1,
        "reserved": 0,
        "vin": VIN,
        "bms_sw": "100a0bdf07ffffff",
    }
    return ykc.ChargeHandshake(**{**values, **other})


def parameters(serial: str = SERIAL, **other: Any) -> ykc.ChargeParameters:
    """0x17."""
    values: dict[str, Any] = {
        "trade_no": serial,
        "pile_no": PILE,
        "gun_no": "01",
        "cell_v_max": Decimal("3.65"),
        "bms_i_max": Decimal("200.0"),
        "energy_nominal": Decimal("62.0"),
        "bms_v_max": Decimal("430.0"),
        "temp_max": 55,
        "soc": Decimal("35.2"),
        "battery_v": Decimal("372.1"),
        "pile_v_max": Decimal("750.0"),
        "pile_v_min": Decimal("200.0"),
        "pile_i_max": Decimal("250.0"),
        "pile_i_min": Decimal("1.0"),
    }
    return ykc.ChargeParameters(**{**values, **other})


def demand(serial: str = SERIAL, **other: Any) -> ykc.BmsDemand:
    """0x23, with currents as the CAN bus has them: negative."""
    values: dict[str, Any] = {
        "trade_no": serial,
        "pile_no": PILE,
        "gun_no": "01",
        "need_v": Decimal("430.0"),
        "need_i": Decimal("-120.0"),
        "mode": ChargeMode.CONSTANT_CURRENT,
        "meas_v": Decimal("400.0"),
        "meas_i": Decimal("-99.0"),
        "cell_max": CellMax(Decimal("3.91"), 1),
        "soc": 41,
        "remain_min": 37,
        "pile_v": Decimal("400.0"),
        "pile_i": Decimal("-100.0"),
        "charged_min": 10,
    }
    return ykc.BmsDemand(**{**values, **other})


def battery(serial: str = SERIAL, **other: Any) -> ykc.BmsInformation:
    """0x25; flags2 0x10: charging is allowed, all else is well."""
    values: dict[str, Any] = {
        "trade_no": serial,
        "pile_no": PILE,
        "gun_no": "01",
        "cell_no": 17,
        "temp_max": 33,
        "temp_max_point": 5,
        "temp_min": 21,
        "temp_min_point": 9,
        "flags1": 0,
        "flags2": 0x10,
    }
    return ykc.BmsInformation(**{**values, **other})


def errors(serial: str = SERIAL, **bytes_: int) -> ykc.ChargeError:
    """0x1B."""
    values: dict[str, Any] = {f"err{number}": 0 for number in range(1, 9)}
    return ykc.ChargeError(trade_no=serial, pile_no=PILE, gun_no="01", **{**values, **bytes_})


def bms_abort(serial: str = SERIAL, reason: int = 0, fault: int = 0, error: int = 0) -> ykc.BmsAbort:
    """0x1D."""
    return ykc.BmsAbort(trade_no=serial, pile_no=PILE, gun_no="01", reason=reason, fault=fault, error=error)


def charger_abort(serial: str = SERIAL, reason: int = 0, fault: int = 0, error: int = 0) -> ykc.ChargerAbort:
    """0x21."""
    return ykc.ChargerAbort(trade_no=serial, pile_no=PILE, gun_no="01", reason=reason, fault=fault, error=error)


def charge_end(serial: str = SERIAL, **other: Any) -> ykc.ChargeEnd:
    """0x19."""
    values: dict[str, Any] = {
        "trade_no": serial,
        "pile_no": PILE,
        "gun_no": "01",
        "soc": 80,
        "cell_v_min": Decimal("3.88"),
        "cell_v_max": Decimal("3.91"),
        "temp_min": 20,
        "temp_max": 33,
        "charged_min": 42,
        "energy": Decimal("27.3"),
        "charger_no": 0xFFFFFFFF,
    }
    return ykc.ChargeEnd(**{**values, **other})
