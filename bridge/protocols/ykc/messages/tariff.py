"""Checking and fetching the tariff model (YKC V1.6: 0x05, 0x06, 0x09, 0x0A)."""

from decimal import Decimal
from typing import Annotated

from bridge.protocols.fields import Bcd, Enum8, Repeat, Scaled
from bridge.protocols.ykc.codes import TariffCheck
from bridge.protocols.ykc.messages.base import U8, PileNo, YkcMessage

ModelNo = Annotated[str, Bcd(2)]
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
    result: Annotated[TariffCheck | int, Enum8(TariffCheck)]


class TariffRequest(YkcMessage, code=0x09, title="充电桩计费模型请求", source="YKC V1.6 0x09"):
    """Pile → platform, repeated until answered; without a tariff charging is forbidden."""

    pile_no: PileNo


class TariffModel(YkcMessage, code=0x0A, title="计费模型请求应答", source="YKC V1.6 0x0A"):
    """Platform → pile: four bands with an energy and a service price each, and the band of every half hour."""

    pile_no: PileNo
    model_no: ModelNo
    sharp_energy_price: Price
    sharp_service_price: Price
    peak_energy_price: Price
    peak_service_price: Price
    flat_energy_price: Price
    flat_service_price: Price
    valley_energy_price: Price
    valley_service_price: Price
    loss_ratio: U8  # 0: not supported
    slots: Annotated[tuple[int, ...], Repeat(48)]  # slot 0 is 00:00-00:30; 0 sharp, 1 peak, 2 flat, 3 valley
