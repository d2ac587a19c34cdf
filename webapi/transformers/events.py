"""What `rules` says of transformers: band and load, kept when it is the newest."""

from datetime import datetime

from sqlalchemy.orm import Session

from evcs.contracts.times import from_ms
from evcs.contracts.topics import Address
from evcs.contracts.transformer import TransformerPolicy
from evcs.runtime.log import get_logger
from webapi.database import ROW_LOCK
from webapi.transformers.models import Transformer, TransformerLive
from webapi.worker.answers import NOTHING, Answers

log = get_logger()

TEXT_MOST = 200
"""Characters of a sentence that are kept."""


def policy_level(session: Session, address: Address, level: TransformerPolicy, at: datetime) -> Answers:
    """Keep a transformer's newest policy, by version, which is the time at which `rules` told it.

    So a level that outlived `rules` at the broker shows its true age, whenever it is read.
    """
    live = session.get(TransformerLive, address.transformer, with_for_update=ROW_LOCK)
    if live is None:
        known = session.get(Transformer, address.transformer)
        if known is None or known.station_code != address.station:
            log.warning("policy_of_unknown_transformer", station=address.station, transformer=address.transformer)
            return NOTHING
        live = TransformerLive(transformer_code=known.code)
        session.add(live)
    elif level.version <= live.version:
        return NOTHING
    live.version = level.version
    live.told_at = from_ms(level.version)
    live.band = level.band
    live.since = level.since
    live.load_pct = level.load_pct
    live.planned_pct = level.planned_pct
    live.load_kva = level.load_kva
    live.guns_kw = float(level.guns_kw)
    live.source = level.source[:16]
    live.why_zh = level.why_zh[:TEXT_MOST]
    live.why_en = level.why_en[:TEXT_MOST]
    live.meter_kva = level.meter_kva
    live.estimate_kva = level.estimate_kva
    live.meter_at = level.meter_at
    live.limited_pct = level.limited_pct
    live.blocked_pct = level.blocked_pct
    live.degraded_until = level.degraded_until
    live.over_since = level.over_since
    live.curtailed = level.curtailed
    session.flush()
    return NOTHING


def policy_cleared(session: Session, address: Address, at: datetime) -> None:
    """Its topic stands empty: nobody watches this transformer any more."""
    live = session.get(TransformerLive, address.transformer, with_for_update=ROW_LOCK)
    if live is not None:
        session.delete(live)
