"""Everything that the environment decides: built once by the entry point from the environment, then passed along."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy import URL

from db.durations import parse_duration
from db.engine.limits import CONNECTIONS, TIMEOUT_SECONDS
from db.engine.url import parse_url
from db.gpu_price import GpuPrice, parse_gpu_price
from db.logs import LogFormat
from db.models_directory import POCKET, pocket_directory
from db.secret_files import SecretFilesSource

#: A day: whatever is waited for, more is a slip of the hand.
LONGEST_SECONDS = 86_400.0
#: A lease outlives two renewals that fail, and the third comes in time.
HEARTBEATS_IN_A_LEASE = 3
#: What a host may be called: it stands in Celery's node names, in log lines and on command lines.
HOST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
#: Connections of one process at most: PostgreSQL as it comes takes 100 from all of them.
MOST_CONNECTIONS = 100


class Settings(BaseSettings):
    """Settings of one process; each field is read from `PARAGONE_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="PARAGONE_", frozen=True, extra="ignore")

    #: Where everything lives that no URL places elsewhere.
    data_dir: Path = Path("paragone-data")
    #: SQLAlchemy URL; empty for SQLite under `data_dir`. May hold a password: never printed whole.
    database_url: SecretStr = SecretStr("")
    #: Celery broker URL; empty for the embedded broker. May hold a password.
    broker_url: SecretStr = SecretStr("")
    #: PEM file of a private authority that signed the broker's certificate (rediss://, amqps://); unset: those that the system knows.
    broker_ca: Path | None = None
    #: Seconds that a statement may take before its connection is given up: one that leads nowhere tells nobody.
    database_timeout_seconds: float = Field(default=TIMEOUT_SECONDS, ge=1, le=LONGEST_SECONDS, allow_inf_nan=False)
    #: Connections to PostgreSQL that one process holds at most; its threads share them.
    database_connections: int = Field(default=CONNECTIONS, ge=1, le=MOST_CONNECTIONS)
    #: How long a command waits at its start for a database and a broker that do not answer yet, such as 60s or 5m; 0 does not wait.
    wait: float = Field(default=0.0, ge=0, le=LONGEST_SECONDS, allow_inf_nan=False)
    #: fsspec URL of the image store; empty for `data_dir/store`.
    store_url: str = ""
    #: Local directory of models that stands in for the one a campaign names, for hosts that keep it elsewhere; "pocket" is a name.
    models: Path | None = None

    #: Base URL of the OpenAI-compatible endpoint that writes prompts, such as https://llm.example.org/v1; stands over a campaign's own.
    prompt_endpoint: str = ""
    #: Key of that endpoint; it is sent there alone.
    prompt_api_key: SecretStr = SecretStr("")
    #: Tokens, read and written, that one worker process may spend at the endpoint; empty for what the campaign says, 0 for no cap.
    prompt_most_tokens: int | None = Field(default=None, ge=0)

    #: What log lines are on standard error: text for people, or "json", one object a line.
    log: LogFormat = LogFormat.HUMAN

    #: Seconds until a silent worker's jobs may be taken over; three heartbeats at least.
    lease_seconds: float = Field(default=15.0, gt=0, le=LONGEST_SECONDS, allow_inf_nan=False)
    #: Seconds between two renewals of a worker's leases.
    heartbeat_seconds: float = Field(default=5.0, gt=0, le=LONGEST_SECONDS, allow_inf_nan=False)
    #: Seconds between two sweeps for expired leases, before jitter; shorter than a lease.
    sweep_seconds: float = Field(default=3.0, gt=0, le=LONGEST_SECONDS, allow_inf_nan=False)
    #: Seconds after which an idle worker looks for work by itself.
    look_seconds: float = Field(default=3.0, gt=0, le=LONGEST_SECONDS, allow_inf_nan=False)
    #: Threads of one worker process that share its device: one computes while the others read and decode, or encode and save.
    threads: int = Field(default=3, ge=1, le=64)
    #: Seconds that one batch may have before its worker process ends itself.
    budget_seconds: float = Field(default=1800.0, gt=0, le=LONGEST_SECONDS, allow_inf_nan=False)
    #: Seconds that a stopping worker has to finish the batch on its device.
    grace_seconds: float = Field(default=120.0, gt=0, le=LONGEST_SECONDS, allow_inf_nan=False)
    #: Seconds that a model waits at most, while the loaded ones have work, for its turn on a device where not all fit.
    starvation_seconds: float = Field(default=120.0, gt=0, le=LONGEST_SECONDS, allow_inf_nan=False)
    #: Seconds before a failed job's first retry; it doubles with each further one, and out of memory waits twice as long.
    retry_seconds: float = Field(default=5.0, ge=0, le=LONGEST_SECONDS, allow_inf_nan=False)
    #: Seconds before a worker process that died is started again the first time; it doubles with each further one.
    restart_seconds: float = Field(default=1.0, gt=0, le=LONGEST_SECONDS, allow_inf_nan=False)
    #: Models kept on one device at once; the least recently used leaves.
    models_kept: int = Field(default=3, ge=1)

    #: Names of this host's GPUs as CUDA_VISIBLE_DEVICES takes them, such as "0,1"; empty asks nvidia-smi.
    gpus: str = ""

    #: This host's name for people and for `paragone drain`; empty for the machine's own. Containers with equal ones need it.
    host: str = ""
    #: A shell command that says by exit code 0 that this host is about to be taken away; empty for none.
    notice_command: str = ""
    #: Seconds between two calls of `notice_command`.
    notice_seconds: float = Field(default=5.0, gt=0, le=LONGEST_SECONDS, allow_inf_nan=False)
    #: Port at which `paragone work` serves the metrics of its worker processes to Prometheus; without one it serves none.
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    #: Address at which metrics are served, those of `paragone metrics` too.
    metrics_address: str = "127.0.0.1"
    #: URL of the OpenTelemetry collector (OTLP over HTTP, such as http://collector:4318) that gets a span for each job; empty asks
    #: OTEL_EXPORTER_OTLP_ENDPOINT, and "off" sends none.
    traces: str = ""
    #: Price of a GPU hour, such as "1.20" or "1.20 EUR", at which forecasts and `status` tell money; empty tells none.
    gpu_price: str = ""

    #: Flower's login; without a password a fresh one is made and printed at the start.
    flower_user: str = "paragone"
    flower_password: SecretStr = SecretStr("")
    flower_port: int = Field(default=5555, ge=1, le=65535)
    flower_address: str = "127.0.0.1"
    #: Path under which a proxy offers Flower, such as "flower"; empty for the root.
    flower_url_prefix: str = ""
    #: Whether to believe the X-Forwarded-For and X-Forwarded-Proto headers: only behind a proxy that sets them.
    flower_xheaders: bool = False
    #: Attempts that Flower takes over from the database when it starts, the newest ones; 0 for none.
    flower_history: int = Field(default=10_000, ge=0, le=100_000)

    @field_validator("wait", mode="before")
    @classmethod
    def _duration(cls, value: Any) -> Any:
        return parse_duration(value) if isinstance(value, str) else value

    @field_validator("metrics_port", "prompt_most_tokens", mode="before")
    @classmethod
    def _given(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("data_dir", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if isinstance(value, str) and not value.strip():
            raise ValueError("is empty: name a folder, or unset it")
        return value

    @field_validator("data_dir")
    @classmethod
    def _folder(cls, value: Path) -> Path:
        try:
            absolute = value.expanduser().resolve()
            usable = absolute.is_dir() or not absolute.exists()
        except (OSError, RuntimeError) as error:  # no such user, a loop of links, a folder that may not be looked into
            raise ValueError(f"{value} cannot be used: {getattr(error, 'strerror', None) or error}") from None
        if not usable:
            raise ValueError(f"{value} is a file: name a folder")
        return absolute

    @field_validator("host")
    @classmethod
    def _host(cls, value: str) -> str:
        name = value.strip()
        if name and not HOST_NAME.fullmatch(name):
            raise ValueError(f"{value!r} is no name of a host: letters, digits and . _ : - only, 128 at most")
        return name

    @field_validator("models")
    @classmethod
    def _by_name(cls, value: Path | None) -> Path | None:
        return pocket_directory() if value == Path(POCKET) else value

    @field_validator("gpu_price")
    @classmethod
    def _price(cls, value: str) -> str:
        parse_gpu_price(value)
        return value.strip()

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        """A lease that ends before it is renewed takes the work of the living away."""
        if self.lease_seconds < HEARTBEATS_IN_A_LEASE * self.heartbeat_seconds:
            raise ValueError(
                f"PARAGONE_LEASE_SECONDS ({self.lease_seconds:g}) must be at least {HEARTBEATS_IN_A_LEASE} times"
                f" PARAGONE_HEARTBEAT_SECONDS ({self.heartbeat_seconds:g})"
            )
        if self.sweep_seconds >= self.lease_seconds:
            raise ValueError(
                f"PARAGONE_SWEEP_SECONDS ({self.sweep_seconds:g}) must be less than PARAGONE_LEASE_SECONDS ({self.lease_seconds:g})"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # no such file is read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # `NAME_FILE` says where each lies
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What was given stands over secrets in files, and these over plain variables."""
        return init_settings, SecretFilesSource(settings_cls), env_settings

    @property
    def alive_within_seconds(self) -> float:
        """For how long after its last heartbeat a worker counts as alive."""
        return 2 * self.lease_seconds

    @property
    def host_name(self) -> str:
        """What this host is called."""
        return self.host or socket.gethostname()

    @property
    def price_of_gpu(self) -> GpuPrice | None:
        """The price of a GPU hour; None if none is given."""
        return parse_gpu_price(self.gpu_price)

    @property
    def sqlalchemy_url(self) -> URL:
        """The database's URL, with the driver that Paragone uses; raises `BadConfiguration` for one that cannot work."""
        written = self.database_url.get_secret_value()
        if not written:
            return URL.create("sqlite", database=str(self.data_dir / "paragone.sqlite"))
        return parse_url(written)

    @property
    def store_location(self) -> str:
        """The image store's fsspec URL."""
        return self.store_url or str(self.data_dir / "store")
