"""What the shipped fault codes are about: category, severity and advice, one theme for many codes.

The severities are ours: the protocol has none. Critical is what may hurt somebody or stops a gun for good; a charge
that could not start or ended early is a warning; a normal end is info. Codes: YKC V1.6 §8, §9 and GB/T 27930-2015.
"""

from dataclasses import dataclass
from enum import StrEnum

from evcs.contracts.alarm import Severity


class FaultCategory(StrEnum):
    """What a fault code is about."""

    EMERGENCY = "emergency"
    """急停、门打开 · emergency stop, open door."""
    ELECTRICAL = "electrical"
    """电气保护 · breakers, contactors, fuses, surge protection, output."""
    INSULATION = "insulation"
    THERMAL = "thermal"
    MODULE = "module"
    """充电模块 · rectifier modules, control boards, fans."""
    CONNECTOR = "connector"
    """枪、电子锁、导引 · connector, electronic lock, control pilot."""
    COMMUNICATION = "communication"
    """车桩通信 · messages between car and charger, and within the pile."""
    METERING = "metering"
    VEHICLE = "vehicle"
    """电池与车辆 · the car and its battery."""
    PAYMENT = "payment"
    NORMAL_END = "normal_end"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Theme:
    """What codes of one kind have in common."""

    category: FaultCategory
    severity: Severity
    advice_zh: str
    advice_en: str


_BMS_TIMEOUT = Theme(
    FaultCategory.COMMUNICATION,
    Severity.WARNING,
    "请车主重新插枪；多台车都出现时检查枪线 CAN 与充电控制板，仅一台车出现时为车辆问题。",
    "Have the plug put in again; with many cars check the cable's CAN and the controller, with one car it is the car.",
)
_BATTERY = Theme(
    FaultCategory.VEHICLE,
    Severity.WARNING,
    "车辆电池报告异常，建议车主联系车企检查；桩侧无需处理。",
    "The car's battery reports it: the driver should have the car checked; nothing is wrong with the pile.",
)
_BATTERY_HOT = Theme(
    FaultCategory.VEHICLE,
    Severity.CRITICAL,
    "电池过温：请车主远离车辆并观察，冷却后再充；反复出现须停止充电并联系车企。",
    "The battery is too hot: keep away and watch the car, charge again when cool; if it comes again have it checked.",
)
_BREAKER = Theme(
    FaultCategory.ELECTRICAL,
    Severity.CRITICAL,
    "停用该桩并断电，由持证电工查明跳闸原因后再合闸。",
    "Take the pile out of use and off the supply; an electrician finds the cause before it is switched on again.",
)
_CONTACTOR = Theme(
    FaultCategory.ELECTRICAL,
    Severity.CRITICAL,
    "停用该枪，检查直流接触器是否粘连或拒合，更换后做空载试验。",
    "Take the gun out of use; look for a welded or stuck DC contactor, replace it and test without load.",
)
_SURGE = Theme(
    FaultCategory.ELECTRICAL,
    Severity.WARNING,
    "检查防雷器指示窗，变红则更换；雷雨后重点巡视。",
    "Look at the surge protector's window and replace it if red; inspect after thunderstorms.",
)
_OUTPUT = Theme(
    FaultCategory.ELECTRICAL,
    Severity.WARNING,
    "对照曲线中的输出与需求电压、电流；换车复现则检查模块与输出回路。",
    "Compare output and demand in the curve; if another car shows it too check modules and output circuit.",
)
_MODULE = Theme(
    FaultCategory.MODULE,
    Severity.WARNING,
    "检查充电模块与风扇的指示灯和通信线，清理滤网，必要时更换模块。",
    "Check lamps and wiring of rectifier modules and fans, clean the filters, replace the module if needed.",
)
_NO_MODULE = Theme(
    FaultCategory.MODULE,
    Severity.CRITICAL,
    "整桩无可用模块，无法充电：检查交流进线与模块通信，派人到场。",
    "No module is usable, the pile cannot charge: check AC supply and module bus; send somebody.",
)
_PLUG = Theme(
    FaultCategory.CONNECTOR,
    Severity.WARNING,
    "请重新插枪到底；反复出现则检查枪头、电子锁与导引电路。",
    "Put the plug in fully again; if it comes again check connector, lock and pilot circuit.",
)
_STOP_BUTTON = Theme(
    FaultCategory.EMERGENCY,
    Severity.CRITICAL,
    "有人按下急停：先联系现场确认人员安全，再旋转复位急停按钮。",
    "Somebody pressed the emergency stop: first make sure that people are safe, then release the button.",
)
_DOOR = Theme(
    FaultCategory.EMERGENCY,
    Severity.CRITICAL,
    "柜门打开，内有高压：确认是否检修；不是检修请立即派人关门上锁。",
    "The cabinet is open and live: make sure it is maintenance, else send somebody at once to close and lock it.",
)
_INSULATION = Theme(
    FaultCategory.INSULATION,
    Severity.CRITICAL,
    "停用该枪并测量枪线绝缘；换车复现则为桩侧问题，受潮后须干燥处理再投运。",
    "Take the gun out of use and measure the cable's insulation; if another car shows it too it is the pile's.",
)
_HOT = Theme(
    FaultCategory.THERMAL,
    Severity.CRITICAL,
    "停止使用该枪，检查枪头与接线端子有无发黑松动，清理风道与滤网。",
    "Stop using the gun; look for black or loose contacts, clean air ducts and filters.",
)
_METER = Theme(
    FaultCategory.METERING,
    Severity.CRITICAL,
    "计量中断，账单按平台打点结算：检查电表供电、RS-485 与地址。",
    "Metering is interrupted, bills rest on our marks: check the meter's supply, RS-485 and address.",
)
_INSIDE = Theme(
    FaultCategory.COMMUNICATION,
    Severity.WARNING,
    "桩内通信中断：检查该模块供电与通信线，必要时远程重启充电桩。",
    "A part of the pile does not answer: check its supply and wiring; restart the pile if needed.",
)
_CARD_READER = Theme(
    FaultCategory.COMMUNICATION,
    Severity.WARNING,
    "刷卡不可用，可继续扫码充电；检查读卡器接线。",
    "Cards cannot be read, the QR code still works; check the reader's wiring.",
)
_BALANCE = Theme(
    FaultCategory.PAYMENT,
    Severity.INFO,
    "余额用完，请用户充值后再充。",
    "The balance was used up; the driver may recharge.",
)
_POWER_LOST = Theme(
    FaultCategory.ELECTRICAL,
    Severity.CRITICAL,
    "桩端断电：检查上级断路器与市电，恢复后核对中断订单。",
    "The pile lost its supply: check breakers and mains, then look at the orders that were interrupted.",
)
_CONTROL = Theme(
    FaultCategory.MODULE,
    Severity.WARNING,
    "控制系统故障：远程重启充电桩；不能恢复则派人检修。",
    "Control system fault: restart the pile from here; if that does not help send somebody.",
)
_LOCKED = Theme(
    FaultCategory.OTHER,
    Severity.WARNING,
    "系统闭锁：查看是否被停用或检修，解除后再用。",
    "The pile is locked: see whether it is out of use for maintenance.",
)
_FORBIDDEN = Theme(
    FaultCategory.VEHICLE,
    Severity.WARNING,
    "车辆禁止充电：请车主检查车辆设置或联系车企。",
    "The car forbids charging: the driver should check its settings or ask its maker.",
)
_ORDERLY = Theme(
    FaultCategory.NORMAL_END,
    Severity.INFO,
    "正常中止条件，无需处理。",
    "An orderly reason to end; nothing is to be done.",
)

