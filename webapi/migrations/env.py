"""Alembic's environment: runs on the connection that `webapi.database.upgrade` hands over."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy.types import TypeDecorator

from webapi.models import metadata


def plain_type(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write our column types as what they are at rest, so that old migrations do not depend on today's code."""
    if kind == "type" and isinstance(item, TypeDecorator) and type(item).__module__.startswith("webapi."):
        return f"sa.{item.impl!r}"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    render_item=plain_type,
)
context.run_migrations()
