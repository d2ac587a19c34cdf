"""The base of what this room raises."""


class RulesError(Exception):
    """Something that the rules engine cannot work with."""


class SplitDiffers(RulesError):
    """A ready owner with another m is at work: two splits at once would decide about one station twice."""
