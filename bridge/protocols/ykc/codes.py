"""The codes of YKC V1.6 with their words; stop reasons, fault bits and two-bit groups have files of their own."""

from bridge.protocols.ykc.faults import fault_numbers, fault_words
from bridge.protocols.ykc.stop_reasons import (
    APP_STOP,
    CONTROL_SYSTEM_FAULT,
    EMERGENCY_STOP,
    ENERGY_LIMIT,
    MANUAL_STOP,
    MONEY_LIMIT,
    NO_CURRENT,
    PACK_TOO_HOT,
    PLUG_PULLED,
    POWER_LOST,
    SOC_FULL,
    START_BMS_TIMEOUT,
    START_NOT_READY,
    STOP_REASONS,
    TIME_LIMIT,
    UNKNOWN_STOP,
    StopReason,
    stop_class,
    stop_reason,
)
from bridge.protocols.ykc.words import Coded, Words

__all__ = [
    "APP_STOP",
    "CONTROL_SYSTEM_FAULT",
    "EMERGENCY_STOP",
    "ENERGY_LIMIT",
    "MANUAL_STOP",
    "MONEY_LIMIT",
    "NO_CURRENT",
    "PACK_TOO_HOT",
    "PLUG_PULLED",
    "POWER_LOST",
    "SOC_FULL",
    "START_BMS_TIMEOUT",
    "START_NOT_READY",
    "STOP_REASONS",
    "TIME_LIMIT",
    "UNKNOWN_STOP",
    "Coded",
    "StopReason",
    "Words",
    "fault_numbers",
    "fault_words",
    "stop_class",
    "stop_reason",
]


class YesNo(Coded):
    """`plugged` of 0x13, `need_password` of 0x31."""

    NO = 0, "否", "no"
    YES = 1, "是", "yes"


class GunState(Coded):
    """0x13 `state` (状态)."""

    OFFLINE = 0, "离线", "offline"
    FAULT = 1, "故障", "fault"
    IDLE = 2, "空闲", "idle"
    CHARGING = 3, "充电", "charging"


class GunHealth(Coded):
    """0x03 `gun_state` (枪状态)."""

    NORMAL = 0, "正常", "normal"
    FAULT = 1, "故障", "fault"


class GunHome(Coded):
    """0x13 `gun_home` (枪是否归位)."""

    AWAY = 0, "否", "no"
    HOME = 1, "是", "yes"
    UNKNOWN = 2, "未知", "unknown"


class PileType(Coded):
    """0x01 `pile_type` (桩类型). 0x94 counts differently: UpdateModel."""

    DC = 0, "直流桩", "DC"
    AC = 1, "交流桩", "AC"


class Network(Coded):
    """0x01 `network` (网络链接类型)."""

    SIM = 0, "SIM 卡", "SIM"
    LAN = 1, "LAN", "LAN"
    WAN = 2, "WAN", "WAN"
    OTHER = 3, "其他", "other"


class Operator(Coded):
    """0x01 `operator` (运营商); 1 has no meaning."""

    MOBILE = 0, "移动", "China Mobile"
    TELECOM = 2, "电信", "China Telecom"
    UNICOM = 3, "联通", "China Unicom"
    OTHER = 4, "其他", "other"


class LoginResult(Coded):
    """0x02 `result` (登陆结果)."""

    OK = 0, "登录成功", "logged in"
    REFUSED = 1, "登录失败", "refused"


class TariffCheck(Coded):
    """0x06 `result` (验证结果); DIFFERENT obliges the pile to send 0x09."""

    SAME = 0, "与平台一致", "same"
    DIFFERENT = 1, "与平台不一致", "different"


class Outcome(Coded):
    """The result byte of 0x33, 0x35, 0x51 and most other answers."""

    FAILED = 0, "失败", "failed"
    OK = 1, "成功", "ok"


class RecordResult(Coded):
    """0x40 `result` (确认结果): STORED means received and stored, not settled."""

    STORED = 0, "上传成功", "stored"
    ILLEGAL = 1, "非法账单", "illegal bill"


