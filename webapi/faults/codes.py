"""Fault codes of the protocols, with what they mean: published as `config/fault_codes/{protocol}`."""

from evcs.contracts.alarm import Severity
from evcs.contracts.config import FaultCode, FaultCodes

_YKC_BITS = (
    ("急停按钮动作故障", "emergency stop pressed", "critical"),
    ("无可用整流模块", "no usable rectifier module", "critical"),
    ("出风口温度过高", "air outlet temperature too high", "warning"),
    ("交流防雷故障", "AC surge protector fault", "warning"),
    ("交直流模块DC20通信中断", "AC/DC module DC20 communication lost", "warning"),
    ("绝缘检测模块FC08通信中断", "insulation monitor FC08 communication lost", "critical"),
    ("电度表通信中断", "energy meter communication lost", "critical"),
    ("读卡器通信中断", "card reader communication lost", "warning"),
    ("RC10通信中断", "RC10 communication lost", "warning"),
    ("风扇调速板故障", "fan speed board fault", "warning"),
    ("直流熔断器故障", "DC fuse fault", "critical"),
    ("高压接触器故障", "HV contactor fault", "critical"),
    ("门打开", "door open", "critical"),
)

TABLES = (
    FaultCodes(
        version=1,
        protocol="ykc",
        codes=tuple(
            FaultCode(code=f"bit{number}", zh=zh, en=en, severity=Severity(severity))
            for number, (zh, en, severity) in enumerate(_YKC_BITS, start=1)
        ),
    ),
)
"""YKC V1.6 §8: Bit1…Bit13 of the hardware faults in 0x13, counted as the text counts them; a changed table needs a
higher version. Which mask Bit1 has is the pile's `fault_bit_base`."""
