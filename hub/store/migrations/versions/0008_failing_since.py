"""Since when a supplier can't be asked, for the note above the pages of its contracts."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TIME = sqlmodel.sql.sqltypes.UTCDateTime()


def upgrade() -> None:
    with op.batch_alter_table("contract_state") as table:
        table.add_column(sa.Column("failing_since", TIME, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("contract_state") as table:
        table.drop_column("failing_since")
