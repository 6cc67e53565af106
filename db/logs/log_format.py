"""Which of the two forms logs have."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: One record in a file or a pipe, for people.
LINE_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class LogFormat(StrEnum):
    """What a log line is."""

    #: Text for people.
    HUMAN = "human"
    #: One JSON object.
    JSON = "json"


def wanted_format(environment: Mapping[str, str] | None = None) -> LogFormat:
    """The form that `PARAGONE_LOG` asks for, for entry points that log before they have read the settings.

    A value that is no form means text: the settings refuse it, and that has to be read by somebody.
    """
    value = (os.environ if environment is None else environment).get("PARAGONE_LOG", "")
    return LogFormat.JSON if value == LogFormat.JSON else LogFormat.HUMAN
