"""A mark of each series that changes with its blocks."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("series", sa.Column("mark", BIG, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("series", "mark")
