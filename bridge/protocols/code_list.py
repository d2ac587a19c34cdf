"""`python -m bridge.protocols.code_list`: every fault code of YKC with its words, as JSON for the dictionary of webapi.

Rooms never import one another, so the codes travel as a generated file; `make check` proves it equal to this.
"""

import sys
from collections.abc import Iterator

import msgspec

from bridge.protocols.ykc.faults import FAULT_BITS
from bridge.protocols.ykc.findings import GROUPS
from bridge.protocols.ykc.stop_reasons import stop_class, stop_reason

FIRST_STOP, LAST_STOP = 0x40, 0x90
"""The stop reasons of YKC V1.6 §9, the reserved ones among them. What makers add, people describe."""


class ListedCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code as alarms spell it."""

    code: str
    kind: str
    """bit (0x13), normal, start_failed, abnormal, unknown (stop reasons of 0x3B), finding (0x1B, 0x1D, 0x21, 0x25)."""
    zh: str
    en: str


def ykc_codes() -> Iterator[ListedCode]:
    """Fault bits, stop reasons, findings, in this order; raises ValueError for one code with two meanings."""
    for number, words in enumerate(FAULT_BITS, start=1):
        yield ListedCode(code=f"bit{number}", kind="bit", zh=words.zh, en=words.en)
    for code in range(FIRST_STOP, LAST_STOP + 1):
        reason = stop_reason(code)
        yield ListedCode(code=f"stop_{code:02x}", kind=stop_class(code).value, zh=reason.zh, en=reason.en)
    seen: dict[str, ListedCode] = {}
    for groups in GROUPS.values():
        for group in groups:
            zh, en = group.zh, group.en
            if group.two is not None:
                zh, en = f"{zh}／{group.two.zh}", f"{en} / {group.two.en}"
            listed = ListedCode(code=f"{group.field}.{group.code}", kind="finding", zh=zh, en=en)
            # Car (0x1D) and charger (0x21) have fields of the same names; where they agree one entry serves both.
            if seen.setdefault(listed.code, listed) is not listed:
                if seen[listed.code] != listed:
                    raise ValueError(f"{listed.code} has two meanings")
                continue
            yield listed


def main() -> int:
    """Write the list to standard output."""
    listed = msgspec.json.format(msgspec.json.encode(tuple(ykc_codes())), indent=1)
    sys.stdout.buffer.write(listed + b"\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
