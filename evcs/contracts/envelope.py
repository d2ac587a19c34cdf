"""What every payload shares: JSON coding, schema version, receipts of the bridge."""

from typing import Annotated, TypeVar

import msgspec

from evcs.contracts.ids import Code

SCHEMA = 1
"""Version of the payload schemas under `evcs/v1`; published names and meanings never change within it."""

MAX_PAYLOAD_BYTES = 256 * 1024

P = TypeVar("P")


class Payload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Base of all payloads: frozen, unknown fields are ignored by readers."""

    schema: int = SCHEMA


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Proof of order and completeness: a counter per pile and leaf of one run of a bridge."""

    bridge: Code
    started_ms: Annotated[int, msgspec.Meta(ge=0)]
    n: Annotated[int, msgspec.Meta(ge=0)]


class ContractError(ValueError):
    """A payload that is not what its topic promises."""


_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(payload: msgspec.Struct) -> bytes:
    """JSON bytes of a payload: energies as exact JSON numbers, times RFC 3339 UTC."""
    return _encoder.encode(payload)


class Decoder:
    """Checked decoding of one payload type."""

    __slots__ = ("_decoder", "_name")

    def __init__(self, payload: object) -> None:
        self._decoder: msgspec.json.Decoder[object] = msgspec.json.Decoder(payload)
        self._name = getattr(payload, "__name__", str(payload))

    def __call__(self, raw: bytes) -> object:
        """The payload; raises ContractError with the place and what was expected there."""
        if len(raw) > MAX_PAYLOAD_BYTES:
            raise ContractError(f"{self._name}: payload of {len(raw)} bytes is over {MAX_PAYLOAD_BYTES}")
        try:
            return self._decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ContractError(f"{self._name}: {error}") from error
