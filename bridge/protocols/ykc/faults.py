"""The hardware fault bits of 0x13 (硬件故障) and their words (YKC V1.6, protocol reference §8)."""

from bridge.protocols.ykc.words import Words

FAULT_BITS: tuple[Words, ...] = (
    Words("急停按钮动作故障", "emergency stop pressed"),
    Words("无可用整流模块", "no usable rectifier module"),
    Words("出风口温度过高", "air outlet temperature too high"),
    Words("交流防雷故障", "AC surge protector fault"),
    Words("交直流模块 DC20 通信中断", "AC/DC module DC20 communication lost"),
    Words("绝缘检测模块 FC08 通信中断", "insulation monitor FC08 communication lost"),
    Words("电度表通信中断", "energy meter communication lost"),
    Words("读卡器通信中断", "card reader communication lost"),
    Words("RC10 通信中断", "RC10 communication lost"),
    Words("风扇调速板故障", "fan speed board fault"),
    Words("直流熔断器故障", "DC fuse fault"),
    Words("高压接触器故障", "HV contactor fault"),
    Words("门打开", "door open"),
)
"""Bit1 … Bit13 of the hardware faults (硬件故障), in the text's own counting."""


def fault_numbers(bits: int, base: int = 0) -> tuple[int, ...]:
    """Which of Bit1 … are set, as numbers of the text.

    `base` is a setting of the pile's model: 0 where Bit1 is mask 0x0001, 1 where Bit1 is mask 0x0002 (then number
    0 is the reserved lowest bit). Numbers beyond 13 are returned too, so that a wrong base never hides a fault.
    """
    first = 1 - base
    return tuple(place + first for place in range(16) if bits >> place & 1)


def fault_words(number: int) -> Words:
    """Words for BitN of the text, also for one without a meaning there."""
    if 1 <= number <= len(FAULT_BITS):
        return FAULT_BITS[number - 1]
    return Words(f"未知故障位 Bit{number}", f"unknown fault Bit{number}")
