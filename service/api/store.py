"""The database that the settings name, ready for use."""

from __future__ import annotations

from sqlalchemy import Engine

from service.api.settings import Settings
from service.store.access import reachable
from service.store.database import migrate, open_database


def open_store(settings: Settings) -> Engine:
    """Open and migrate it. Raises `ConfigurationError` and `StoreUnavailableError`."""
    if not settings.database_url:
        settings.data_dir.expanduser().mkdir(parents=True, exist_ok=True)
    engine = open_database(settings.store_url)
    with reachable():
        migrate(engine)
    return engine
