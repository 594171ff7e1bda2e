"""A code besides the password, the new address of a change, consents to processing."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sqlmodel.sql.sqltypes.AutoString()
TIME = sqlmodel.sql.sqltypes.UTCDateTime()


def upgrade() -> None:
    op.create_table(
        "second_factor",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("sealed_secret", TEXT, nullable=False),
        sa.Column("on_at", TIME, nullable=True),
        sa.Column("last_step", BIG, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"]),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("code_hash", TEXT, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"]),
        sa.PrimaryKeyConstraint("user_id", "code_hash"),
    )
    op.create_table(
        "processing_consent",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"]),
        sa.PrimaryKeyConstraint("user_id", "version"),
    )
    with op.batch_alter_table("one_time_token") as table:
        table.add_column(sa.Column("detail", TEXT, nullable=False, server_default=""))
