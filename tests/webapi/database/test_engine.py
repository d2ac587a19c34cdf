"""Column types and the engine: what goes in comes out equal on both databases, and a writer never waits in vain."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from webapi.database import open_database, reading, sessions
from webapi.tenants.models import Tenant
from webapi.transformers.models import Transformer

NOON = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)


def test_an_instant_reads_back_as_the_same_instant_in_utc(session: Session) -> None:
    beijing = NOON.astimezone(timezone(timedelta(hours=8)))
    session.add(Tenant(code="t", name="t", created_at=beijing))
    session.flush()
    session.expire_all()
    read = session.scalars(select(Tenant)).one().created_at
    assert read == NOON
    assert read.utcoffset() == timedelta(0)
    assert session.scalar(select(Tenant.code).where(Tenant.created_at <= NOON)) == "t"


def test_a_time_without_zone_is_refused(session: Session) -> None:
    session.add(Tenant(code="t", name="t", created_at=datetime(2026, 11, 24)))  # noqa: DTZ001
    with pytest.raises(StatementError, match="without zone"):
        session.flush()


def test_exact_figures_come_back_exact_and_finer_ones_are_refused(session: Session) -> None:
    session.execute(text("INSERT INTO tenant (id, code, name, created_at) VALUES (1, 't', 't', '2026-01-01 00:00:00')"))
    session.execute(
        text(
            "INSERT INTO station (code, shard, tenant_id, name, bucket, revision, created_at) "
            "VALUES ('s', '00', 1, 's', 'b', 1, '2026-01-01 00:00:00')"
        )
    )
    for code, kva in (("a", Decimal("630.125")), ("b", Decimal("0.875"))):
        session.add(Transformer(code=code, station_code="s", name=code, rated_kva=kva, created_at=NOON))
    session.flush()
    session.expire_all()
    first = session.get_one(Transformer, "a")
    assert (first.rated_kva, first.power_factor, first.blocked_pct) == (Decimal("630.125"), Decimal("0.95"), 80)
    assert session.scalar(select(func.sum(Transformer.rated_kva))) == 631
    first.rated_kva = Decimal("0.0001")
    with pytest.raises(StatementError, match="finer"):
        session.flush()


def test_two_writers_that_read_first_both_succeed_on_sqlite(migrated_sqlite: object, tmp_path: object) -> None:
    import shutil
    from pathlib import Path

    path = Path(str(tmp_path)) / "w.sqlite3"
    shutil.copyfile(str(migrated_sqlite), path)
    engine = open_database(f"sqlite:///{path}")
    together = Barrier(4)
    failures: list[Exception] = []

    def write(number: int) -> None:
        together.wait()
        try:
            for turn in range(10):
                with sessions(engine).begin() as session:
                    count = session.scalar(select(func.count()).select_from(Tenant))
                    session.add(Tenant(code=f"{number}-{turn}", name=str(count), created_at=NOON))
        except Exception as failure:
            failures.append(failure)

    threads = [Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with sessions(engine)() as session:
        names = sorted(int(name) for name in session.scalars(select(Tenant.name)))
    assert names == list(range(40)), "each writer saw all that was committed before it"
    engine.dispose()


def test_a_reader_is_not_kept_waiting_by_a_writer_and_sees_one_moment(engine: Engine) -> None:
    with sessions(engine).begin() as writer:
        writer.add(Tenant(code="seen", name="", created_at=NOON))
    with reading(engine) as reader, sessions(engine)() as writer:
        before = reader.scalar(select(func.count()).select_from(Tenant))
        writer.add(Tenant(code="later", name="", created_at=NOON))
        writer.commit()
        assert reader.scalar(select(func.count()).select_from(Tenant)) == before == 1


def test_foreign_keys_are_kept(session: Session) -> None:
    session.add(Transformer(code="a", station_code="nowhere", name="a", rated_kva=Decimal(1), created_at=NOON))
    with pytest.raises(IntegrityError):
        session.flush()


def test_sqlite_is_durable(migrated_sqlite: object) -> None:
    engine = open_database(f"sqlite:///{migrated_sqlite}")
    with engine.connect() as connection:
        settings = [
            connection.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "busy_timeout")
        ]
    assert settings == ["wal", 2, 10_000]
    engine.dispose()
