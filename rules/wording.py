"""Why the gate decided as it did, for people: the figures, the threshold that counts, what would have to change."""

from evcs.contracts.gun import Figures
from evcs.contracts.reasons import Reason, Sentence, sentence
from rules.session_caps import PILE_FLOOR, CapSource

_WHO = {
    CapSource.TRANSFORMER: Sentence("变压器负荷", "the transformer's load"),
    CapSource.HAND: Sentence("人工功率设置", "a limit by hand"),
    PILE_FLOOR: Sentence(
        "变压器负荷，已到充电桩可设的最低功率", "the transformer's load, at the least that the pile can be set to"
    ),
}


def refusal(reason: Reason, figures: Figures, because: Sentence | None) -> Sentence:
    """Why a start is refused; one decimal is enough for people."""
    shown = {
        name: f"{value:.1f}"
        for name, value in (
            ("load_pct", figures.load_pct),
            ("planned_pct", figures.planned_pct),
            ("share_pct", figures.share_pct),
            ("blocked_pct", figures.blocked_pct),
            ("limited_pct", figures.limited_pct),
            ("release_pct", figures.release_pct),
            ("room_pct", _room_pct(figures)),
            ("feeder_kw", figures.feeder_kw),
            ("feeder_limit_kw", figures.feeder_limit_kw),
        )
        if value is not None
    }
    if figures.retry_after_s is not None:
        shown["retry_s"] = str(figures.retry_after_s)
    if figures.feeder is not None:
        shown["feeder"] = figures.feeder
    said = sentence(reason, **shown)
    return said if because is None else Sentence(said.zh + because.zh, f"{said.en} {because.en}")


def admittance(figures: Figures, cap_kw: float | None, bound_by: str, allowance_kw: float | None) -> Sentence:
    """What a start gets, and by which figures."""
    planned, share = _shown(figures.planned_pct), _shown(figures.share_pct)
    blocked = _shown(figures.blocked_pct)
    sum_zh = f"变压器计划负荷 {planned}%，本次 {share}%，合计不超过 {blocked}%"
    sum_en = f"Planned load {planned}% and {share}% for this start keep within {blocked}%"
    if cap_kw is None:
        return Sentence(f"{sum_zh}；不限功率。", f"{sum_en}; full power.")
    if bound_by == PILE_FLOOR and allowance_kw is not None:
        cap_kw = allowance_kw
    who = _WHO.get(bound_by)
    by_zh, by_en = ("", "") if who is None else (f"（{who.zh}）", f" ({who.en})")
    back_zh = back_en = ""
    if bound_by in (CapSource.TRANSFORMER, PILE_FLOOR):
        back_zh, back_en = "，直到本次充电结束", " until this charge ends"
        if figures.release_pct is not None:
            back_zh = f"，负荷降到 {figures.release_pct:.1f}% 以下后逐个恢复"
            back_en = f"; given back one by one when the load is below {figures.release_pct:.1f}%"
    return Sentence(
        f"{sum_zh}；本次限功率 {cap_kw:g} kW{by_zh}{back_zh}。", f"{sum_en}; limited to {cap_kw:g} kW{by_en}{back_en}."
    )


def _room_pct(figures: Figures) -> float | None:
    """Down to what the plan has to come for this start."""
    if figures.blocked_pct is None or figures.share_pct is None:
        return None
    return max(0.0, figures.blocked_pct - figures.share_pct)


def _shown(pct: float | None) -> str:
    return "—" if pct is None else f"{pct:.1f}"
