"""Every setting, nested by part; each part's options are that part's model, wherever they are used.

A setting is read from a variable of the environment, or from a file of that name in `secrets_dir`. Its
variable has a documented name (`EVENMATCH_DURABLE`) and that of its place (`EVENMATCH_STORE_DURABLE`):
docs/adr/0017-settings.md. The README's table is made from here.
"""

from __future__ import annotations

import difflib
import errno
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    DirectoryPath,
    Field,
    IPvAnyNetwork,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from service.access.limits import RateOptions
from service.access.options import AccessOptions
from service.access.tokens import TokenOptions
from service.core.errors import UnknownGroupError
from service.core.group_labels import UnknownLabels
from service.core.group_reading import GroupReader, check_aliases
from service.core.groups import GroupSchema
from service.core.tenants import OTHER_TENANTS, TENANT_NAME
from service.files.documents.archives import ArchiveLimits
from service.files.documents.pool import DocumentOptions
from service.jobs.options import JobsOptions
from service.logs import LogFormat
from service.runtime.cohort_traffic import CohortCollecting
from service.runtime.options import ModelOptions, RedactionOptions, RequestLimits, RuntimeOptions
from service.runtime.shadow_audits import ShadowOptions
from service.store.outcomes import OutcomeKind
from service.store.recorder import StoreOptions

PREFIX = "EVENMATCH_"

_INJECTED = re.compile(
    PREFIX
    + r"(?:SERVICE_(?:HOST|PORT)(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?|NAME|ENV_\w+)"
)
_DOCUMENTED = {
    "redaction.categories": "REDACT_CATEGORIES",
    "redaction.entities": "REDACT_ENTITIES",
    "shadow_audit.per_request": "SHADOW_AUDITS_PER_REQUEST",
    "shadow_audit.names_per_group": "SHADOW_AUDIT_NAMES",
    "shadow_audit.hold_seconds": "SHADOW_AUDIT_SECONDS",
    "store.on_failure": "STORE_FAILURE",
    "fairness.refresh_seconds": "FAIRNESS_SECONDS",
}
"""Documented names that do not follow the rule: `EVENMATCH_` and the field, after the part only where
`_PARTS_IN_NAMES` has it."""

_PARTS_IN_NAMES = ("shadow_audit", "jobs", "jwt")

_EARLIER = {"shadow_audit.unredacted": "SHADOW_AUDIT_BARE"}
"""Names of earlier versions, which still work."""


HostName = Annotated[str, Field(pattern=r"^(\*|[A-Za-z0-9._-]+|[0-9A-Fa-f:]+)$")]
"""A name or an address without port, or `*`."""

TenantName = Annotated[str, Field(pattern=rf"^{TENANT_NAME.pattern}$")]

Origin = Annotated[str, Field(pattern=r"^(\*|[a-z][a-z0-9+.-]*://[^/\s,]+)$")]
"""As browsers send it: scheme, name and, unless it is the usual one, port; no path and no `/` at the end."""


