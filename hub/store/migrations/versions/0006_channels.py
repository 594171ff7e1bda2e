"""What people are told of and how, quiet hours, confirmed phones and codes sent to them."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sqlmodel.sql.sqltypes.AutoString()
TIME = sqlmodel.sql.sqltypes.UTCDateTime()


def upgrade() -> None:
    with op.batch_alter_table("user") as table:
        table.add_column(sa.Column("confirmed_phone", TEXT, nullable=False, server_default=""))
        table.add_column(sa.Column("quiet_from", sa.Integer(), nullable=True))
        table.add_column(sa.Column("quiet_to", sa.Integer(), nullable=True))
    with op.batch_alter_table("second_factor") as table:
        table.add_column(sa.Column("way", TEXT, nullable=False, server_default="app"))
    op.create_table(
        "notice_choice",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"]),
        sa.PrimaryKeyConstraint("user_id", "source", "channel"),
    )
    op.create_table(
        "phone_code",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("phone", TEXT, nullable=False),
        sa.Column("code_hash", TEXT, nullable=False),
        sa.Column("sent_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"]),
        sa.PrimaryKeyConstraint("user_id", "purpose"),
    )


def downgrade() -> None:
    op.drop_table("phone_code")
    op.drop_table("notice_choice")
    with op.batch_alter_table("second_factor") as table:
        table.drop_column("way")
    with op.batch_alter_table("user") as table:
        for name in ("quiet_to", "quiet_from", "confirmed_phone"):
            table.drop_column(name)
