"""Checking and fetching the tariff model, and pushing it (YKC V1.6: 0x05, 0x06, 0x09, 0x0A, 0x58, 0x57)."""

from decimal import Decimal
from typing import Annotated

from bridge.protocols.fields import Bcd, Enum8, Repeat, Scaled
from bridge.protocols.layout import Layout, Named
from bridge.protocols.ykc.codes import Band, Outcome, TariffCheck
from bridge.protocols.ykc.messages.base import U8, PileNo, YkcMessage

ModelNo = Annotated[str, Bcd(2), Named("计费模型编号", "tariff number", "0000: none")]
"""计费模型编号: four digits, "0000" where the pile has none."""
Price = Annotated[Decimal, Scaled(4, "0.00001", "yuan/kWh")]


class TariffCheckRequest(YkcMessage, code=0x05, title="计费模型验证请求", source="YKC V1.6 0x05"):
    """Pile → platform, after login, repeated until answered."""

    pile_no: PileNo
    model_no: ModelNo


class TariffCheckAnswer(YkcMessage, code=0x06, title="计费模型验证请求应答", source="YKC V1.6 0x06"):
    """Platform → pile; DIFFERENT obliges the pile to send 0x09."""

    pile_no: PileNo
    model_no: ModelNo
    result: Annotated[TariffCheck | int, Enum8(TariffCheck), Named("验证结果", "check result")]


class TariffRequest(YkcMessage, code=0x09, title="充电桩计费模型请求", source="YKC V1.6 0x09"):
    """Pile → platform, repeated until answered; without a tariff charging is forbidden."""

    pile_no: PileNo


class TariffFields(Layout):
    """Four bands with an energy and a service price each, and the band of every half hour."""

    pile_no: PileNo
    model_no: ModelNo
    sharp_energy_price: Annotated[Price, Named("尖电费费率", "sharp energy price")]
    sharp_service_price: Annotated[Price, Named("尖服务费费率", "sharp service price")]
    peak_energy_price: Annotated[Price, Named("峰电费费率", "peak energy price")]
    peak_service_price: Annotated[Price, Named("峰服务费费率", "peak service price")]
    flat_energy_price: Annotated[Price, Named("平电费费率", "flat energy price")]
    flat_service_price: Annotated[Price, Named("平服务费费率", "flat service price")]
    valley_energy_price: Annotated[Price, Named("谷电费费率", "valley energy price")]
    valley_service_price: Annotated[Price, Named("谷服务费费率", "valley service price")]
    loss_ratio: Annotated[U8, Named("计损比例", "loss ratio", "0: not supported")]
    slots: Annotated[
        tuple[int, ...],
        Repeat(48),
        Named("时段费率号", "band of each half hour", "slot 0 is 00:00-00:30", codes=Band),
    ]


class TariffModel(TariffFields, YkcMessage, code=0x0A, title="计费模型请求应答", source="YKC V1.6 0x0A"):
    """Platform → pile, the answer to 0x09."""


class TariffPush(TariffFields, YkcMessage, code=0x58, title="计费模型设置", source="YKC V1.6 0x58"):
    """Platform → pile on its own account, only while the pile is idle; the same table as 0x0A."""


class TariffPushAnswer(YkcMessage, code=0x57, title="计费模型应答", source="YKC V1.6 0x57"):
    """Pile → platform: whether it took the table."""

    pile_no: PileNo
    result: Annotated[Outcome | int, Enum8(Outcome), Named("设置结果", "result")]
