"""The fault-code dictionary: add, change and delete entries, find the one that fits, publish the tables."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, func, select, update
from sqlalchemy.orm import Session

from evcs.contracts.alarm import AlarmAction, Severity
from evcs.contracts.config import FaultCode, FaultCodes
from webapi.database import ROW_LOCK
from webapi.faults.models import ANY, AlarmRecord, FaultCodeEntry, FaultDictionary
from webapi.faults.shipped.themes import FaultCategory
from webapi.piles.models import Pile
from webapi.tenants.models import Tenant

THE_DICTIONARY = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFaultCode:
    """An entry to be made; empty protocol, maker or model: any."""

    protocol: str = ANY
    maker: str = ANY
    model: str = ANY
    code: str
    text_zh: str
    text_en: str
    severity: Severity
    action: AlarmAction = AlarmAction.ALARM
    category: FaultCategory = FaultCategory.OTHER
    advice_zh: str = ""
    advice_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultCodeChange:
    """What shall change of an entry; None: it stays. Its key never changes."""

    text_zh: str | None = None
    text_en: str | None = None
    severity: Severity | None = None
    action: AlarmAction | None = None
    category: FaultCategory | None = None
    advice_zh: str | None = None
    advice_en: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """Of an entry or of a record: which device said which code."""

    protocol: str
    maker: str
    model: str
    code: str


def may_change(session: Session, tenant: int | None) -> bool:
    """Whether somebody of this operator (none: of the platform) may change the dictionary.

    It is one for all, and an action in it may stop or lock what charges: where there are several operators none of
    them decides that for the others.
    """
    return tenant is None or not session.scalar(select(exists().where(Tenant.id != tenant)))


def add_entry(session: Session, wish: NewFaultCode, *, at: datetime, by: str) -> tuple[FaultCodeEntry, int] | None:
    """Make an entry and give its text to the records that wait for it; how many those were. None: the key is taken."""
    bump(session)
    taken = select(FaultCodeEntry.id).where(
        FaultCodeEntry.protocol == wish.protocol,
        FaultCodeEntry.maker == wish.maker,
        FaultCodeEntry.model == wish.model,
        FaultCodeEntry.code == wish.code,
    )
    if session.scalar(taken) is not None:
        return None
    entry = FaultCodeEntry(**asdict(wish), changed_at=at, changed_by=by)
    session.add(entry)
    session.flush()
    return entry, _apply_backwards(session, entry, at)


def change_entry(session: Session, entry: FaultCodeEntry, wish: FaultCodeChange, *, at: datetime, by: str) -> None:
    """Change an entry; records keep what they say."""
    bump(session)
    for name, value in asdict(wish).items():
        if value is not None:
            setattr(entry, name, value)
    entry.changed_at, entry.changed_by = at, by
    session.flush()


def delete_entries(session: Session, ids: Sequence[int]) -> int:
    """Take entries out; records keep their text. How many there were."""
    bump(session)
    found = session.execute(delete(FaultCodeEntry).where(FaultCodeEntry.id.in_(ids)).returning(FaultCodeEntry.id)).all()
    return len(found)


def bump(session: Session) -> None:
    """Something changes: the levels get a higher version. Also makes writers of the dictionary wait for one another."""
    session.get_one(FaultDictionary, THE_DICTIONARY, with_for_update=ROW_LOCK, populate_existing=True).revision += 1


def matches(entry: FaultCodeEntry) -> ColumnElement[bool]:
    """Records of an entry's code at its devices, each at most as exact as its key; joined with their pile."""
    wanted = [AlarmRecord.code == entry.code]
    if entry.protocol != ANY:
        wanted.append(AlarmRecord.protocol == entry.protocol)
    if entry.maker != ANY:
        wanted.append(Pile.maker == entry.maker)
    if entry.model != ANY:
        wanted.append(Pile.model == entry.model)
    return and_(*wanted)


def uses(session: Session, entry: FaultCodeEntry) -> int:
    """How many records show this entry's code."""
    query = select(func.count()).select_from(AlarmRecord)
    return session.scalar(query.outerjoin(Pile, Pile.number == AlarmRecord.pile_number).where(matches(entry))) or 0


def best(entries: Sequence[FaultCodeEntry], key: Key) -> FaultCodeEntry | None:
    """The most exact entry for what a device said: maker and model, maker, any; then the one of its protocol."""
    fitting = [
        entry
        for entry in entries
        if entry.code == key.code
        and entry.protocol in (ANY, key.protocol)
        and entry.maker in (ANY, key.maker)
        and entry.model in (ANY, key.model)
    ]
    return max(fitting, key=lambda one: (one.model != ANY, one.maker != ANY, one.protocol != ANY), default=None)


def entry_for(session: Session, record: AlarmRecord) -> FaultCodeEntry | None:
    """The dictionary's entry for a record as it stands now."""
    pile = None if record.pile_number is None else session.get(Pile, record.pile_number)
    key = Key(record.protocol, (pile.maker if pile else "") or "", (pile.model if pile else "") or "", record.code)
    return best(session.scalars(select(FaultCodeEntry).where(FaultCodeEntry.code == record.code)).all(), key)


def tables(session: Session) -> Iterator[FaultCodes]:
    """What stands under `config/fault_codes/{protocol}`: the protocol's entries and those for any protocol."""
    revision = session.get_one(FaultDictionary, THE_DICTIONARY).revision
    entries = session.scalars(select(FaultCodeEntry).order_by(FaultCodeEntry.id)).all()
    protocols = {entry.protocol for entry in entries if entry.protocol != ANY}
    protocols |= set(session.scalars(select(Pile.protocol).distinct()))
    for protocol in sorted(protocols):
        own = {(one.maker, one.model, one.code): one for one in entries if one.protocol == ANY}
        own |= {(one.maker, one.model, one.code): one for one in entries if one.protocol == protocol}
        yield FaultCodes(version=revision, protocol=protocol, codes=tuple(_told(one) for one in own.values()))


def _told(entry: FaultCodeEntry) -> FaultCode:
    return FaultCode(
        code=entry.code,
        zh=entry.text_zh,
        en=entry.text_en,
        severity=entry.severity.value,
        action=entry.action.value,
        maker=entry.maker,
        model=entry.model,
        advice_zh=entry.advice_zh,
        advice_en=entry.advice_en,
    )


def _apply_backwards(session: Session, entry: FaultCodeEntry, at: datetime) -> int:
    """Records of a code that nobody had described get the text; all others keep the one they have."""
    waiting = (
        select(AlarmRecord.id)
        .outerjoin(Pile, Pile.number == AlarmRecord.pile_number)
        .where(AlarmRecord.known.is_(False), matches(entry))
    )
    described = session.execute(
        update(AlarmRecord)
        .where(AlarmRecord.id.in_(waiting))
        .values(known=True, text_zh=entry.text_zh, text_en=entry.text_en, described_at=at)
        .returning(AlarmRecord.id)
        .execution_options(synchronize_session=False)
    ).all()
    return len(described)