class ServerOptions(BaseModel):
    """Where the service listens, its processes, and how long a client may take for each step."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(
        "127.0.0.1", description="Address to listen on; `0.0.0.0`: all of IPv4, `::`: all of both kinds."
    )
    port: int = Field(8000, ge=0, le=65_535, description="TCP port; 0 takes a free one.")
    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="Serving processes behind the port; each loads the model, they share the cores.",
    )
    drain_seconds: float = Field(30.0, gt=0, description="Time given to open requests after SIGTERM.")
    start_seconds: float = Field(
        600.0,
        gt=0,
        description="With several workers: one that does not serve so long after its start is replaced.",
    )
    keep_alive_seconds: int = Field(
        75,
        ge=1,
        description="Seconds that a connection stays open between two requests; above the proxy's own.",
    )
    header_seconds: float = Field(
        20.0, gt=0, description="Time for a request's header, from the connection's or the header's begin."
    )
    body_seconds: float = Field(
        20.0,
        gt=0,
        description="Time for a request's body; bytes that arrive earn time back, 10,000 a second.",
    )
    write_seconds: float = Field(
        60.0, gt=0, description="Longest time in which a client reads nothing of its answer."
    )
    max_connections: int = Field(
        1_000,
        ge=8,
        description="Most open connections of one process; fewer where too few files may be open.",
    )
    root_path: str = Field(
        "",
        pattern=r"^(/[A-Za-z0-9._~-]+)*$",
        description="Prefix of all paths behind a gateway, as `/evenmatch`, whether it takes it off or not.",
    )
    docs: bool = Field(
        True,
        description="Serve the reference at `/docs` and the API's description at `/openapi.json`; `false`: "
        "neither is there.",
    )
    allowed_hosts: tuple[HostName, ...] | None = Field(
        None,
        description='Names by which requests may address the service (`Host`), as JSON; `["*"]`: any. Left '
        "out: this machine's own on a loopback address, else any.",
    )
    cors_origins: tuple[Origin, ...] = Field(
        (),
        description="Origins of web pages that may call the service from a browser, as JSON: "
        '`["https://ats.example.com"]`.',
    )
    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(
        (IPv4Network("127.0.0.1"), IPv6Network("::1")),
        description="Addresses or networks of gateways whose `X-Forwarded-*` headers are believed, as JSON.",
    )
    tls_certificate: Path | None = Field(
        None,
        description="PEM file of the certificate and those between it and its authority; with it the service "
        "speaks HTTPS.",
    )
    tls_key: Path | None = Field(
        None,
        description="PEM file of the certificate's key, refused if others can read it. Left out: it is in "
        "the certificate's file.",
    )
    tls_key_password: SecretStr = Field(SecretStr(""), description="Password of that key, if it has one.")
    tls_client_ca: Path | None = Field(
        None,
        description="PEM file of authorities; then only callers with a certificate of theirs can connect "
        "(mTLS).",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log level; libraries log from `info` on."
    )
    log_format: LogFormat = Field(
        "text", description="Lines for people, or `json`: one object a line (docs/operations.md)."
    )
    tracing: bool = Field(
        False,
        description="Send OpenTelemetry traces, without texts and ids; needs the extra `tracing`. Where to: "
        "OpenTelemetry's own variables, as `OTEL_EXPORTER_OTLP_ENDPOINT` (docs/operations.md).",
    )


class FairnessMonitoring(BaseModel):
    """Which groups are watched, and by which outcomes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    groups: GroupSchema = Field(
        GroupSchema(), description="Attributes and groups for monitoring, as JSON (see docs/groups.md)."
    )
    group_aliases: dict[str, dict[str, str]] = Field(
        {},
        description='What labels of groups mean, as JSON: `{"sex": {"W": "female"}}`; before the table of '
        "docs/groups.md.",
    )
    unknown_groups: UnknownLabels = Field(
        "refuse",
        description="What becomes of a label that stands for no group: `refuse` (422), or `unknown`: it is "
        "counted so, and the answer says it.",
    )
    ground_truth: OutcomeKind = Field(
        "label", description="Which outcomes count as the truth where nothing else is asked."
    )
    clock_skew_seconds: float = Field(
        300.0, ge=0, le=86_400, description="How far the clock of who sends outcomes may differ, in seconds."
    )
    refresh_seconds: float = Field(
        60.0, ge=1, le=3_600, description="Seconds between two refreshes of the live fairness gauges."
    )
    metrics_tenants: tuple[TenantName, ...] = Field(
        (),
        max_length=100,
        description="Tenants with fairness series of their own, as JSON; all others are `other`. Empty: no "
        "label `tenant` (docs/tenants.md).",
    )

    @field_validator("metrics_tenants")
    @classmethod
    def _tells_tenants_apart(cls, tenants: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(tenants)) != len(tenants) or OTHER_TENANTS in tenants:
            raise ValueError(
                f"names a tenant twice, or {OTHER_TENANTS}, which stands for all that are not named"
            )
        return tenants

    @model_validator(mode="after")
    def _aliases_fit(self) -> Self:
        try:
            check_aliases(self.group_aliases, self.groups)
        except UnknownGroupError as error:
            raise ValueError(error.message) from None
        return self

    def group_reader(self) -> GroupReader:
        """Reads groups as these settings say."""
        return GroupReader(self.groups, self.group_aliases, self.unknown_groups)


class Settings(BaseSettings):
    """What is given in code, as by the command line, goes before the environment, and that before files."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    server: ServerOptions = ServerOptions()
    access: AccessOptions = AccessOptions()
    jwt: TokenOptions = TokenOptions()
    rates: RateOptions = RateOptions()
    secrets_dir: DirectoryPath | None = Field(
        None,
        description="Folder of secret settings, a file each, named as the variable but in lower case.",
    )
    model: ModelOptions = ModelOptions()
    limits: RequestLimits = RequestLimits()
    redaction: RedactionOptions = RedactionOptions()
    shadow_audit: ShadowOptions = ShadowOptions()
    store: StoreOptions = StoreOptions()
    fairness: FairnessMonitoring = FairnessMonitoring()
    collecting: CohortCollecting = CohortCollecting()
    documents: DocumentOptions = DocumentOptions()
    archives: ArchiveLimits = ArchiveLimits()
    jobs: JobsOptions = JobsOptions()

    @model_validator(mode="after")
    def _has_a_data_folder(self) -> Settings:
        if self.store.data_dir.parts[:1] == ("~",):
            raise PydanticCustomError(
                "no_home", "this user has no home folder: set EVENMATCH_DATA_DIR to a folder it can write to"
            )
        return self

    @property
    def runtime(self) -> RuntimeOptions:
        """What the runtime is built from."""
        return RuntimeOptions(self.store.data_dir / "models", self.model, self.redaction, self.limits)

    @property
    def keyed(self) -> bool:
        """Whether a request has to say who sends it: keys or tokens are configured."""
        return self.access.has_keys or self.jwt.issuer is not None

    def without_cohort(self) -> Settings:
        """The same, but for the cohort: what builds or judges one scores without."""
        return self.model_copy(update={"model": self.model.model_copy(update={"cohort": None})})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What was given in code, then the environment, then the files of `secrets_dir`."""
        given = {name: value for name, value in os.environ.items() if not is_injected(name, value)}
        environment = _Variables(settings_cls, {name.lower(): value for name, value in given.items()})
        folder = (environment() | init_settings()).get("secrets_dir")
        if folder is None or not Path(folder).is_dir():  # the field's own check refuses what is no folder
            return init_settings, environment
        return init_settings, environment, _Variables(settings_cls, _SecretFiles(Path(folder)))


