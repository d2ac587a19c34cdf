"""Pure: which tariff a pile holds, and what it is answered when it asks (YKC 0x05, 0x09)."""

from evcs.contracts.config import PileConfig, TariffRef


class TariffRule:
    """What one pile confirmed, was delivered and shall have. Model numbers are compared without case."""

    __slots__ = (
        "_delivered",
        "confirmed",
        "wanted",
    )

    def __init__(self, config: PileConfig) -> None:
        self.confirmed: TariffRef | None = config.confirmed_tariff
        """What it last confirmed; a restarted bridge has it from the configuration."""
        self.wanted: TariffRef | None = None
        self._delivered: dict[str, TariffRef] = {}
        self.configured(config)

    def configured(self, config: PileConfig) -> None:
        """A new configuration: what the pile shall have, and what was delivered to it before this run."""
        self.wanted = config.wanted_tariff
        for ref in (*config.delivered_models, *((config.confirmed_tariff,) if config.confirmed_tariff else ())):
            self._delivered.setdefault(ref.model_no.lower(), ref)

    def checked(self, model_no: str, *, is_charging: bool) -> TariffRef | None:
        """The pile names its model: the version that it may keep ("same"), which is thereby confirmed; else None.

        "Same" only for what we delivered to this very pile: another platform may have used the number. While a car
        charges the pile keeps the version that it charges by; the wanted one is delivered at its next question.
        """
        held = self._delivered.get(model_no.lower())
        if held is not None:
            if self.wanted is not None and held.version == self.wanted.version:
                self.confirmed = held
                return held
            if is_charging and self.confirmed is not None and held.version == self.confirmed.version:
                return held
        if held is None or self.confirmed is None or held.version != self.confirmed.version:
            self.confirmed = None  # it holds something else than it once confirmed: no start until it confirms again
        return None

    def delivered(self, ref: TariffRef) -> None:
        """The table went out in answer to the pile's own question: that is its confirmation."""
        self._delivered[ref.model_no.lower()] = ref
        self.confirmed = ref
