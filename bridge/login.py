"""Pure: configuration, source network, present holder → let in, or why not."""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from bridge.protocols.base import CrcOrder
from bridge.words import LoginSaid
from evcs.contracts.config import PileConfig
from evcs.contracts.reasons import Reason
from evcs.contracts.states import PROOF_RANK, Proof


@dataclass(frozen=True, slots=True)
class Login:
    """A login that was accepted, and the connection that it came over."""

    said: LoginSaid
    link: str
    proof: Proof
    address: str
    crc_order: CrcOrder = CrcOrder.LOW_FIRST
    """In which the pile sends its CRC bytes."""


@dataclass(frozen=True, slots=True)
class Accepted:
    proof: Proof


@dataclass(frozen=True, slots=True)
class Refused:
    reason: Reason


def judge(said: LoginSaid, config: PileConfig | None, address: str, held_by: Proof | None) -> Accepted | Refused:
    """Whether a login is accepted.

    `held_by`: the proof of the connection that holds the pile now, None where there is none. It is displaced only by
    a connection with at least equal proof. A pile's number alone is proof only from a network that an operator named.
    """
    if config is None:
        return Refused(Reason.PILE_UNKNOWN)
    proof = Proof.NUMBER
    if not is_within(address, config.number_only_networks):
        return Refused(Reason.NETWORK_NOT_ALLOWED)
    if said.gun_count != len(config.guns):
        return Refused(Reason.GUN_COUNT_DIFFERS)
    if held_by is not None and PROOF_RANK[held_by] > PROOF_RANK[proof]:
        return Refused(Reason.WEAKER_PROOF)
    return Accepted(proof)


def is_within(address: str, networks: tuple[str, ...]) -> bool:
    """Whether an address lies in one of the networks (CIDR); what is no network holds nobody."""
    try:
        host = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(host, "ipv4_mapped", None)
    if mapped is not None:
        host = mapped
    for text in networks:
        try:
            if host in ip_network(text, strict=False):
                return True
        except ValueError:
            continue
    return False
