"""The settings of who is let in."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from sqlalchemy import Engine

from service.access.key_storage import DatabaseKeys, FileKeys, KeyStorage
from service.access.keys import KeySecret
from service.access.private_files import read_private
from service.core.errors import ConfigurationError


class AccessOptions(BaseModel):
    """Which keys are taken, and what is answered without one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys_secret: SecretStr = Field(
        SecretStr(""),
        description="Secret that API keys are hashed with, 32 characters at least, the same for all "
        "replicas; with it every request needs a key (docs/access.md).",
    )
    keys_secret_file: Path | None = Field(
        None, description="File with that secret in place of the setting; refused if others can read it."
    )
    keys_file: Path | None = Field(
        None,
        description="JSON file that keys are kept in, as hashes, in place of the database; refused if others "
        "can read it.",
    )
    keys_seconds: float = Field(
        5.0,
        ge=0.1,
        le=300,
        description="Seconds between two readings of the keys: so soon a revocation takes effect.",
    )
    keys_stale_seconds: float = Field(
        900.0,
        ge=1,
        le=7 * 86_400,
        description="While keys cannot be read, those read last count for so many seconds; then 503.",
    )
    insecure: bool = Field(
        False,
        description="Serve without keys on addresses that others reach, too: for networks in which a gateway "
        "asks for keys.",
    )
    metrics_access: Literal["open", "keyed"] = Field(
        "open", description="Whether `/metrics` needs a key with the scope `metrics`."
    )
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65_535,
        description="Port of their own for `/metrics` and the probes of health, by plain HTTP; `/metrics` is "
        "then on no other. Left out: all is on one port.",
    )

    @property
    def has_keys(self) -> bool:
        """Whether keys are configured. Then `secret` gives one, or raises."""
        return bool(self.keys_secret.get_secret_value()) or self.keys_secret_file is not None

    def secret(self) -> KeySecret | None:
        """The secret of keys; None if none is configured, so that no keys are asked for.

        Raises `ConfigurationError`.
        """
        given = self.keys_secret.get_secret_value()
        if self.keys_secret_file is not None:
            if given:
                raise ConfigurationError(
                    "keys_secret and keys_secret_file are both set; one of them says the secret",
                    field="keys_secret",
                )
            given = read_private(self.keys_secret_file, "keys_secret_file").strip()
            if not given:
                raise ConfigurationError(
                    f"keys_secret_file: {self.keys_secret_file} is empty", field="keys_secret_file"
                )
        if given:
            return KeySecret(given)
        if self.keys_file is not None:
            raise ConfigurationError(
                "keys_file is set without keys_secret, with which its keys were hashed", field="keys_secret"
            )
        return None

    def storage(self, engine: Engine) -> KeyStorage:
        """Where keys are kept; `engine` is the database of decisions."""
        return DatabaseKeys(engine) if self.keys_file is None else FileKeys(self.keys_file)
