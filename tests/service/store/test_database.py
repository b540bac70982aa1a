from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect

from service.store.database import migrate
from service.store.tables import metadata

LIVE = {"outcomes", "outcome_history", "decision_counts", "outcome_counts", "answers"}


def test_the_migrations_make_the_tables_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_outcomes_counts_and_answers_can_be_taken_back_and_made_again(engine: Engine) -> None:
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "service:store/migrations")
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    assert LIVE.isdisjoint(inspect(engine).get_table_names())
    migrate(engine)
    assert set(inspect(engine).get_table_names()) >= LIVE
