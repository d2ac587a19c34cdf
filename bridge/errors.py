"""The bridge room's base error: what a caller inside the room may have to treat differently derives from it."""


class BridgeError(Exception):
    """Anything the bridge, its protocols or its simulator raise on purpose."""
