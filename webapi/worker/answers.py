"""What a handler wants done after its transaction has committed, before the message is acknowledged."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """A message to publish now; its PUBACK is awaited. Lost with the process, it comes again with the message."""

    topic: str
    payload: bytes
    confirms: int | None = None
    """The charge record that it confirms: marked as such after the PUBACK."""


Answers = tuple[Answer, ...]
NOTHING: Answers = ()
