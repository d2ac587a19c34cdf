"""Examples of a charge as it runs: level, live values, register marks, record and its confirmation."""

from decimal import Decimal
from typing import Any

from evcs.contracts import topics
from evcs.contracts.examples.story import CARD, GUN, LOGIN_MS, PILE, SERIAL, VIN, Example, at, of_gun, receipt
from evcs.contracts.gun import BandEnergy, ChargeRecord, GunLevel, MarkReason, MeterMark, RecordConfirm, Telemetry
from evcs.contracts.states import GunState, StartSource, StopClass, TariffBand
from evcs.contracts.times import to_ms

ZERO = Decimal("0.0000")
DRAWN = Decimal("9.2035")

RECORD_FRAME = (
    "68a21d00003b320106000192360124112416081200013201060001923601983a0810180b1a98b71410180b1a00000000000000000000"
    "00000000000000000000000000000000000000000000b1ad01008367010083670100778b010000000000000000000000000000000000"
    "15cd5b070098345d07008367010083670100778b01004c47584331344141354d303132333435360198b71410180b1a4000000000d14b"
    "0a548516"
)

EXAMPLES: tuple[Example[Any], ...] = (
    of_gun(
        topics.GUN_STATE,
        "charging",
        GunLevel(
            receipt=receipt(7),
            login_ms=LOGIN_MS,
            version=to_ms(at(8, 8, 15, 210)),
            pile=PILE,
            gun=GUN,
            state=GunState.CHARGING,
            serial=SERIAL,
            plugged=True,
            since=at(8, 8, 15, 210),
        ),
        "充电中",
        "charging",
    ),
    of_gun(
        topics.GUN_STATE,
        "idle",
        GunLevel(
            receipt=receipt(9),
            login_ms=LOGIN_MS,
            version=to_ms(at(8, 24, 3)),
            pile=PILE,
            gun=GUN,
            state=GunState.IDLE,
            plugged=False,
            since=at(8, 24, 3),
        ),
        "空闲",
        "free",
    ),
    of_gun(
        topics.GUN_STATE,
        "faulted",
        GunLevel(
            receipt=receipt(12),
            login_ms=LOGIN_MS,
            version=to_ms(at(9, 2, 11)),
            pile=PILE,
            gun=GUN,
            state=GunState.FAULTED,
            plugged=False,
            fault_bits=130,
            since=at(9, 2, 11),
        ),
        "故障：第 1、7 位",
        "faulty, with the pile's bits as on the wire",
    ),
    of_gun(
        topics.TELEMETRY,
        "charging",
        Telemetry(
            receipt=receipt(41),
            received_at=at(8, 18, 15, 2),
            pile=PILE,
            gun=GUN,
            state=GunState.CHARGING,
            serial=SERIAL,
            voltage_v=372.4,
            current_a=118.6,
            power_kw=44.167,
            energy_kwh=Decimal("7.3511"),
            soc_pct=36.0,
            cable_temp_c=35,
            battery_temp_max_c=27,
            battery_temp_min_c=24,
            cell_voltage_max_v=3.91,
            demand_voltage_v=430.0,
            demand_current_a=120.0,
            limit_voltage_v=430.0,
            limit_current_a=250.0,
            max_power_kw=107.5,
            elapsed_min=10,
            remaining_min=41,
            cost_fen=Decimal("808.62"),
        ),
        "充电第 10 分钟",
        "ten minutes into the charge",
    ),
    of_gun(
        topics.TELEMETRY,
        "idle",
        Telemetry(receipt=receipt(1), received_at=at(7, 58, 41, 210), pile=PILE, gun=GUN, state=GunState.IDLE),
        "空闲时没有数值",
        "at rest a pile has no values",
    ),
    of_gun(
        topics.METER,
        "periodic",
        MeterMark(
            receipt=receipt(2),
            serial=SERIAL,
            why=MarkReason.PERIODIC,
            received_at=at(8, 13, 15, 4),
            energy_kwh=Decimal("3.6702"),
        ),
        "每 5 分钟的电量",
        "what was drawn after five minutes",
    ),
    of_gun(
        topics.METER,
        "end",
        MeterMark(
            receipt=receipt(4),
            serial=SERIAL,
            why=MarkReason.END,
            received_at=at(8, 20, 47, 310),
            energy_kwh=DRAWN,
            register_kwh=Decimal("12354.8824"),
        ),
        "结束时的电量与表码",
        "what was drawn at the end, with the register",
    ),
    of_gun(
        topics.RECORD,
        "settleable",
        ChargeRecord(
            id="record-1e07e596cfa90113ffaf5549",
            receipt=receipt(1),
            serial=SERIAL,
            pile=PILE,
            gun=GUN,
            received_at=at(8, 20, 48, 120),
            started_at=at(8, 8, 15),
            ended_at=at(8, 20, 47),
            traded_at=at(8, 20, 47),
            bands=(
                BandEnergy(band=TariffBand.SHARP, price_e5=0, energy_kwh=ZERO, loss_energy_kwh=ZERO, amount_e4=0),
                BandEnergy(band=TariffBand.PEAK, price_e5=0, energy_kwh=ZERO, loss_energy_kwh=ZERO, amount_e4=0),
                BandEnergy(
                    band=TariffBand.FLAT,
                    price_e5=110_001,
                    energy_kwh=DRAWN,
                    loss_energy_kwh=DRAWN,
                    amount_e4=101_239,
                ),
                BandEnergy(band=TariffBand.VALLEY, price_e5=0, energy_kwh=ZERO, loss_energy_kwh=ZERO, amount_e4=0),
            ),
            register_start_kwh=Decimal("12345.6789"),
            register_end_kwh=Decimal("12354.8824"),
            energy_kwh=DRAWN,
            loss_energy_kwh=DRAWN,
            amount_e4=101_239,
            vin=VIN,
            card=CARD,
            source=StartSource.APP,
            stop_code=64,
            stop_class=StopClass.NORMAL,
            clock_offset_s=-0.4,
            frame_hex=RECORD_FRAME,
        ),
        "真实桩的一张充电记录：9.2035 kWh，10.1239 元",
        "a real pile's record: 9.2035 kWh, 10.1239 yuan",
    ),
    of_gun(
        topics.CONFIRM,
        "stored",
        RecordConfirm(id="794fbd350b7e49bd8e7dedee5be3c509", serial=SERIAL, result=0),
        "记录已入库，可回复 0x40",
        "the record is stored; the pile may forget it",
    ),
)
