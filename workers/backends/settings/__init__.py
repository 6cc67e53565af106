"""The settings of each backend: one frozen model for each, with the only defaults there are. Loads no model library."""

from __future__ import annotations

from workers.backends.settings.base import BackendSettings, CountedBy, PromptSettings, RepaintSettings
from workers.backends.settings.blip2 import Blip2Settings
from workers.backends.settings.chat import ChatSettings, WriterSettings
from workers.backends.settings.chat_endpoint import ChatEndpointSettings
from workers.backends.settings.compose import ComposeSettings
from workers.backends.settings.fakes import (
    FakeCaptionSettings,
    FakePromptSettings,
    FakeRepaintSettings,
    InjectedFault,
    InjectedFaultKind,
    NoBackendSettings,
)
from workers.backends.settings.img2img import Img2ImgSettings
from workers.backends.settings.reading import SettingFault, check_settings, read_stored_settings

__all__ = [
    "BackendSettings",
    "Blip2Settings",
    "ChatEndpointSettings",
    "ChatSettings",
    "ComposeSettings",
    "CountedBy",
    "FakeCaptionSettings",
    "FakePromptSettings",
    "FakeRepaintSettings",
    "Img2ImgSettings",
    "InjectedFault",
    "InjectedFaultKind",
    "NoBackendSettings",
    "PromptSettings",
    "RepaintSettings",
    "SettingFault",
    "WriterSettings",
    "check_settings",
    "read_stored_settings",
]
