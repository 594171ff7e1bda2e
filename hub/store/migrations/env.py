"""How alembic meets our tables: over the connection it is given, never over one of its own."""

from alembic import context
from sqlmodel import SQLModel

from hub.store import tables

assert tables  # imported for the tables it declares  # noqa: S101

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
