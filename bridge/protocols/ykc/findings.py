"""The two-bit groups of 0x1B, 0x1D, 0x21 and 0x25 as a table: what each says, and which of a message are not normal.

Source: YKC V1.6, the notes of these frames; the words are those of GB/T 27930-2015.
"""

from dataclasses import dataclass

from bridge.protocols.ykc.messages import BmsAbort, BmsInformation, ChargeError, ChargerAbort, YkcMessage
from bridge.protocols.ykc.words import Words
from evcs.contracts.gun import Finding


@dataclass(frozen=True, slots=True)
class Group:
    """Some bits of a field. `first` counts from 1, the lowest bit, as the document does."""

    field: str
    first: int
    code: str
    zh: str
    en: str
    two: Words | None = None
    """What the value 2 means; else "not trustworthy", as everywhere in GB/T 27930."""
    normal: int = 0
    width: int = 2

    def value_of(self, bits: int) -> int:
        """The group's bits as a number."""
        return bits >> (self.first - 1) & ((1 << self.width) - 1)

    def words(self, value: int) -> Words:
        """What a value of this group says."""
        if value in (0, 1) or self.width > 2:
            return Words(self.zh, self.en)
        if value == 2:
            return self.two or Words(f"{self.zh}（不可信状态）", f"{self.en} (not trustworthy)")
        return Words(f"{self.zh}（值 {value}）", f"{self.en} (value {value})")


