"""How alembic meets our tables: over the connection it is given, never over one of its own."""

from alembic import context

from hub.store import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.Row.metadata,
    render_as_batch=True,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
