"""An upgrade without a pause: the new version migrates the tables while processes of the old one use them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Column, Engine, LargeBinary, MetaData, Table, func, insert, select
from sqlalchemy.types import Boolean, Float, Integer

from service.core.errors import StoreError
from service.store.database import known_revisions, migrate, open_database
from service.store.sqlite import create_file, file_of


@pytest.fixture(autouse=True)
def migration_at_once() -> None:
    """Here Alembic itself is asked each time."""


REVISIONS = sorted(known_revisions())


@pytest.fixture
def unmigrated(url: str) -> Iterator[Engine]:
    opened = open_database(url)
    if opened.dialect.name == "sqlite":
        create_file(file_of(opened.url))
    yield opened
    opened.dispose()


def bring_to(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "service:store/migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def value(column: Column[object], number: int) -> object:
    kind = column.type
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, LargeBinary):
        return b"sealed"
    if isinstance(kind, Integer | Float):
        return number
    return str(number)


def write_and_read(engine: Engine, tables: list[Table], number: int) -> None:
    """As the old version does: it names the columns that it knows, and no others."""
    with engine.begin() as connection:
        for table in tables:
            row = {column.name: value(column, number) for column in table.columns}
            connection.execute(insert(table).values(row))
            assert len(connection.execute(select(table)).all()) == number


@pytest.mark.parametrize(("old", "new"), list(pairwise(REVISIONS)))
def test_a_process_of_the_old_version_goes_on_after_the_new_one_migrated(
    unmigrated: Engine, old: str, new: str
) -> None:
    bring_to(unmigrated, old)
    known = MetaData()
    known.reflect(unmigrated)
    tables = [table for table in known.sorted_tables if table.name != "alembic_version"]
    assert tables
    write_and_read(unmigrated, tables, 1)
    bring_to(unmigrated, new)
    write_and_read(unmigrated, tables, 2)
    with unmigrated.connect() as connection:
        assert connection.execute(select(func.count()).select_from(tables[0])).scalar_one() == 2


def test_an_old_version_does_not_start_on_tables_of_a_newer_one(unmigrated: Engine) -> None:
    migrate(unmigrated)
    with unmigrated.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="migrated by a newer version"):
        migrate(unmigrated)
