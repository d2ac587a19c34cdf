"""Examples of configuration as it stands retained."""

from typing import Any

from evcs.contracts import topics
from evcs.contracts.alarm import Severity
from evcs.contracts.config import (
    BandPrice,
    FaultCode,
    FaultCodes,
    GunConfig,
    Lockout,
    PileConfig,
    PileLimits,
    StationConfig,
    TariffRef,
    TariffTable,
    TransformerConfig,
)
from evcs.contracts.examples.story import MODEL_NO, PILE, STATION, TARIFF, TRANSFORMER, Example, at
from evcs.contracts.ids import shard_of
from evcs.contracts.states import TariffBand

SHARP, PEAK, FLAT, VALLEY = TariffBand.SHARP, TariffBand.PEAK, TariffBand.FLAT, TariffBand.VALLEY

PRICES = (
    BandPrice(band=SHARP, energy_price_e5=120_000, service_price_e5=40_000),
    BandPrice(band=PEAK, energy_price_e5=100_000, service_price_e5=40_000),
    BandPrice(band=FLAT, energy_price_e5=70_000, service_price_e5=40_000),
    BandPrice(band=VALLEY, energy_price_e5=30_000, service_price_e5=40_000),
)
SLOTS = (VALLEY,) * 14 + (FLAT,) * 6 + (PEAK,) * 6 + (FLAT,) * 8 + (SHARP,) * 6 + (FLAT,) * 4 + (VALLEY,) * 4
"""As a real pile was given it: valley until 07:00, then flat; peak from 10:00, sharp from 17:00, valley from 22:00."""
PRICES_E5 = tuple(
    next(price.energy_price_e5 + price.service_price_e5 for price in PRICES if price.band is band) for band in SLOTS
)

REF = TariffRef(version=TARIFF, model_no=MODEL_NO)
GUNS = (GunConfig(gun=1, rated_kw=120.0), GunConfig(gun=2, rated_kw=120.0, hand_limit_kw=60.0))
LOCKOUT = Lockout(who="王工", why="更换枪头", since=at(1, 30), until=at(10, 0))

EXAMPLES: tuple[Example[Any], ...] = (
    Example(
        topics.CONFIG_PILE,
        "dc_two_guns",
        topics.CONFIG_PILE.at(pile=PILE),
        PileConfig(
            version=17,
            pile=PILE,
            station=STATION,
            shard=shard_of(STATION),
            protocol="ykc",
            kind="dc",
            rated_kw=120.0,
            guns=GUNS,
            model="DC-120-2",
            wanted_tariff=REF,
            confirmed_tariff=REF,
            delivered_models=(REF,),
            number_only_networks=("10.20.0.0/16",),
        ),
        "双枪直流桩",
        "a direct-current pile with two guns",
    ),
    Example(
        topics.CONFIG_STATION,
        "one_transformer",
        topics.CONFIG_STATION.at(station=STATION),
        StationConfig(
            version=42,
            station=STATION,
            shard=shard_of(STATION),
            tenant="1",
            bucket="evcs/raw",
            transformers=(
                TransformerConfig(
                    transformer=TRANSFORMER, rated_kva=630.0, has_meter=True, base_load_kw=35.0, max_base_load_kw=80.0
                ),
            ),
            piles=(
                PileLimits(
                    pile=PILE,
                    transformer=TRANSFORMER,
                    rated_kw=120.0,
                    guns=(GUNS[0], GunConfig(gun=2, rated_kw=120.0, hand_limit_kw=60.0, lockout=LOCKOUT)),
                ),
            ),
        ),
        "一台变压器、一台桩，2 号枪在检修",
        "one transformer, one pile; gun 2 is locked out",
    ),
    Example(
        topics.CONFIG_TARIFF,
        "four_bands",
        topics.CONFIG_TARIFF.at(version=TARIFF),
        TariffTable(version=1, tariff_version=TARIFF, model_no=MODEL_NO, prices=PRICES, slots=SLOTS),
        "尖峰平谷四个时段的电价",
        "a tariff of four bands",
    ),
    Example(
        topics.CONFIG_FAULT_CODES,
        "ykc",
        topics.CONFIG_FAULT_CODES.at(protocol="ykc"),
        FaultCodes(
            version=1,
            protocol="ykc",
            codes=(
                FaultCode(code="bit1", zh="急停按钮动作故障", en="emergency stop pressed", severity=Severity.CRITICAL),
                FaultCode(code="bit8", zh="读卡器通信中断", en="card reader communication lost"),
            ),
        ),
        "云快充故障位表（节选）",
        "fault bits of the YKC protocol (an extract)",
    ),
)
