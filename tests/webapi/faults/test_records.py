"""Alarms as records: each raising is one, flaps and repeated levels are not, and a text once kept stays."""

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts.alarm import Alarm, AlarmAction, AlarmKind, Severity
from evcs.contracts.topics import Address
from tests.webapi.books import BEGIN, PILE, STATION, Books
from webapi.faults.dictionary import FaultCodeChange, NewFaultCode, add_entry, change_entry, may_change, tables
from webapi.faults.events import alarm_cleared, alarm_level
from webapi.faults.models import AlarmRecord, FaultCodeEntry
from webapi.faults.shipped import shipped_codes
from webapi.piles.models import Pile
from webapi.tenants.models import Tenant

ID = "hot-1"
AT = Address(station=STATION, alarm=ID)


def after(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def alarm(version: int, *, raised: float = 0, open: bool = True, code: str = "bit3", **more: object) -> Alarm:
    level = Alarm(
        version=version,
        alarm=ID,
        code=code,
        kind=AlarmKind.FAULT,
        severity=Severity.WARNING,
        open=open,
        raised_at=after(raised),
        pile=PILE,
        gun=1,
        protocol="ykc",
        zh="出风口温度过高",
        en="air outlet temperature too high",
    )
    return msgspec.structs.replace(level, **more)


def records(session: Session) -> list[AlarmRecord]:
    return list(session.scalars(select(AlarmRecord).order_by(AlarmRecord.raised_at, AlarmRecord.id)))


def test_raised_and_cleared_is_one_record_and_raised_again_another(books: Books, session: Session) -> None:
    alarm_level(session, AT, alarm(1), BEGIN)
    alarm_level(session, AT, alarm(2, open=False, cleared_at=after(3)), after(3))
    alarm_level(session, AT, alarm(3, raised=60), after(60))
    first, second = records(session)
    assert (first.raised_at, first.cleared_at) == (BEGIN, after(3))
    assert (second.raised_at, second.cleared_at) == (after(60), None)


def test_flaps_that_rules_merges_stay_one_record_with_their_count(books: Books, session: Session) -> None:
    for version, count, is_open in ((1, 1, True), (2, 1, False), (3, 2, True), (4, 3, True)):
        alarm_level(session, AT, alarm(version, count=count, open=is_open), BEGIN)
    (only,) = records(session)
    assert (only.count, only.cleared_at) == (3, None)


def test_an_older_or_repeated_level_changes_nothing(books: Books, session: Session) -> None:
    alarm_level(session, AT, alarm(5, open=False, cleared_at=after(1)), after(1))
    for late in (alarm(5), alarm(4)):
        alarm_level(session, AT, late, after(2))
    (only,) = records(session)
    assert (only.version, only.cleared_at) == (5, after(1))


def test_an_earlier_raising_that_comes_behind_a_later_one_is_a_record_too(books: Books, session: Session) -> None:
    """The view brings the newest level, the work session each one."""
    alarm_level(session, AT, alarm(9, raised=60), after(60))
    alarm_level(session, AT, alarm(1), after(61))
    alarm_level(session, AT, alarm(2, open=False, cleared_at=after(3)), after(61))
    alarm_level(session, AT, alarm(4, raised=10, open=False, cleared_at=after(10)), after(61))
    assert [(one.raised_at, one.cleared_at) for one in records(session)] == [
        (BEGIN, after(3)),
        (after(10), after(10)),
        (after(60), None),
    ]


def test_raised_anew_without_an_end_ends_the_one_before(books: Books, session: Session) -> None:
    alarm_level(session, AT, alarm(1), BEGIN)
    alarm_level(session, AT, alarm(2, raised=5), after(5))
    first, second = records(session)
    assert (first.cleared_at, second.cleared_at) == (after(5), None)


def test_an_empty_topic_ends_the_newest_and_no_other(books: Books, session: Session) -> None:
    alarm_level(session, AT, alarm(1, open=False, cleared_at=after(1)), after(1))
    alarm_level(session, AT, alarm(2, raised=5), after(5))
    alarm_cleared(session, AT, after(9))
    assert [record.cleared_at for record in records(session)] == [after(1), after(9)]
    alarm_cleared(session, AT, after(12))
    assert records(session)[1].cleared_at == after(9)


def test_alarm_of_a_station_that_is_not_there_is_left(books: Books, session: Session) -> None:
    alarm_level(session, replace(AT, station="elsewhere"), alarm(1), BEGIN)
    assert records(session) == []


def test_figures_action_and_what_the_pile_said_are_kept(books: Books, session: Session) -> None:
    said = alarm(1, value=91.5, limit=85.0, unit="°C", raw="0004", action=AlarmAction.DERATE, transformer="t1")
    alarm_level(session, AT, said, BEGIN)
    (only,) = records(session)
    assert (only.value, only.limit, only.unit, only.raw) == (91.5, 85.0, "°C", "0004")
    assert (only.action, only.transformer_code, only.gun_no) == ("derate", "t1", 1)


def unknown(version: int = 1, code: str = "stop_a7") -> Alarm:
    return alarm(version, code=code, known=False, zh="未知 0xA7", en="unknown 0xA7", raw="a7")


def entry(code: str = "stop_a7", zh: str = "冷却液不足", **more: str) -> NewFaultCode:
    return NewFaultCode(protocol="ykc", code=code, text_zh=zh, text_en="coolant low", severity=Severity.WARNING, **more)


def test_a_description_is_applied_backwards_to_those_without_and_to_no_other(books: Books, session: Session) -> None:
    alarm_level(session, AT, unknown(), BEGIN)
    alarm_level(session, replace(AT, alarm="old"), alarm(1, alarm="old", code="stop_a7", zh="旧文字"), BEGIN)
    made = add_entry(session, entry(), at=after(9), by="user:1")
    assert made is not None
    assert made[1] == 1
    session.expire_all()
    by_id = {record.alarm_id: record for record in records(session)}
    assert (by_id[ID].text_zh, by_id[ID].known, by_id[ID].described_at) == ("冷却液不足", True, after(9))
    assert (by_id["old"].text_zh, by_id["old"].described_at) == ("旧文字", None)
    change_entry(session, made[0], FaultCodeChange(text_zh="另一说法"), at=after(10), by="user:1")
    session.expire_all()
    assert records(session)[0].text_zh == "冷却液不足"


def test_a_code_described_meanwhile_is_described_at_once(books: Books, session: Session) -> None:
    """`rules` hears of a new table later than a pile may send the code again."""
    add_entry(session, entry(), at=BEGIN, by="user:1")
    alarm_level(session, AT, unknown(), BEGIN)
    (only,) = records(session)
    assert (only.known, only.text_zh) == (True, "冷却液不足")


def test_a_description_for_one_maker_says_nothing_of_anothers_pile(books: Books, session: Session) -> None:
    alarm_level(session, AT, unknown(), BEGIN)
    made = add_entry(session, entry(maker="別家", zh="别家的码"), at=BEGIN, by="user:1")
    assert made is not None
    assert made[1] == 0
    session.get_one(Pile, PILE).maker = "甲"
    session.flush()
    own = add_entry(session, entry(maker="甲", zh="甲的码"), at=BEGIN, by="user:1")
    assert own is not None
    assert own[1] == 1
    session.expire_all()
    assert records(session)[0].text_zh == "甲的码"


@pytest.mark.parametrize(
    ("maker", "model", "said"),
    [("甲", "X1", "甲 X1"), ("甲", "X2", "甲"), ("乙", "X1", "ykc"), ("", "", "ykc")],
)
def test_the_most_exact_entry_counts(books: Books, session: Session, maker: str, model: str, said: str) -> None:
    for protocol, of_maker, of_model, zh in (
        ("", "", "", "any"),
        ("ykc", "", "", "ykc"),
        ("ykc", "甲", "", "甲"),
        ("", "甲", "X1", "甲 X1"),
    ):
        wish = NewFaultCode(
            protocol=protocol,
            maker=of_maker,
            model=of_model,
            code="stop_a7",
            text_zh=zh,
            text_en=zh,
            severity=Severity.INFO,
        )
        assert add_entry(session, wish, at=BEGIN, by="user:1") is not None
    pile = session.get_one(Pile, PILE)
    pile.maker, pile.model = maker or None, model or None
    session.flush()
    alarm_level(session, AT, unknown(), BEGIN)
    assert records(session)[0].text_zh == said


def test_what_is_shipped_has_every_code_once_in_both_languages(session: Session) -> None:
    shipped = shipped_codes()
    assert len({one.code for one in shipped}) == len(shipped)
    assert {f"bit{n}" for n in range(1, 14)} | {f"stop_{n:02x}" for n in range(0x40, 0x91)} <= {
        one.code for one in shipped
    }
    for one in shipped:
        assert one.zh
        assert one.en
        assert one.theme.advice_zh
        assert one.theme.advice_en
    rows = session.scalars(select(FaultCodeEntry)).all()
    assert {(row.code, row.text_zh, row.severity) for row in rows} == {
        (one.code, one.zh, one.theme.severity) for one in shipped
    }


def test_each_protocol_of_a_pile_has_its_table_with_the_entries_for_any(books: Books, session: Session) -> None:
    before = {table.protocol: table.version for table in tables(session)}
    wish = NewFaultCode(code="common_1", text_zh="通用", text_en="common", severity=Severity.INFO)
    assert add_entry(session, wish, at=BEGIN, by="user:1") is not None
    session.get_one(Pile, PILE).protocol = "other"
    session.flush()
    found = {table.protocol: table for table in tables(session)}
    assert set(found) == {"other", "ykc"}
    assert [one.code for one in found["other"].codes] == ["common_1"]
    assert "common_1" in {one.code for one in found["ykc"].codes}
    assert all(table.version > before["ykc"] for table in found.values())


def test_an_operator_changes_the_dictionary_where_there_is_no_other(books: Books, session: Session) -> None:
    assert may_change(session, books.tenant_id)
    session.add(Tenant(code="other", name="别家", created_at=BEGIN))
    session.flush()
    assert not may_change(session, books.tenant_id)
    assert may_change(session, None)
