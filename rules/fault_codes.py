"""The fault-code dictionary as `config/fault_codes/{protocol}` says it: which entry fits what a device reported."""

from dataclasses import dataclass, field

from evcs.contracts.alarm import AlarmAction, Severity
from evcs.contracts.config import FaultCode, FaultCodes

_SEVERITIES = {severity.value: severity for severity in Severity}
_ACTIONS = {action.value: action for action in AlarmAction}


@dataclass(frozen=True, slots=True)
class Described:
    """What the dictionary says about a code at a device."""

    zh: str
    en: str
    severity: Severity = Severity.WARNING
    action: AlarmAction = AlarmAction.ALARM
    known: bool = True
    """False: nobody has described this code yet."""


@dataclass(slots=True)
class Dictionary:
    """By protocol and code, every entry."""

    versions: dict[str, int] = field(default_factory=dict)
    entries: dict[str, dict[str, list[FaultCode]]] = field(default_factory=dict)

    def take(self, table: FaultCodes) -> bool:
        """Take a newer table; returns whether it was newer."""
        if table.version <= self.versions.get(table.protocol, -1):
            return False
        self.versions[table.protocol] = table.version
        by_code: dict[str, list[FaultCode]] = {}
        for entry in table.codes:
            by_code.setdefault(entry.code, []).append(entry)
        self.entries[table.protocol] = by_code
        return True

    def find(self, protocol: str, maker: str, model: str, code: str) -> FaultCode | None:
        """The most exact entry: of the maker and the model, then of the model, of the maker, of any."""
        fitting = [
            entry
            for entry in self.entries.get(protocol, {}).get(code, ())
            if entry.maker in ("", maker) and entry.model in ("", model)
        ]
        return max(fitting, key=lambda entry: (entry.model != "", entry.maker != ""), default=None)

    def describe(self, protocol: str, maker: str, model: str, code: str) -> Described:
        """What an alarm of this code says; a code that nobody has described is an alarm all the same."""
        entry = self.find(protocol, maker, model, code)
        if entry is None:
            return Described(f"未收录的故障码 {code}", f"fault code {code}, not described yet", known=False)
        return Described(
            entry.zh,
            entry.en,
            _SEVERITIES.get(entry.severity, Severity.WARNING),
            _ACTIONS.get(entry.action, AlarmAction.ALARM),
        )
