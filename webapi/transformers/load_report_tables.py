"""The load report as head, picture and tables in one language, for Excel and PDF alike."""

from collections.abc import Callable

from evcs.contracts.reasons import Sentence
from evcs.contracts.times import BEIJING
from webapi.reports.tables import Bar, Cell, Column, Figure, Picture, Report, Table
from webapi.transformers.load_figures import Over, Span
from webapi.transformers.load_report import LoadReport
from webapi.transformers.load_report_lists import CappedStart, Listed, Override, RefusedStart, ReportedAlarm
from webapi.transformers.load_report_words import ACTIONS, SOURCES, WORDS

Say = Callable[[Sentence], str]
AnyList = Listed[RefusedStart] | Listed[CappedStart] | Listed[Override] | Listed[ReportedAlarm]


def as_report(report: LoadReport, say: Say) -> Report:
    """Everything in words."""
    return _Words(say).report(report)


class _Words:
    def __init__(self, say: Say) -> None:
        self._say = say

    def word(self, name: str, **figures: object) -> str:
        """A word of the table; what it does not have stands for itself."""
        found = WORDS.get(name)
        return name if found is None else self._say(found).format(**figures)

    def report(self, report: LoadReport) -> Report:
        word = self.word
        period = f"{report.begin.astimezone(BEIJING):%Y-%m-%d %H:%M} – {report.end.astimezone(BEIJING):%Y-%m-%d %H:%M}"
        load = report.figures
        notes = [word("note_gap"), word(f"note_{report.source}", step=report.step_minutes)]
        if not report.is_whole:
            notes.append(word("note_running"))
        head = (
            Figure(word("station"), f"{report.station_name}（{report.station}）"),
            Figure(word("transformer"), f"{report.name}（{report.transformer}）"),
            Figure(word("rated"), float(report.rated_kva), "kVA"),
            Figure(word("source"), word(report.source)),
            Figure(word("period"), period),
            Figure(word("made"), report.made_at),
            Figure(word("coverage"), load.coverage_pct, "%"),
            Figure(word("mean"), load.mean_pct, "%"),
            Figure(word("peak"), load.peak_pct, "%"),
            Figure(word("peak_at"), load.peak_at),
            Figure(word("peak_kva"), load.peak_kva, "kVA"),
            Figure(word("energy"), load.energy_kwh, "kWh"),
            *(
                Figure(word("over", pct=f"{pct:g}"), _minutes_over(load, pct), word("minutes"))
                for pct in (report.limited_pct, report.blocked_pct, report.overload_pct)
            ),
            Figure(word("charged"), float(report.charged_kwh), "kWh"),
            Figure(word("starts"), report.starts, word("times")),
            Figure(word("refused_number"), _number(report.refused), word("times")),
            Figure(word("capped_number"), _number(report.capped), word("times")),
            Figure(word("overrides_number"), _number(report.overrides), word("times")),
            Figure(word("alarms_number"), _number(report.alarms), word("times")),
        )
        return Report(
            title=word("title"),
            subtitle=word("subtitle", station=report.station_name, transformer=report.name, month=report.month),
            head=head,
            notes=tuple(notes),
            picture=Picture(
                word("picture"),
                "%",
                tuple(Bar(f"{day.day:%d}", day.span.peak_pct) for day in report.days),
                (report.limited_pct, report.blocked_pct, report.overload_pct),
            ),
            tables=(
                self._days(report),
                self._refused(report.refused),
                self._capped(report.capped),
                self._overrides(report.overrides),
                self._alarms(report.alarms),
            ),
            page_words=self._say(WORDS["page"]),
            rest_words=self._say(WORDS["rest"]),
        )

    def _days(self, report: LoadReport) -> Table:
        word = self.word
        thresholds = (report.limited_pct, report.blocked_pct, report.overload_pct)
        columns = (
            Column(word("day"), 12),
            Column(f"{word('coverage')} %", 11, 1),
            Column(f"{word('peak')} %", 11, 1),
            Column(word("peak_at"), 20),
            Column(f"{word('mean')} %", 11, 1),
            Column("kWh", 12, 1),
            *(Column(f">{pct:g}% {word('minutes')}", 11, 0) for pct in thresholds),
        )
        rows = [
            (
                day.day,
                day.span.coverage_pct,
                day.span.peak_pct,
                day.span.peak_at,
                day.span.mean_pct,
                day.span.energy_kwh,
                *(_minutes_over(day.span, pct) for pct in thresholds),
            )
            for day in report.days
        ]
        return Table(word("days"), columns, rows)

    def _refused(self, listed: Listed[RefusedStart]) -> Table:
        word = self.word
        columns = (
            Column(word("time"), 19),
            Column(word("serial"), 22),
            Column(word("gun"), 18),
            Column(word("start_source"), 10),
            Column(word("load"), 8, 1),
            Column(word("planned"), 8, 1),
            Column(word("reason"), 50),
        )
        rows: list[tuple[Cell, ...]] = [
            (
                one.at,
                one.serial,
                f"{one.pile}-{one.gun}",
                self._source(one.source.value),
                one.load_pct,
                one.planned_pct,
                self._say(Sentence(one.zh, one.en)),
            )
            for one in listed.items
        ]
        return Table(word("refused"), columns, rows, self._note(listed))

    def _capped(self, listed: Listed[CappedStart]) -> Table:
        word = self.word
        columns = (
            Column(word("time"), 19),
            Column(word("serial"), 22),
            Column(word("gun"), 18),
            Column(word("start_source"), 10),
            Column(word("cap"), 9, 1),
            Column(word("load"), 8, 1),
            Column(word("planned"), 8, 1),
            Column(word("reason"), 42),
        )
        rows: list[tuple[Cell, ...]] = [
            (
                one.at,
                one.serial,
                f"{one.pile}-{one.gun}",
                self._source(one.source.value),
                one.cap_kw,
                one.load_pct,
                one.planned_pct,
                self._say(Sentence(one.zh, one.en)),
            )
            for one in listed.items
        ]
        return Table(word("capped"), columns, rows, self._note(listed))

    def _overrides(self, listed: Listed[Override]) -> Table:
        word = self.word
        columns = (
            Column(word("time"), 19),
            Column(word("who"), 16),
            Column(word("action"), 18),
            Column(word("object"), 20),
            Column(word("outcome"), 12),
            Column(word("details"), 50),
        )
        rows: list[tuple[Cell, ...]] = [
            (
                one.at,
                one.name or one.who,
                self._say(ACTIONS.get(one.action, Sentence(one.action, one.action))),
                one.object_id,
                word(one.outcome),
                one.details,
            )
            for one in listed.items
        ]
        return Table(word("overrides"), columns, rows, self._note(listed))

    def _alarms(self, listed: Listed[ReportedAlarm]) -> Table:
        word = self.word
        columns = (
            Column(word("time"), 19),
            Column(word("cleared"), 19),
            Column(word("severity"), 8),
            Column(word("code"), 16),
            Column(word("text"), 40),
            Column(word("gun"), 18),
            Column(word("count"), 7, 0),
            Column(word("acknowledged"), 12),
        )
        rows: list[tuple[Cell, ...]] = [
            (
                one.raised_at,
                one.cleared_at,
                word(one.severity),
                one.code,
                self._say(Sentence(one.zh, one.en)),
                "" if one.pile is None else one.pile if one.gun is None else f"{one.pile}-{one.gun}",
                one.count,
                one.acknowledged_name or "",
            )
            for one in listed.items
        ]
        return Table(word("alarms"), columns, rows, self._note(listed))

    def _source(self, source: str) -> str:
        return self._say(SOURCES.get(source, Sentence(source, source)))

    def _note(self, listed: AnyList) -> str:
        if not listed.items:
            return self.word("none")
        return self.word("left_out", number=listed.left_out) if listed.left_out else ""


def _minutes_over(span: Span, pct: float) -> int | None:
    found: Over | None = next((over for over in span.over if over.pct == pct), None)
    return None if found is None else found.minutes


def _number(listed: AnyList) -> int:
    return len(listed.items) + listed.left_out
