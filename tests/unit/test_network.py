from __future__ import annotations

import socket

import pytest


def test_a_unit_test_reaches_no_network() -> None:
    with pytest.raises(AssertionError, match="tried to connect to"):
        socket.create_connection(("127.0.0.1", 9))


def test_a_unit_test_may_use_a_unix_socket() -> None:
    with socket.socket(socket.AF_UNIX) as nobody, pytest.raises(FileNotFoundError):
        nobody.connect("/nowhere.sock")
