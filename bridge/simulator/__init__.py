"""Simulated piles that speak the true protocol over real TCP, for demos and for tests of the other rooms.

What may be relied on:

- The register of a gun only grows; the energy in 0x13, the sums of the bands and meter end − meter start in 0x3B
  are the same count of 0.0001 kWh, always.
- Frames carry honest wall times, unless a clock is said to be wrong: `speed` shortens waits (arrivals, visits,
  reports, what troubles take) and nothing else.
- `energy_factor` is a device for tests and demos: it multiplies the kWh that flow (register, 0x13, 0x3B, state of
  charge and bill alike) while volts, amperes and times stay as they are. 1 is physics: energy = ∫ V·I dt exactly.
- One seed, the same clock readings and the same commands give the same bytes. Every gun draws from a generator of
  its own, so that one pile's fortune does not depend on its neighbours; troubles have dice of their own as well, so
  that one trouble more or less changes nothing else.
- What goes wrong is a switch (`pile.troubles.drop = True`) or a chance (`Troubles(chances=…)`), and is counted in
  `troubles.happened`. What befalls a charge in its middle can be called at any moment: `pile.befall(Trouble.VANISH)`.
- Bills are computed here on their own (`biller`), in integers, sharing nothing with the platform's pricing.
"""
