"""Why a charge ended (停止原因, 0x3B `stop_reason`): code, class and words (YKC V1.6, protocol reference §9)."""

from dataclasses import dataclass

from evcs.contracts.states import StopClass


@dataclass(frozen=True, slots=True)
class StopReason:
    """0x3B `stop_reason` (停止原因): code, class and words."""

    code: int
    kind: StopClass
    zh: str
    en: str


APP_STOP = 0x40
SOC_FULL = 0x41
ENERGY_LIMIT = 0x42
MONEY_LIMIT = 0x43
TIME_LIMIT = 0x44
MANUAL_STOP = 0x45
CONTROL_SYSTEM_FAULT = 0x4A
START_BMS_TIMEOUT = 0x59
START_NOT_READY = 0x52
EMERGENCY_STOP = 0x72
PLUG_PULLED = 0x6B
NO_CURRENT = 0x76
PACK_TOO_HOT = 0x7C
POWER_LOST = 0x83
UNKNOWN_STOP = 0x90

_WORDS: dict[int, tuple[str, str]] = {
    0x40: ("APP 远程停止", "app / remote stop"),
    0x41: ("SOC 达到 100%", "SOC reached 100 %"),
    0x42: ("充电电量满足设定条件", "energy limit reached"),
    0x43: ("充电金额满足设定条件", "money limit reached"),
    0x44: ("充电时间满足设定条件", "time limit reached"),
    0x45: ("手动停止充电", "manual stop"),
    0x4A: ("充电桩控制系统故障", "pile control system fault"),
    0x4B: ("控制导引断开", "control pilot disconnected"),
    0x4C: ("断路器跳位", "breaker tripped"),
    0x4D: ("电表通信中断", "meter communication lost"),
    0x4E: ("余额不足", "balance too low"),
    0x4F: ("充电模块故障", "charging module fault"),
    0x50: ("急停开入", "emergency stop pressed"),
    0x51: ("防雷器异常", "surge protector abnormal"),
    0x52: ("BMS 未就绪", "BMS not ready"),
    0x53: ("温度异常", "temperature abnormal"),
    0x54: ("电池反接", "battery reversed"),
    0x55: ("电子锁异常", "electronic lock abnormal"),
    0x56: ("合闸失败", "contactor did not close"),
    0x57: ("绝缘异常", "insulation abnormal"),
    0x59: ("接收握手报文 BHM 超时", "BHM (BMS handshake) timeout"),
    0x5A: ("接收 BMS 和车辆辨识报文 BRM 超时", "BRM (BMS and vehicle identification) timeout"),
    0x5B: ("接收电池充电参数报文 BCP 超时", "BCP (battery parameters) timeout"),
    0x5C: ("接收 BMS 准备就绪报文 BRO AA 超时", "BRO AA (BMS ready) timeout"),
    0x5D: ("接收电池充电总状态报文 BCS 超时", "BCS (battery status) timeout"),
    0x5E: ("接收电池充电需求报文 BCL 超时", "BCL (battery demand) timeout"),
    0x5F: ("接收电池状态信息报文 BSM 超时", "BSM (battery state information) timeout"),
    0x60: ("GB2015 电池在 BHM 阶段有电压，不允许充电", "GB2015: battery has voltage during BHM, charging forbidden"),
    0x61: (
        "GB2015 辨识阶段 BRO_AA 电池实际电压与 BCP 报文电压差距大于 5%",
        "GB2015: battery voltage differs from BCP by more than 5 % at BRO_AA",
    ),
    0x62: ("充电机预充电阶段从 BRO_AA 变回 BRO_00", "charger pre-charge: BRO_AA changed back to BRO_00"),
    0x63: ("接收主机配置报文超时", "host configuration message timeout"),
    0x64: ("充电机未准备就绪，未回 CRO AA", "charger not ready (no CRO AA sent)"),
    0x6A: ("系统闭锁", "system locked out"),
    0x6B: ("导引断开", "pilot disconnected"),
    0x6C: ("断路器跳位", "breaker tripped"),
    0x6D: ("电表通信中断", "meter communication lost"),
    0x6E: ("余额不足", "balance too low"),
    0x6F: ("交流保护动作", "AC protection acted"),
    0x70: ("直流保护动作", "DC protection acted"),
    0x71: ("充电模块故障", "charging module fault"),
    0x72: ("急停开入", "emergency stop pressed"),
    0x73: ("防雷器异常", "surge protector abnormal"),
    0x74: ("温度异常", "temperature abnormal"),
    0x75: ("输出异常", "output abnormal"),
    0x76: ("充电无流", "no charging current"),
    0x77: ("电子锁异常", "electronic lock abnormal"),
    0x79: ("总充电电压异常", "total voltage abnormal"),
    0x7A: ("总充电电流异常", "total current abnormal"),
    0x7B: ("单体充电电压异常", "cell voltage abnormal"),
    0x7C: ("电池组过温", "battery pack over-temperature"),
    0x7D: ("最高单体充电电压异常", "highest cell voltage abnormal"),
    0x7E: ("最高电池组过温", "highest pack temperature exceeded"),
    0x7F: ("BMV 单体充电电压异常", "BMV cell voltage abnormal"),
    0x80: ("BMT 电池组过温", "BMT pack over-temperature"),
    0x81: ("电池状态异常停止充电", "battery state abnormal"),
    0x82: ("车辆发报文禁止充电", "vehicle forbids charging"),
    0x83: ("充电桩断电", "pile lost power"),
    0x84: ("接收电池充电总状态报文超时", "BCS timeout"),
    0x85: ("接收电池充电要求报文超时", "BCL timeout"),
    0x86: ("接收电池状态信息报文超时", "BSM timeout"),
    0x87: ("接收 BMS 中止充电报文超时", "BST timeout"),
    0x88: ("接收 BMS 充电统计报文超时", "BSD timeout"),
    0x89: ("接收对侧 CCS 报文超时", "CCS of the other side timeout"),
    0x90: ("未知原因停止", "unknown reason"),
}


def stop_class(code: int) -> StopClass:
    """Class of a stop reason: 0x40-0x49 normal, 0x4A-0x69 start failed, 0x6A-0x8F abnormal, else unknown."""
    if 0x40 <= code <= 0x49:
        return StopClass.NORMAL
    if 0x4A <= code <= 0x69:
        return StopClass.START_FAILED
    if 0x6A <= code <= 0x8F:
        return StopClass.ABNORMAL
    return StopClass.UNKNOWN


STOP_REASONS = {code: StopReason(code, stop_class(code), zh, en) for code, (zh, en) in _WORDS.items()}


def stop_reason(code: int) -> StopReason:
    """A stop reason with its words; reserved and vendors' codes are shown as hex."""
    known = STOP_REASONS.get(code)
    if known is not None:
        return known
    kind = stop_class(code)
    word = ("其他", "other") if kind is not StopClass.UNKNOWN else ("未知", "unknown")
    return StopReason(code, kind, f"{word[0]} 0x{code:02X}", f"{word[1]} 0x{code:02X}")
