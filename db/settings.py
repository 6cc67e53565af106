"""Everything that the environment decides: built once by the entry point from the environment, then passed along."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from db.models_directory import POCKET, pocket_directory


class Settings(BaseSettings):
    """Settings of one process; each field is read from `PARAGONE_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="PARAGONE_", frozen=True, extra="ignore")

    #: Where everything lives that no URL places elsewhere.
    data_dir: Path = Path("paragone-data")
    #: SQLAlchemy URL; empty for SQLite under `data_dir`. May hold a password: never printed whole.
    database_url: SecretStr = SecretStr("")
    #: Celery broker URL; empty for the embedded broker. May hold a password.
    broker_url: SecretStr = SecretStr("")
    #: Seconds that a statement may take before its connection is given up: one that leads nowhere tells nobody.
    database_timeout_seconds: float = Field(default=20.0, gt=0, allow_inf_nan=False)
    #: Connections to PostgreSQL that one process holds at most; its threads share them.
    database_connections: int = Field(default=3, ge=1)
    #: fsspec URL of the image store; empty for `data_dir/store`.
    store_url: str = ""
    #: Local directory of models that stands in for the one a campaign names, for hosts that keep it elsewhere; "pocket" is a name.
    models: Path | None = None

    #: Seconds until a silent worker's jobs may be taken over.
    lease_seconds: float = Field(default=15.0, gt=0)
    #: Seconds between two renewals of a worker's leases.
    heartbeat_seconds: float = Field(default=5.0, gt=0)
    #: Seconds between two sweeps for expired leases, before jitter.
    sweep_seconds: float = Field(default=3.0, gt=0)
    #: Seconds after which an idle worker looks for work by itself.
    look_seconds: float = Field(default=3.0, gt=0)
    #: Threads of one worker process that share its device: one computes while the others read and decode, or encode and save.
    threads: int = Field(default=3, ge=1, le=64)
    #: Seconds that one batch may have before its worker process ends itself.
    budget_seconds: float = Field(default=1800.0, gt=0)
    #: Seconds that a stopping worker has to finish the batch on its device.
    grace_seconds: float = Field(default=120.0, gt=0)
    #: Seconds that a model waits at most, while the loaded ones have work, for its turn on a device where not all fit.
    starvation_seconds: float = Field(default=120.0, gt=0)
    #: Seconds before a failed job's first retry; it doubles with each further one, and out of memory waits twice as long.
    retry_seconds: float = Field(default=5.0, ge=0)
    #: Seconds before a worker process that died is started again the first time; it doubles with each further one.
    restart_seconds: float = Field(default=1.0, gt=0)
    #: Models kept on one device at once; the least recently used leaves.
    models_kept: int = Field(default=3, ge=1)

    #: Names of this host's GPUs as CUDA_VISIBLE_DEVICES takes them, such as "0,1"; empty asks nvidia-smi.
    gpus: str = ""

    #: Flower's login; without a password a fresh one is made and printed at the start.
    flower_user: str = "paragone"
    flower_password: SecretStr = SecretStr("")
    flower_port: int = 5555
    flower_address: str = "127.0.0.1"

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("models")
    @classmethod
    def _by_name(cls, value: Path | None) -> Path | None:
        return pocket_directory() if value == Path(POCKET) else value

    @property
    def alive_within_seconds(self) -> float:
        """For how long after its last heartbeat a worker counts as alive."""
        return 2 * self.lease_seconds

    @property
    def sqlalchemy_url(self) -> str:
        """The database's URL, with the driver that Paragone uses."""
        url = self.database_url.get_secret_value()
        if not url:
            return f"sqlite:///{self.data_dir / 'paragone.sqlite'}"
        for prefix in ("postgresql://", "postgres://"):
            if url.startswith(prefix):
                return "postgresql+psycopg://" + url.removeprefix(prefix)
        return url

    @property
    def store_location(self) -> str:
        """The image store's fsspec URL."""
        return self.store_url or str(self.data_dir / "store")
