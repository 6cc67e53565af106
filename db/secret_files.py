"""Secrets as files: `NAME_FILE` holds the path of a file that holds what `NAME` would, as Docker's and Kubernetes' secrets do.

It works for every setting that is a secret, for the store's URL, and for the variables that libraries read for themselves. A password may
also stand apart from its URL, in `PARAGONE_DATABASE_PASSWORD` and `PARAGONE_BROKER_PASSWORD`, so that a file need hold nothing but it.
No message shows what a file holds.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import SecretStr
from pydantic_settings import PydanticBaseSettingsSource

from db.errors import BadConfiguration

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from pydantic.fields import FieldInfo

#: What a variable's name ends in when it holds a path.
SUFFIX = "_FILE"
#: Settings whose text is no `SecretStr`, and may hold a key all the same.
URLS_WITH_KEYS = ("store_url",)
#: Setting to the variable of the password that is put into its URL.
PASSWORDS = {"database_url": "PARAGONE_DATABASE_PASSWORD", "broker_url": "PARAGONE_BROKER_PASSWORD"}
#: Variables that libraries and backends read for themselves: Hugging Face's token, the keys of an S3 store, that of a chat endpoint.
LIBRARY_SECRETS = ("HF_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PARAGONE_PROMPT_API_KEY")
#: Bytes: what is longer is no secret but a mistaken path.
LONGEST_SECRET = 65_536

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9.+-]*)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.DOTALL)


class SecretFilesSource(PydanticBaseSettingsSource):
    """Settings from `NAME_FILE`, and URLs with the passwords that stand apart from them.

    Raises `BadConfiguration`, which is one line, for a file that cannot be used and for a secret that is given twice.
    """

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002  # the base class's signature
        """One setting's value, None where no file and no password has a part in it."""
        # What the program itself was given stands over the environment as a whole.
        value = None if field_name in self.current_state else self._secret(field_name)
        return value, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The settings that come from files or passwords."""
        names = [name for name, field in self.settings_cls.model_fields.items() if may_be_a_file(name, field)]
        found = {name: self.get_field_value(self.settings_cls.model_fields[name], name)[0] for name in names}
        return {name: value for name, value in found.items() if value is not None}

    def _secret(self, name: str) -> str | None:
        environment = {key.upper(): value for key, value in os.environ.items()}
        variable = f"{self.config.get('env_prefix', '')}{name}".upper()
        value = read_secret(environment, variable)
        apart = PASSWORDS.get(name)
        password = read_secret(environment, apart) if apart else None
        if apart and password:
            value = _with_password(value or "", password, variable=variable, apart=apart)
        return value


def may_be_a_file(name: str, field: FieldInfo) -> bool:
    """Whether a setting can be given as `NAME_FILE`."""
    return field.annotation is SecretStr or name in URLS_WITH_KEYS


def read_secret(environment: Mapping[str, str], variable: str) -> str | None:
    """What `variable` or the file that `variable`_FILE names holds; None if neither is set, and what is empty counts as not set.

    Raises `BadConfiguration` where both are set or the file cannot be used.
    """
    value, path = environment.get(variable), environment.get(variable + SUFFIX)
    if not path:
        return value or None
    if value:
        raise BadConfiguration(f"{variable} and {variable}{SUFFIX} are both set: unset one of them")
    return _contents(path, variable + SUFFIX)


def export_library_secrets(environment: MutableMapping[str, str]) -> None:
    """Set the variables that libraries read, from the files that `NAME_FILE` names.

    The `NAME_FILE` itself is removed, so that a child process finds the one or the other. Raises `BadConfiguration` as `read_secret` does.
    """
    for variable in LIBRARY_SECRETS:
        if environment.get(variable + SUFFIX):
            environment[variable] = read_secret(environment, variable) or ""
            del environment[variable + SUFFIX]


def without_url_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without the files and passwords of URLs: for a child process that is given the finished URLs."""
    files = {f"PARAGONE_{name}{SUFFIX}".upper() for name in (*PASSWORDS, *URLS_WITH_KEYS)}
    apart = {name for password in PASSWORDS.values() for name in (password, password + SUFFIX)}
    return {name: value for name, value in environment.items() if name.upper() not in files | apart}


def _contents(path: str, variable: str) -> str:
    try:
        with Path(path).expanduser().open("rb") as file:
            data = file.read(LONGEST_SECRET + 1)
        # An editor's byte order mark and last line break are no part of a secret.
        text = data.decode("utf-8-sig").rstrip("\r\n")
    except PermissionError:
        raise BadConfiguration(f"{variable}: {path} may not be read by user {os.getuid()}: change its owner or mode") from None
    except IsADirectoryError:
        # Docker makes a folder of a bind mount whose file is missing.
        raise BadConfiguration(f"{variable}: {path} is a folder: name a file that holds the secret") from None
    except (OSError, RuntimeError, ValueError) as error:  # no such file, no such user's home, bytes that are no text, a NUL in the path
        cause = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"cannot be read ({_short(error)})"
        raise BadConfiguration(f"{variable}: {path} {cause}: name a file that holds the secret") from None
    if len(data) > LONGEST_SECRET or "\n" in text or "\0" in text:
        raise BadConfiguration(f"{variable}: {path} holds more than one line: write nothing but the secret into it")
    if not text:
        raise BadConfiguration(f"{variable}: {path} is empty: write the secret into it, or unset {variable}")
    return text


def _short(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _with_password(urls: str, password: str, *, variable: str, apart: str) -> str:
    """The URL, or each of a broker's list of them, with the password in it, whatever characters it has."""
    if not urls:
        raise BadConfiguration(f"{apart} is set, but {variable} is not: set {variable} too, without the password")
    many = urls.split(";") if variable == "PARAGONE_BROKER_URL" else [urls]
    return ";".join(_one_with_password(url.strip(), password, variable=variable, apart=apart) for url in many)


def _one_with_password(url: str, password: str, *, variable: str, apart: str) -> str:
    parts = _URL.fullmatch(url)
    if parts is None or parts["scheme"].startswith(("sqlite", "memory", "filesystem")):
        raise BadConfiguration(f"{apart} is set, but {variable} is not the URL of a server that asks for one: unset {apart}")
    user, _, server = parts["authority"].rpartition("@")
    if ":" in user:
        raise BadConfiguration(f"{variable} and {apart} both hold a password: remove it from the URL")
    if not user and not parts["scheme"].startswith(("redis", "valkey", "sentinel")):
        raise BadConfiguration(f"{variable} names no user whose password {apart} is: write {parts['scheme']}://user@host/...")
    return f"{parts['scheme']}://{user}:{quote(password, safe='')}@{server}{parts['rest']}"
