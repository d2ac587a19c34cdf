"""Other readings of the transformer rule, for comparison alone; no service can be told to use one of them.

The sentence of the requirement is: over 50 % new charges get half of their power, over 80 % none begins.
"""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from evcs.contracts.config import TransformerConfig
from evcs.contracts.reasons import Reason
from evcs.contracts.states import Band
from rules.admission import Admission, decide, figures_of, start_with
from rules.bands import over
from rules.known import Decide
from rules.load import load_of
from rules.station import Gun, Pile, Station, Transformer

NEVER_S = 1e9
SHORT_S = 90.0


@dataclass(frozen=True, slots=True)
class Variant:
    """A rule to compare: its decision and how it changes a transformer's figures."""

    code: str
    zh: str
    en: str
    decide: Decide = decide
    has_hysteresis: bool = True
    shown_after_s: float | None = None
    is_naive: bool = False
    """Nothing but the sentence: no release of caps, no curtailment."""

    def configure(self, config: TransformerConfig) -> TransformerConfig:
        """The figures under which this variant runs."""
        if self.shown_after_s is not None:
            config = msgspec.structs.replace(config, shown_after_s=self.shown_after_s)
        if self.is_naive:
            config = msgspec.structs.replace(config, releases_caps=False, overload_s=NEVER_S)
        if not self.has_hysteresis:
            config = msgspec.structs.replace(
                config,
                limited_release_pct=config.limited_pct,
                limited_release_s=0.0,
                blocked_release_pct=config.blocked_pct,
                blocked_release_s=0.0,
            )
        return config


def decide_by_load(station: Station, transformer: Transformer, pile: Pile, gun: Gun, now: datetime) -> Admission:
    """The sentence, taken literally: the load as it is seen, nothing that is on its way."""
    config = transformer.config
    assert config is not None
    assert gun.config is not None
    load = load_of(station, transformer, now)
    band = transformer.band.shown
    figures = figures_of(transformer, load)
    if band is Band.UNKNOWN or load.load_pct is None:
        return Admission(Reason.BAND_UNKNOWN, figures)
    if band is Band.BLOCKED or over(load.load_pct, config.blocked_pct):
        return Admission(Reason.BAND_BLOCKED, figures)
    is_limited = band is Band.LIMITED or over(load.load_pct, config.limited_pct)
    cap_kw = config.cap_share * gun.config.rated_kw if is_limited else None
    start = start_with(station, transformer, pile, gun, cap_kw, load, now)
    return Admission(Reason.CAP_NOT_CONFIRMED, figures) if start is None else start


RULE = Variant("rule", "本规则", "this rule")
LITERAL = Variant("literal", "字面规则", "literal rule", decide_by_load, has_hysteresis=False, is_naive=True)
HYSTERESIS = Variant("hysteresis", "仅滞回", "hysteresis only", decide_by_load, is_naive=True)
SHORT = Variant("short", "预留 90 秒", "reservation for 90 s", shown_after_s=SHORT_S)
VARIANTS = (LITERAL, HYSTERESIS, SHORT, RULE)
