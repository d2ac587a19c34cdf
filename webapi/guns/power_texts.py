"""What became of a limit by hand, in a sentence that says what to do next."""

from evcs.contracts.reasons import Reason, Sentence, sentence
from webapi.guns.limits import Effect
from webapi.guns.power_models import PowerSettingGun, SettingState

STATES = {
    SettingState.ASKED: Sentence("已设置，等待规则引擎处理。", "Set; the engine is to heed it."),
    SettingState.STANDING: Sentence("未在充电：下次启动时生效。", "Nothing charges: heeded at the next start."),
    SettingState.SENT: Sentence("已下发，等待桩确认。", "Sent; the pile's confirmation is awaited."),
    SettingState.CONFIRMED: Sentence(
        "桩已确认，等待实时功率印证；协议按整桩限功率，邻枪空出的功率该枪仍可使用。",
        "Confirmed by the pile; live values are to show it. The protocol limits the whole pile: what the neighbouring "
        "gun leaves may still be drawn here.",
    ),
    SettingState.APPLIED: Sentence("已生效。", "In force."),
    SettingState.SUPERSEDED: Sentence("已被之后的设置取代。", "Superseded by a later setting."),
}
FAILED = {
    Reason.PILE_OFFLINE: Sentence(
        "桩离线，未能下发；桩上线后自动执行，也可重试。",
        "The pile is offline; it is heeded when the pile is back, or try again.",
    ),
    Reason.ENGINE_AWAY: Sentence(
        "规则引擎没有响应，尚未下发；恢复后自动执行，也可重试。",
        "The engine does not answer; it is heeded when it is back, or try again.",
    ),
    Reason.NO_HEADROOM: Sentence(
        "变压器余量不足，暂不能提高；有余量后自动执行。",
        "There is no headroom for more power now; it is heeded when there is.",
    ),
    Reason.CAP_NOT_CONFIRMED: Sentence(
        "桩没有确认限功率；请重试，仍失败请检查桩。",
        "The pile did not confirm the limit; try again, and look at the pile if it fails again.",
    ),
}
FLOOR = Sentence(
    "低于桩协议的下限 {floor} kW（整桩 {pct}%），实际按 {effective} kW 执行。",
    "Below the floor of the pile's protocol, {floor} kW ({pct} % of the pile): {effective} kW are in force.",
)


def told(row: PowerSettingGun) -> Sentence:
    """The sentence of a limit's state."""
    if row.state is not SettingState.FAILED:
        return STATES[row.state]
    reason = Reason(row.reason) if row.reason in set(Reason) else Reason.CAP_NOT_CONFIRMED
    return FAILED.get(reason) or sentence(reason)


def floor_told(effect: Effect, pct: str) -> Sentence | None:
    """That the protocol cannot go so low, and what is in force instead; none where it can."""
    if not effect.is_floor:
        return None
    figures = {"floor": f"{effect.floor_kw.normalize():f}", "effective": f"{effect.effective_kw.normalize():f}"}
    return Sentence(FLOOR.zh.format(pct=pct, **figures), FLOOR.en.format(pct=pct, **figures))
