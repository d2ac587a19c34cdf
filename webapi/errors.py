"""Base of what this room's HTTP side raises."""


class ApiError(Exception):
    """Something that the person or program who asked may be told."""