class WorkPermission(Coded):
    """0x52 `disabled` (是否允许工作): inverted against intuition."""

    ALLOWED = 0, "允许正常工作", "allowed"
    LOCKED = 1, "停止使用，锁定充电桩", "locked"


class StartKind(Coded):
    """0x3B `trade_flag` (交易标识). Captured bills also hold 0, 3 and 9."""

    APP = 1, "APP 启动", "app"
    CARD = 2, "卡启动", "card"
    OFFLINE_CARD = 4, "离线卡启动", "offline card"
    VIN = 5, "VIN 码启动", "VIN"


class Band(Coded):
    """A slot of the tariff model (时段费率号)."""

    SHARP = 0, "尖", "sharp"
    PEAK = 1, "峰", "peak"
    FLAT = 2, "平", "flat"
    VALLEY = 3, "谷", "valley"
    DEEP = 4, "深谷", "deep valley"


class StartFailure(Coded):
    """0x33 and 0xA3 `fail_reason` (失败原因)."""

    NONE = 0, "无", "none"
    WRONG_PILE = 1, "设备编号不匹配", "pile number mismatch"
    ALREADY_CHARGING = 2, "枪已在充电", "gun already charging"
    DEVICE_FAULT = 3, "设备故障", "device fault"
    DEVICE_OFFLINE = 4, "设备离线", "device offline"
    NOT_PLUGGED = 5, "未插枪", "gun not plugged in"


class StopFailure(Coded):
    """0x35 `fail_reason` (失败原因)."""

    NONE = 0, "无", "none"
    WRONG_PILE = 1, "设备编号不匹配", "pile number mismatch"
    NOT_CHARGING = 2, "枪未处于充电状态", "gun not charging"
    OTHER = 3, "其他", "other"


class StartMode(Coded):
    """0x31 and 0xA1 `start_mode` (启动方式)."""

    CARD = 1, "刷卡启动", "card"
    ACCOUNT = 2, "账号启动（暂不支持）", "account (unsupported)"
    VIN = 3, "VIN 码启动", "VIN"


class StartRefusal(Coded):
    """0x32 and 0xA2 `fail_reason` (失败原因)."""

    NONE = 0x00, "无", "none"
    ACCOUNT_UNKNOWN = 0x01, "账户不存在", "account does not exist"
    ACCOUNT_FROZEN = 0x02, "账户冻结", "account frozen"
    BALANCE_TOO_LOW = 0x03, "账户余额不足", "balance too low"
    CARD_UNPAID = 0x04, "该卡存在未结账记录", "card has an unpaid record"
    PILE_OUT_OF_SERVICE = 0x05, "桩停用", "pile out of service"
    ACCOUNT_NOT_ALLOWED = 0x06, "该账户不能在此桩上充电", "account may not use this pile"
    WRONG_PASSWORD = 0x07, "密码错误", "wrong password"
    STATION_FULL = 0x08, "电站电容不足", "station capacity exceeded"
    VIN_UNKNOWN = 0x09, "系统中 VIN 码不存在", "VIN unknown"
    PILE_UNPAID = 0x0A, "该桩存在未结账记录", "pile has an unpaid record"
    NO_CARDS_HERE = 0x0B, "该桩不支持刷卡", "pile does not support cards"


class BatteryType(Coded):
    """0x15 `battery_type` (BMS电池类型). The document writes 氢 (hydrogen) where GB/T 27930 has NiMH."""

    LEAD_ACID = 0x01, "铅酸电池", "lead-acid"
    NIMH = 0x02, "镍氢电池", "NiMH"
    LFP = 0x03, "磷酸铁锂电池", "LFP"
    LMO = 0x04, "锰酸锂电池", "LMO"
    LCO = 0x05, "钴酸锂电池", "LCO"
    NMC = 0x06, "三元材料电池", "NMC"
    LI_POLYMER = 0x07, "聚合物锂离子电池", "Li-polymer"
    LTO = 0x08, "钛酸锂电池", "LTO"
    OTHER = 0xFF, "其他", "other"


class Ownership(Coded):
    """0x15 `ownership` (产权标识)."""

    LEASED = 0, "租赁", "leased"
    OWNED = 1, "车自有", "owned"


