"""One frozen settings object, read once at the edge from ``HUB_*`` variables."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIN_KEY_LENGTH = 32

WordList = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """What an installation decides; ``docs`` of each field are its description.

    Lists are written with commas. Without keys the hub refuses to start (``hub demo`` makes its
    own), so a database never holds secrets sealed with a known key.
    """

    model_config = SettingsConfigDict(env_prefix="HUB_", frozen=True, extra="ignore")

    database_url: str = Field(
        "", description="sqlite:///… or postgresql+psycopg://…; empty: data_dir"
    )
    data_dir: Path = Field(Path("hub-data"), description="Folder of the SQLite file and the keys")
    keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Keys of sealed secrets, newest first"
    )
    base_url: str = Field(
        "http://127.0.0.1:8000", description="Address that links in mail begin with"
    )
    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0: any free one")
    secure_cookies: bool | None = Field(
        None, description="Cookies over HTTPS only; default by base_url"
    )
    trusted_proxies: WordList = Field((), description="Proxies whose X-Forwarded-For is believed")
    smtp_url: SecretStr | None = Field(None, description="smtp://user:password@host:port")
    mail_from: str = Field("hub@localhost", description="Sender of letters")
    sms_url: SecretStr | None = Field(
        None,
        description="Address of an SMS gateway, https://…?to={to}&text={text}; "
        "the next five say how it is asked",
    )
    sms_format: str = Field("json", description="Body: json, form, or none (asked by GET)")
    sms_body: str = Field(
        '{"phone": "{to}", "message": "{text}", "id": "{key}"}',
        description="What is sent, with {to}, {text} and {key}",
    )
    sms_headers: SecretStr = Field(
        SecretStr(""), description="Headers, one a line: Authorization: Bearer …"
    )
    sms_accepted: str = Field("", description="Pattern in the answer to an accepted message")
    sms_refused: str = Field("", description="Pattern in the answer to a number out of reach")
    brand: str = Field("", description="Name in the corner of every page; empty: the product's")
    emergency_phone: str | None = Field(None, description="Shown in the left panel")
    demo: bool = Field(False, description="Letters are kept and shown instead of sent")
    demo_login: str = Field(
        "", description="E-mail and password, with a space, that the sign-in page shows"
    )
    plugins: Annotated[tuple[str, ...] | None, NoDecode] = Field(
        None, description="Only these plugins are loaded; default: all installed"
    )
    private_hosts: WordList = Field(
        (), description="Hosts of suppliers and gateways that may be in the own network, over http"
    )
    processing_text: Path | None = Field(
        None,
        description="Folder with ru.txt and en.txt, the text on the processing of personal data "
        "that people agree to; default: the built-in one",
    )
    metrics_token: SecretStr | None = Field(
        None, description="Bearer token of /metrics from elsewhere than this machine"
    )
    log_level: str = Field("info", description="debug, info, warning or error")

    @field_validator("trusted_proxies", "private_hosts", "plugins", "keys", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("base_url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("HUB_BASE_URL begins with http:// or https://")
        return value.rstrip("/")

    @field_validator("processing_text")
    @classmethod
    def _both_languages(cls, folder: Path | None) -> Path | None:
        if folder and not all((folder / name).is_file() for name in ("ru.txt", "en.txt")):
            raise ValueError("HUB_PROCESSING_TEXT names a folder with ru.txt and en.txt")
        return folder

    @model_validator(mode="after")
    def _long_keys(self) -> Self:
        if any(len(key.get_secret_value()) < MIN_KEY_LENGTH for key in self.keys):
            raise ValueError("A key in HUB_KEYS is too short; make one with 'hub keys new'")
        return self

    @property
    def database(self) -> str:
        """The database's URL, by default a file in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'hub.db'}"

    @property
    def cookies_secure(self) -> bool:
        if self.secure_cookies is not None:
            return self.secure_cookies
        return self.base_url.startswith("https://")
