"""Where a pile stands on its way to the tariff that it shall have, and when to try again. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from evcs.contracts.reasons import Reason, Sentence
from evcs.contracts.states import TariffBand

_FOUR = frozenset({TariffBand.SHARP, TariffBand.PEAK, TariffBand.FLAT, TariffBand.VALLEY})
BANDS: dict[str, frozenset[TariffBand]] = {"ykc": _FOUR}
"""Bands for which a protocol's table has a slot number: YKC V1.6 0x0A and 0x58 have 0 尖 … 3 谷, none for 深谷."""

FIRST_BACKOFF = timedelta(minutes=1)
BACKOFF_AT_MOST = timedelta(hours=1)
SOON = timedelta(seconds=15)
"""After what was no answer of the pile: busy just then, the link lost, its configuration not there yet."""
NOT_THE_PILES = frozenset({Reason.PILE_BUSY, Reason.LINK_LOST, Reason.TARIFF_NOT_WANTED, Reason.EXPIRED})


class RolloutState(StrEnum):
    """Where a pile stands; each but `confirmed` says why the wanted version is not in force there yet."""

    CONFIRMED = "confirmed"
    PUSHING = "pushing"
    OFFLINE = "offline"
    CHARGING = "charging"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    NOT_EXPRESSIBLE = "not_expressible"
    NOT_TRIED = "not_tried"
    SCHEDULED = "scheduled"
    """It bills by another tariff until the day of this one."""


TEXTS: dict[RolloutState, Sentence] = {
    RolloutState.CONFIRMED: Sentence("桩已确认。", "The pile has confirmed it."),
    RolloutState.PUSHING: Sentence("已下发，等待桩应答。", "Sent; the pile's answer is awaited."),
    RolloutState.OFFLINE: Sentence(
        "桩离线；上线后会自行请求并更新。", "The pile is offline; it asks for the table itself when it logs in."
    ),
    RolloutState.CHARGING: Sentence(
        "桩正在充电，结束后自动下发；进行中的订单仍按原版本计费。",
        "A car is charging; the table goes out after that. The running order keeps its version.",
    ),
    RolloutState.REFUSED: Sentence("桩拒绝了该计费模型（{why}），稍后重试。", "The pile refused the table ({why})."),
    RolloutState.NO_ANSWER: Sentence("桩没有应答，稍后重试。", "The pile did not answer; it is tried again."),
    RolloutState.NOT_EXPRESSIBLE: Sentence(
        "该桩的协议没有此版本的部分费率（{why}），无法下发；请指派仅含尖峰平谷的版本。",
        "The pile's protocol has no slot for {why}; assign it a version without that band.",
    ),
    RolloutState.NOT_TRIED: Sentence("尚未下发，即将进行。", "Not sent yet; it is about to be."),
    RolloutState.SCHEDULED: Sentence("到生效时间后自动下发。", "It goes out when its day has come."),
}

BAND_NAMES: dict[TariffBand, Sentence] = {
    TariffBand.SHARP: Sentence("尖", "sharp"),
    TariffBand.PEAK: Sentence("峰", "peak"),
    TariffBand.FLAT: Sentence("平", "flat"),
    TariffBand.VALLEY: Sentence("谷", "valley"),
    TariffBand.DEEP_VALLEY: Sentence("深谷", "deep valley"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a pile and its wanted version."""

    is_scheduled: bool = False
    is_confirmed: bool
    missing: frozenset[TariffBand]
    is_pushing: bool
    is_online: bool
    is_busy: bool
    last_reason: str | None
    last_text: Sentence


@dataclass(frozen=True, slots=True)
class Standing:
    """The state, and the sentence that tells it."""

    state: RolloutState
    sentence: Sentence


def missing_bands(protocol: str, slots: Iterable[TariffBand]) -> frozenset[TariffBand]:
    """Bands that a version uses and a protocol has no slot number for; empty: the pile can be given it.

    A protocol that we do not know is held to four bands, what every pile has.
    """
    return frozenset(slots) - BANDS.get(protocol, _FOUR)


def named(bands: Iterable[TariffBand]) -> Sentence:
    """Bands as a sentence names them."""
    names = [BAND_NAMES[band] for band in sorted(bands)]
    return Sentence("、".join(name.zh for name in names), ", ".join(name.en for name in names))


def standing(facts: Facts) -> Standing:
    """Where the pile stands; what cannot change by waiting is told first."""
    if facts.is_scheduled:
        return _told(RolloutState.SCHEDULED)
    if facts.is_confirmed:
        return _told(RolloutState.CONFIRMED)
    if facts.missing:
        return _told(RolloutState.NOT_EXPRESSIBLE, named(facts.missing))
    if not facts.is_online:
        return _told(RolloutState.OFFLINE)
    if facts.is_pushing:
        return _told(RolloutState.PUSHING)
    if facts.is_busy:
        return _told(RolloutState.CHARGING)
    if facts.last_reason == Reason.TIMED_OUT:
        return _told(RolloutState.NO_ANSWER)
    if facts.last_reason is not None and facts.last_reason not in NOT_THE_PILES:
        return _told(RolloutState.REFUSED, facts.last_text)
    return _told(RolloutState.NOT_TRIED)


def _told(state: RolloutState, why: Sentence = Sentence("", "")) -> Standing:
    text = TEXTS[state]
    return Standing(state, Sentence(text.zh.format(why=why.zh or "—"), text.en.format(why=why.en or "—")))


def next_try(tries: int, reason: str | None, *, at: datetime) -> datetime:
    """When to push again after a push that did not do: soon where it was not the pile's doing, else with back-off."""
    if reason in NOT_THE_PILES:
        return at + SOON
    doublings = min(max(tries - 1, 0), 10)
    return at + min(FIRST_BACKOFF * (1 << doublings), BACKOFF_AT_MOST)