class ChargeMode(Coded):
    """0x23 `mode` (充电模式)."""

    CONSTANT_VOLTAGE = 1, "恒压充电", "constant voltage"
    CONSTANT_CURRENT = 2, "恒流充电", "constant current"


class BalanceResult(Coded):
    """0x41 `result` (修改结果)."""

    OK = 0, "修改成功", "ok"
    WRONG_PILE = 1, "设备编号错误", "pile number wrong"
    WRONG_CARD = 2, "卡号错误", "card wrong"


class CardStoreFailure(Coded):
    """0x43 `fail_reason` (失败原因)."""

    NONE = 0, "无", "none"
    BAD_NUMBER = 1, "卡号格式错误", "bad card number format"
    NO_SPACE = 2, "储存空间不足", "no space"


class CardClearFailure(Coded):
    """The reason byte of a card in 0x45 (失败原因); the first row of the document's table has 2 = cleared."""

    NONE = 0, "无", "none"
    BAD_NUMBER = 1, "卡号格式错误", "bad card number format"
    CLEARED = 2, "清除成功", "cleared"


class CardPresence(Coded):
    """The result byte of a card in 0x47 (查询结果)."""

    ABSENT = 0, "不存在", "absent"
    PRESENT = 1, "存在", "present"


class LockState(Coded):
    """0x61 `lock_state` (车位锁状态)."""

    BETWEEN = 0x00, "未到位状态", "not in position"
    RAISED = 0x55, "升锁到位", "raised"
    LOWERED = 0xFF, "降锁到位", "lowered"


class BayState(Coded):
    """0x61 `bay_state` (车位状态)."""

    EMPTY = 0x00, "无车辆", "empty"
    OCCUPIED = 0xFF, "停放车辆", "occupied"


class LockAlarm(Coded):
    """0x61 `alarm` (报警状态)."""

    NONE = 0x00, "正常无报警", "none"
    NOT_IN_POSITION = 0x55, "摇臂升降异常（未到位）", "arm did not reach position"
    ARM_DAMAGED = 0xFF, "待机状态摇臂破坏", "arm damaged in standby"


class LockAction(Coded):
    """0x62 `action` (升/降地锁)."""

    RAISE = 0x55, "升锁", "raise"
    LOWER = 0xFF, "降锁", "lower"


class RunMode(Coded):
    """0x92 and 0x94 `mode` (执行控制)."""

    AT_ONCE = 1, "立即执行", "at once"
    WHEN_IDLE = 2, "空闲执行", "when idle"


class UpdateModel(Coded):
    """0x94 `model` (桩型号): one more than PileType."""

    DC = 1, "直流", "DC"
    AC = 2, "交流", "AC"


class UpdateStatus(Coded):
    """0x93 `status` (升级状态). A known pile answers OK at once: then it means accepted."""

    OK = 0, "成功", "ok"
    WRONG_PILE = 1, "编号错误", "pile number wrong"
    WRONG_MODEL = 2, "程序与桩型号不符", "program does not match model"
    TIMED_OUT = 3, "下载更新文件超时", "download timeout"


class GunRole(Coded):
    """0xA1 and 0xA3 `gun_role` (主辅枪标记)."""

    MAIN = 0, "主枪", "main"
    AUXILIARY = 1, "辅枪", "auxiliary"


class QrKind(Coded):
    """0xF0 `kind` (二维码格式)."""

    PILE = 0, "前缀 + 桩编号", "prefix + pile number"
    GUN = 1, "前缀 + 桩编号 + 枪号", "prefix + pile number + gun number"


class QrResult(Coded):
    """0xF1 `result` (下发结果). One vendor's text has it the other way round."""

    OK = 0, "成功", "ok"
    FAILED = 1, "失败", "failed"


def start_failure(code: int) -> Words:
    """Words for a 0x33 reason, also for one that we do not know."""
    return _reason(StartFailure, code)


def stop_failure(code: int) -> Words:
    """Words for a 0x35 reason, also for one that we do not know."""
    return _reason(StopFailure, code)


def _reason(codes: type[Coded], code: int) -> Words:
    known = codes.words(code)
    return known if code in set(codes) else Words(f"未知原因 0x{code:02X}", f"unknown reason 0x{code:02X}")
