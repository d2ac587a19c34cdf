"""What the HTTP process can be told."""

from pathlib import Path

from pydantic import Field, field_validator

from evcs.runtime.settings import ServiceSettings
from evcs.store.open import ABOUT, SECRET, open_reader
from webapi.database import DEFAULT_URL


class Settings(ServiceSettings):
    """`EVCS_…` variables of `python -m webapi`."""

    database_url: str = Field(
        DEFAULT_URL, repr=False, description="relational database: sqlite:///path or postgresql://…"
    )
    store_url: str = Field(description=f"read only; {ABOUT}")
    store_secret: str | None = Field(None, repr=False, description=SECRET)
    http_host: str = Field("127.0.0.1", description="address of the HTTP API")
    http_port: int = Field(8090, ge=1, le=65535, description="port of the HTTP API")
    http_threads: int = Field(32, ge=2, le=512, description="requests served at the same time")
    http_timeout_s: int = Field(30, ge=5, le=600, description="a worker that does not answer this long is replaced, s")
    http_proxies: int = Field(
        0, ge=0, le=4, description="reverse proxies in front whose X-Forwarded-For and -Proto are believed"
    )
    http_body_kib: int = Field(64, ge=1, le=10_240, description="largest request body, KiB")
    http_reads_per_min: int = Field(3000, ge=0, description="reads of one signed-in asker in a minute; 0: no bound")
    http_changes_per_min: int = Field(1200, ge=0, description="changes by one asker in a minute; 0: no bound")
    http_strangers_per_min: int = Field(
        600, ge=0, description="requests of one address without a sign-in in a minute; 0: no bound"
    )
    recharge_alone_fen: int = Field(
        500_000, ge=0, description="largest recharge by hand of one person alone, fen; above it a second one approves"
    )
    recharge_day_fen: int = Field(
        5_000_000, ge=0, description="what one person may recharge by hand, or ask for, in a day, fen"
    )
    recharge_approval_h: int = Field(24, ge=1, le=720, description="how long a recharge waits for the second person, h")
    public_url: str = Field(
        "http://127.0.0.1:8090",
        pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$",
        description="where drivers reach the platform: stands in the QR codes of guns",
    )
    qr_secret: str | None = Field(
        None,
        repr=False,
        min_length=16,
        description="signs the QR codes of guns; without it the folder for files keeps one, made at first start",
    )
    var: Path = Field(Path("var"), description="folder for files")

    @field_validator("store_url")
    @classmethod
    def _names_a_store(cls, url: str) -> str:
        open_reader(url).close()
        return url
