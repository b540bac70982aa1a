"""The table of API keys. No key is in it: only what names it, and a keyed hash (`service.access.keys`)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table, Text

from service.store.tables import metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(12), primary_key=True),  # public: it names the key
    Column("name", String(64), nullable=False),
    Column("tenant", String(64), nullable=False),
    Column("scopes", Text, nullable=False),  # separated by spaces
    Column("digest", String(64), nullable=False),
    Column("secret_id", String(16), nullable=False),  # of the secret that the digest was made with
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("revoked", BigInteger),
    Column("replaces", String(12)),  # id of the key that it was made for
)