@dataclass(frozen=True, slots=True)
class Setting:
    """`path`: where it stands, as "store.durable". `names`: its variable's, the documented one first."""

    path: str
    field: FieldInfo
    names: tuple[str, ...]


@cache
def all_settings() -> tuple[Setting, ...]:
    """Every setting in the order in which it is documented."""
    found: list[Setting] = []
    for part, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            for name, inner in field.annotation.model_fields.items():
                path = f"{part}.{name}"
                long = f"{part}_{name}".upper()
                documented = _DOCUMENTED.get(path, long if part in _PARTS_IN_NAMES else name.upper())
                names = dict.fromkeys((documented, long, _EARLIER.get(path, long)))
                found.append(Setting(path, inner, tuple(PREFIX + one for one in names)))
        else:
            found.append(Setting(part, field, (PREFIX + part.upper(),)))
    return tuple(found)


def variable_of(loc: Sequence[int | str]) -> str:
    """The variable of a place in the settings, and where in its value: `EVENMATCH_GROUPS.attributes`."""
    variables = {tuple(setting.path.split(".")): setting.names[0] for setting in all_settings()}
    for length in range(len(loc), 0, -1):
        if (variable := variables.get(tuple(map(str, loc[:length])))) is not None:
            return ".".join((variable, *map(str, loc[length:])))
    return ".".join(map(str, loc)) or "settings"


def unknown_variables(given: Mapping[str, str]) -> Iterator[str]:
    """Say which variables of this service's prefix are no setting, each with the closest that is one."""
    known = {name for setting in all_settings() for name in setting.names}
    injected = [name for name in sorted(given) if is_injected(name, given[name])]
    if injected:
        yield (
            f"{len(injected)} variables, among them {injected[0]}, are what Kubernetes or Docker set for a "
            "service of this name, and are ignored; the port is set by EVENMATCH_SERVER_PORT, too"
        )
    for name in sorted(given):
        if name.upper().startswith(PREFIX) and name.upper() not in known and name not in injected:
            close = difflib.get_close_matches(name.upper(), sorted(known), n=1)
            yield f"{name} is no setting and is ignored" + (f"; did you mean {close[0]}?" if close else "")


def is_injected(name: str, value: str) -> bool:
    """Whether an orchestrator set a variable because a service or container is called `evenmatch`.

    Kubernetes' service links: `EVENMATCH_PORT=tcp://10.96.0.1:8000`, `EVENMATCH_SERVICE_HOST`,
    `EVENMATCH_PORT_8000_TCP_ADDR` and so on; Docker links also set `EVENMATCH_NAME` and `EVENMATCH_ENV_...`.
    """
    if name.upper() == f"{PREFIX}PORT":
        return "://" in value
    return _INJECTED.fullmatch(name.upper()) is not None


class _Variables(EnvSettingsSource):
    """Settings by the names of their variables, in lower case: from the environment, or from files."""

    def __init__(self, settings_cls: type[BaseSettings], values: Mapping[str, str]) -> None:
        super().__init__(settings_cls)
        self._values = values

    def __call__(self) -> dict[str, Any]:
        """Settings that are given and not blank, nested. Raises `SettingsError`."""
        found: dict[str, Any] = {}
        for setting in all_settings():
            # Compose files and charts write a variable that is not set as an empty one.
            given = [(name, value) for name in setting.names if (value := self._read(name)) and value.strip()]
            if not given:
                continue
            name, value = given[0]
            for other, differs in given[1:]:
                if differs != value:
                    raise SettingsError(f"{name} and {other} are the same setting and have different values")
            try:
                parsed = self.prepare_field_value(name, setting.field, value, False)
            except ValueError as error:
                raise SettingsError(f"{name} is not JSON") from error
            part, _, field = setting.path.rpartition(".")
            (found.setdefault(part, {}) if part else found)[field] = parsed
        return found

    def _read(self, name: str) -> str | None:
        try:
            return self._values.get(name.lower())
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"the file of {name} cannot be read") from error


class _SecretFiles(Mapping[str, str]):
    """The files of a folder by their names in lower case, read when they are asked for.

    Links are followed within the folder, as orchestrators make them, and not out of it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._files = {file.name.lower(): file for file in folder.iterdir()}

    def __getitem__(self, name: str) -> str:
        file = self._files[name]
        # Whoever may write into this folder must not be able to have any other file read.
        if self._folder not in file.resolve().parents:
            raise PermissionError(errno.EPERM, "it is a link that leads out of the folder")
        return file.read_text("utf-8").strip()

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)
