"""The two-bit groups of BMS and charger frames."""

import pytest

from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.findings import ALL_GROUPS, GROUPS, findings
from tests.bridge.protocols.recordings import recording

HEAD = {"trade_no": "0" * 32, "pile_no": "55031412000001", "gun_no": "01"}


def error(**bits: int) -> ykc.ChargeError:
    return ykc.ChargeError(**{**HEAD, **{f"err{n}": 0 for n in range(1, 9)}, **bits})


def information(flags1: int = 0, flags2: int = 0x10) -> ykc.BmsInformation:
    return ykc.BmsInformation(
        **HEAD, cell_no=1, temp_max=30, temp_max_point=1, temp_min=20, temp_min_point=2, flags1=flags1, flags2=flags2
    )


def told(message: ykc.YkcMessage) -> list[tuple[str, int, str]]:
    return [(finding.code, finding.value, finding.en) for finding in findings(message)]


def test_the_recorded_frames() -> None:
    sent = ykc.ChargeError.decode(bytes.fromhex(recording("D039")["hex"])[6:-2])
    assert told(sent) == [("err8.bsd_timeout", 1, "BMS statistics timed out")]
    stopped = ykc.BmsAbort.decode(bytes.fromhex(recording("D040")["hex"])[6:-2])
    assert told(stopped) == [("reason.soc_reached", 1, "SOC target reached")]
    well = ykc.BmsInformation.decode(bytes.fromhex(recording("D043")["hex"])[6:-2])
    assert told(well) == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (error(err1=0b01), [("err1.spn2560_00_timeout", 1, "SPN2560=0x00 timed out")]),
        (error(err1=0b1000), [("err1.spn2560_aa_timeout", 2, "SPN2560=0xAA timed out (not trustworthy)")]),
        (error(err7=0b110000), [("err7.bst_timeout", 3, "BMS stop timed out (value 3)")]),
        (error(err4=0b10_1000_00), [("err4.bms_other", 40, "other BMS error")]),
        (error(err1=0b01_000000), [("err1.bits7", 1, "bits 7-8 (undefined)")]),
        (
            ykc.BmsAbort(**HEAD, reason=0b01_00_01_00, fault=0b01 << 14 | 0b01, error=0b0100),
            [
                ("reason.voltage_reached", 1, "total voltage reached"),
                ("reason.charger_stopped", 1, "the charger stopped"),
                ("fault.insulation", 1, "insulation fault"),
                ("fault.other", 1, "other fault"),
                ("error.voltage", 1, "voltage abnormal"),
            ],
        ),
        (
            ykc.ChargerAbort(**HEAD, reason=0b01 << 2, fault=0b01 << 8 | 0b01 << 12, error=0b01),
            [
                ("reason.manual", 1, "stopped by hand"),
                ("fault.emergency_stop", 1, "emergency stop"),
                ("error.current_mismatch", 1, "current mismatch"),
                ("fault.bits13", 1, "bits 13-14 (undefined)"),
            ],
        ),
        (information(0b01), [("flags1.cell_voltage", 1, "cell voltage too high")]),
        (information(0b1010), [("flags1.cell_voltage", 2, "cell voltage too low"), ("flags1.soc", 2, "SOC too low")]),
        (information(0b01 << 6), [("flags1.over_temperature", 1, "battery too hot")]),
        (information(flags2=0), [("flags2.charge_forbidden", 0, "charging forbidden")]),
        (information(flags2=0x11), [("flags2.insulation", 1, "insulation abnormal")]),
    ],
)
def test_what_is_not_normal_is_named(message: ykc.YkcMessage, expected: list[tuple[str, int, str]]) -> None:
    assert told(message) == expected


def test_a_message_without_such_groups_has_none() -> None:
    assert findings(ykc.Heartbeat(pile_no="55031412000001", gun_no="01", gun_state=1)) == ()


@pytest.mark.parametrize("kind", list(GROUPS), ids=lambda kind: kind.__name__)
def test_every_bit_of_every_field_belongs_to_exactly_one_group(kind: type[ykc.YkcMessage]) -> None:
    sizes = {place.name: 8 * place.codec.size for place in kind.plan.places}
    fields = {group.field for group in ALL_GROUPS[kind]}
    bits = [(g.field, bit) for g in ALL_GROUPS[kind] for bit in range(g.first, g.first + g.width)]
    assert sorted(bits) == sorted((field, bit) for field in fields for bit in range(1, sizes[field] + 1))
    codes = [(group.field, group.code) for group in ALL_GROUPS[kind]]
    assert len(set(codes)) == len(codes)
    assert all(group.zh and group.en for group in ALL_GROUPS[kind])
