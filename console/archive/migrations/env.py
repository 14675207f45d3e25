"""What alembic runs: migrations on a connection that somebody else has opened."""

from alembic import context

from console.archive.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
