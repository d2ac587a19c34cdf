"""What may stand in a path: anything else is simply not found, and reaches no query."""

from werkzeug.routing import BaseConverter, IntegerConverter, Map


class CodeConverter(BaseConverter):
    """Codes and pile numbers."""

    regex = r"[A-Za-z0-9_-]{1,32}"


class SerialConverter(BaseConverter):
    """Order serials."""

    regex = r"[0-9A-Fa-f]{32}"


class RowConverter(IntegerConverter):
    """Row numbers, as large as JSON keeps exactly."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, min=1, max=2**53 - 1)


class GunConverter(IntegerConverter):
    """Gun numbers: what cannot be one is not looked for, since the column could not even hold it."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, min=1, max=99)
