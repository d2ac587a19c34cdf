"""What the rules would have done: JSON lines of contract messages on standard input, publications on standard output.

`python -m rules.replay < messages.jsonl > actions.jsonl`. Time is the time of the lines, with a tick in each second
between them, so a day with its deadlines takes seconds. It reads and publishes nothing else.
"""

import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from rules.codec import LineError, read_line, write_line
from rules.engine import Engine
from rules.messages import Action, Message, Tick

TICK = timedelta(seconds=1)


def replay(messages: Iterable[tuple[datetime, Message]], engine: Engine) -> Iterator[tuple[datetime, Action]]:
    """Feed messages in the order of their times; yield each action with the time at which it falls due."""
    due: datetime | None = None
    for at, message in messages:
        due = due or at + TICK
        while due <= at:
            for action in engine.step(Tick(), due):
                yield due, action
            due += TICK
        for action in engine.step(message, at):
            yield at, action


def main() -> int:
    """Replay standard input; 2 for a line that is no message."""

    def lines() -> Iterator[tuple[datetime, Message]]:
        for number, raw in enumerate(sys.stdin.buffer, 1):
            if raw.strip():
                try:
                    yield read_line(raw)
                except LineError as error:
                    raise LineError(f"line {number}: {error}") from error

    try:
        for at, action in replay(lines(), Engine()):
            sys.stdout.buffer.write(write_line(at, action) + b"\n")
    except LineError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
