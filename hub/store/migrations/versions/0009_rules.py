"""Rules of consumers, kinds of events that a utility makes notices of, and what a notice is of."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sqlmodel.sql.sqltypes.AutoString()
TIME = sqlmodel.sql.sqltypes.UTCDateTime()


def upgrade() -> None:
    op.create_table(
        "own_rule",
        sa.Column("id", BIG, nullable=False),
        sa.Column("contract_point_id", BIG, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("low_thousandths", BIG, nullable=True),
        sa.Column("high_thousandths", BIG, nullable=False),
        sa.Column("often", TEXT, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("since_at", TIME, nullable=False),
        sa.Column("holding", sa.Boolean(), nullable=False),
        sa.Column("looked_at", TIME, nullable=True),
        sa.Column("fired_at", TIME, nullable=True),
        sa.Column("due_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["contract_point_id"], ["contract_point.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_own_rule_contract_point_id", "own_rule", ["contract_point_id"])
    op.create_index("ix_own_rule_due_at", "own_rule", ["due_at"])
    op.create_table(
        "event_notice",
        sa.Column("supplier_id", BIG, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"]),
        sa.PrimaryKeyConstraint("supplier_id", "kind"),
    )
    op.add_column("notice", sa.Column("facts", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("notice", "facts")
    op.drop_table("event_notice")
    op.drop_table("own_rule")
