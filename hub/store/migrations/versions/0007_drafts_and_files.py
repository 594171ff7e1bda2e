"""What was typed and not sent yet, and the files of appeals, ours and those of the house books."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sqlmodel.sql.sqltypes.AutoString()
TIME = sqlmodel.sql.sqltypes.UTCDateTime()


def upgrade() -> None:
    op.create_table(
        "draft",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("place", TEXT, nullable=False),
        sa.Column("sealed_fields", TEXT, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "place"),
    )
    op.create_table(
        "attachment",
        sa.Column("id", BIG, nullable=False),
        sa.Column("draft_id", BIG, nullable=True),
        sa.Column("appeal_id", BIG, nullable=True),
        sa.Column("message_id", BIG, nullable=True),
        sa.Column("remote_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["draft.id"]),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeal.id"]),
        sa.ForeignKeyConstraint(["message_id"], ["appeal_message.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("draft_id", "appeal_id", "message_id"):
        op.create_index(f"ix_attachment_{column}", "attachment", [column])
    op.create_table(
        "house_file",
        sa.Column("id", BIG, nullable=False),
        sa.Column("message_id", BIG, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["house_message.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_house_file_message_id", "house_file", ["message_id"])


def downgrade() -> None:
    for table in ("house_file", "attachment", "draft"):
        op.drop_table(table)
