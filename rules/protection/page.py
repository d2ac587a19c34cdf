"""The rules as a table for people: `python -m rules.protection.page` prints the one that stands in docs/alarms.md."""

import sys

from evcs.contracts.alarm import AlarmAction
from rules.protection.rule import Rule, S
from rules.protection.table import GUN_RULES, PHASE_RULES, SILENT

ACTIONS = {
    AlarmAction.ALARM: "warn",
    AlarmAction.DERATE: "derate to {share:.0%}",
    AlarmAction.STOP: "stop, no start while open",
    AlarmAction.LOCK: "stop, lock out",
}


def table() -> str:
    """Markdown, one row a rule."""
    rows = [
        "| code | condition | held for | well again for | severity | does | says | why this limit |",
        "| --- " * 8 + "|",
    ]
    rows += [_row(rule) for rule in GUN_RULES]
    rows += [_row(SILENT)]
    rows += [_row(rule) for rule in PHASE_RULES]
    return "\n".join(rows) + "\n"


def _row(rule: Rule[S]) -> str:
    zh = rule.zh.replace("{value}", "…").replace("{limit}", "…")
    action = ACTIONS[rule.action].format(share=rule.derate_share)
    cells = (
        f"`{rule.code}`",
        rule.condition,
        f"{rule.for_s:g} s",
        f"{rule.clear_s:g} s",
        rule.severity.value,
        action,
        zh,
        rule.source,
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(table())