GROUPS: dict[type[YkcMessage], tuple[Group, ...]] = {
    ChargeError: (
        Group("err1", 1, "spn2560_00_timeout", "接收 SPN2560=0x00 的充电机辨识报文超时", "SPN2560=0x00 timed out"),
        Group("err1", 3, "spn2560_aa_timeout", "接收 SPN2560=0xAA 的充电机辨识报文超时", "SPN2560=0xAA timed out"),
        Group(
            "err2",
            1,
            "time_sync_timeout",
            "接收充电机的时间同步和充电机最大输出能力报文超时",
            "time sync and maximum output timed out",
        ),
        Group("err2", 3, "charger_ready_timeout", "接收充电机完成充电准备报文超时", "charger ready timed out"),
        Group("err3", 1, "charger_status_timeout", "接收充电机充电状态报文超时", "charger status timed out"),
        Group("err3", 3, "charger_stop_timeout", "接收充电机中止充电报文超时", "charger stop timed out"),
        Group("err4", 1, "charger_statistics_timeout", "接收充电机充电统计报文超时", "charger statistics timed out"),
        Group("err4", 3, "bms_other", "BMS 其他错误", "other BMS error", width=6),
        Group("err5", 1, "brm_timeout", "接收 BMS 和车辆的辨识报文超时", "BMS and vehicle recognition timed out"),
        Group("err6", 1, "bcp_timeout", "接收电池充电参数报文超时", "battery parameters timed out"),
        Group("err6", 3, "bro_timeout", "接收 BMS 完成充电准备报文超时", "BMS ready timed out"),
        Group("err7", 1, "bcs_timeout", "接收电池充电总状态报文超时", "battery status timed out"),
        Group("err7", 3, "bcl_timeout", "接收电池充电要求报文超时", "battery demand timed out"),
        Group("err7", 5, "bst_timeout", "接收 BMS 中止充电报文超时", "BMS stop timed out"),
        Group("err8", 1, "bsd_timeout", "接收 BMS 充电统计报文超时", "BMS statistics timed out"),
        Group("err8", 3, "charger_other", "充电机其他错误", "other charger error", width=6),
    ),
    BmsAbort: (
        Group("reason", 1, "soc_reached", "达到所需求的 SOC 目标值", "SOC target reached"),
        Group("reason", 3, "voltage_reached", "达到总电压的设定值", "total voltage reached"),
        Group("reason", 5, "cell_voltage_reached", "达到单体电压的设定值", "cell voltage reached"),
        Group("reason", 7, "charger_stopped", "充电机主动中止", "the charger stopped"),
        Group("fault", 1, "insulation", "绝缘故障", "insulation fault"),
        Group("fault", 3, "connector_hot", "输出连接器过温故障", "connector too hot"),
        Group("fault", 5, "bms_part_hot", "BMS 元件、输出连接器过温", "BMS part or connector too hot"),
        Group("fault", 7, "connector", "充电连接器故障", "connector fault"),
        Group("fault", 9, "battery_hot", "电池组温度过高故障", "battery too hot"),
        Group("fault", 11, "hv_relay", "高压继电器故障", "high-voltage relay fault"),
        Group("fault", 13, "point2_voltage", "检测点 2 电压检测故障", "voltage at detection point 2"),
        Group("fault", 15, "other", "其他故障", "other fault"),
        Group("error", 1, "over_current", "电流过大", "current too high"),
        Group("error", 3, "voltage", "电压异常", "voltage abnormal"),
    ),
    ChargerAbort: (
        Group("reason", 1, "condition_reached", "达到充电机设定的条件中止", "set condition reached"),
        Group("reason", 3, "manual", "人工中止", "stopped by hand"),
        Group("reason", 5, "abnormal", "异常中止", "stopped for a fault"),
        Group("reason", 7, "bms_stopped", "BMS 主动中止", "the BMS stopped"),
        Group("fault", 1, "charger_hot", "充电机过温故障", "charger too hot"),
        Group("fault", 3, "connector", "充电连接器故障", "connector fault"),
        Group("fault", 5, "inside_hot", "充电机内部过温故障", "too hot inside the charger"),
        Group("fault", 7, "no_energy", "所需电量不能传送", "the energy cannot be delivered"),
        Group("fault", 9, "emergency_stop", "充电机急停故障", "emergency stop"),
        Group("fault", 11, "other", "其他故障", "other fault"),
        Group("error", 1, "current_mismatch", "电流不匹配", "current mismatch"),
        Group("error", 3, "voltage", "电压异常", "voltage abnormal"),
    ),
    BmsInformation: (
        Group(
            "flags1",
            1,
            "cell_voltage",
            "单体动力蓄电池电压过高",
            "cell voltage too high",
            Words("单体动力蓄电池电压过低", "cell voltage too low"),
        ),
        Group(
            "flags1",
            3,
            "soc",
            "整车动力蓄电池荷电状态 SOC 过高",
            "SOC too high",
            Words("整车动力蓄电池荷电状态 SOC 过低", "SOC too low"),
        ),
        Group("flags1", 5, "over_current", "动力蓄电池充电过电流", "charging current too high"),
        Group("flags1", 7, "over_temperature", "动力蓄电池温度过高", "battery too hot"),
        Group("flags2", 1, "insulation", "动力蓄电池绝缘状态异常", "insulation abnormal"),
        Group("flags2", 3, "connector", "动力蓄电池组输出连接器连接状态异常", "output connector abnormal"),
        # Two bits of which 01 is the good one; 00 forbids.
        Group("flags2", 5, "charge_forbidden", "充电禁止", "charging forbidden", normal=1),
    ),
}

_WIDTHS = {"fault": 16}
"""Bits of the fields; all others have eight."""


def _with_gaps(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """The table, and a group for every pair of bits that it does not name: nothing a pile says is hidden."""
    named = {(group.field, bit) for group in groups for bit in range(group.first, group.first + group.width)}
    gaps = [
        Group(field, bit, f"bits{bit}", f"第 {bit}-{bit + 1} 位（未定义）", f"bits {bit}-{bit + 1} (undefined)")
        for field in dict.fromkeys(group.field for group in groups)
        for bit in range(1, _WIDTHS.get(field, 8), 2)
        if (field, bit) not in named
    ]
    return (*groups, *gaps)


ALL_GROUPS = {kind: _with_gaps(groups) for kind, groups in GROUPS.items()}


def findings(message: YkcMessage) -> tuple[Finding, ...]:
    """What is not normal in a message, in the order of the table; empty for a message without such groups.

    `value` is 1 to 3 as on the wire, up to 63 where the document leaves six bits to "other", and 0 for
    `flags2.charge_forbidden`, whose normal value is 1.
    """
    found = []
    for group in ALL_GROUPS.get(type(message), ()):
        value = group.value_of(getattr(message, group.field))
        if value != group.normal:
            words = group.words(value)
            found.append(Finding(code=f"{group.field}.{group.code}", value=value, zh=words.zh, en=words.en))
    return tuple(found)
