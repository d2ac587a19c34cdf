"""A demo past, offline and in bulk: the simulator's cars, batteries and bills over days and months, as files.

No network and no clock of its own: the days are arguments, all chance comes from the seed, so the same call writes the
same bytes. A station advances in steps of 15 s where raw points are written and of 30 s before; a gun's readings lie
within a step at a phase of their own.
"""