_CODES: tuple[tuple[Theme, str], ...] = (
    (_STOP_BUTTON, "bit1 stop_50 stop_72 fault.emergency_stop"),
    (_NO_MODULE, "bit2"),
    (_HOT, "bit3 stop_53 stop_74 fault.connector_hot fault.bms_part_hot fault.charger_hot fault.inside_hot"),
    (_SURGE, "bit4 stop_51 stop_73"),
    (_INSIDE, "bit5 bit9 stop_63"),
    (_INSULATION, "bit6 stop_57 fault.insulation flags2.insulation"),
    (_METER, "bit7 stop_4d stop_6d"),
    (_CARD_READER, "bit8"),
    (_MODULE, "bit10 stop_4f stop_71 fault.no_energy"),
    (_BREAKER, "bit11 stop_4c stop_6c stop_6f stop_70"),
    (_CONTACTOR, "bit12 stop_56 fault.hv_relay"),
    (_DOOR, "bit13"),
    (_CONTROL, "stop_4a stop_64 err8.charger_other reason.abnormal"),
    (_PLUG, "stop_4b stop_55 stop_6b stop_77 fault.connector fault.point2_voltage flags2.connector"),
    (_BALANCE, "stop_4e stop_6e"),
    (_OUTPUT, "stop_75 stop_76 error.over_current error.voltage error.current_mismatch"),
    (_BATTERY, "stop_54 stop_60 stop_61 stop_62 stop_79 stop_7a stop_7b stop_7d stop_7f stop_81"),
    (_BATTERY, "flags1.cell_voltage flags1.soc flags1.over_current err4.bms_other"),
    (_BATTERY_HOT, "stop_7c stop_7e stop_80 fault.battery_hot flags1.over_temperature"),
    (_FORBIDDEN, "stop_82 flags2.charge_forbidden"),
    (_POWER_LOST, "stop_83"),
    (_LOCKED, "stop_6a"),
    (_ORDERLY, "reason.soc_reached reason.voltage_reached reason.cell_voltage_reached reason.charger_stopped"),
    (_ORDERLY, "reason.condition_reached reason.manual reason.bms_stopped"),
    (_BMS_TIMEOUT, "stop_52 stop_59 stop_5a stop_5b stop_5c stop_5d stop_5e stop_5f"),
    (_BMS_TIMEOUT, "stop_84 stop_85 stop_86 stop_87 stop_88 stop_89"),
    (_BMS_TIMEOUT, "err1.spn2560_00_timeout err1.spn2560_aa_timeout err2.time_sync_timeout"),
    (_BMS_TIMEOUT, "err2.charger_ready_timeout err3.charger_status_timeout err3.charger_stop_timeout"),
    (_BMS_TIMEOUT, "err4.charger_statistics_timeout err5.brm_timeout err6.bcp_timeout err6.bro_timeout"),
    (_BMS_TIMEOUT, "err7.bcs_timeout err7.bcl_timeout err7.bst_timeout err8.bsd_timeout"),
)

THEME_OF: dict[str, Theme] = {code: theme for theme, codes in _CODES for code in codes.split()}
"""The theme of a code; what is not named here (reserved codes, "other") has none of its own."""
