"""Certificates of a configured broker: what is accepted, what is refused, and how it is told."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from flower.utils.broker import Broker as FlowersBroker
from kombu.exceptions import OperationalError

from db.enums import Stage
from db.settings import Settings
from tests.services.encrypted import encrypted_valkey
from workers.broker import Broker, BrokerNotTrusted, resolve_broker
from workers.wake_ups.app import create_app
from workers.wake_ups.notifier import Notifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celery import Celery

    from tests.services.certificates import Authority


@contextlib.contextmanager
def _plain_answers() -> Iterator[int]:
    """The port of a server that answers everything in plain text."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client:
                        client.recv(4096)
                        client.sendall(b"-ERR unknown command\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _broker(url: str, authority: Authority | None = None) -> Broker:
    return resolve_broker(Settings.model_validate({"broker_url": url, "broker_ca": authority and authority.file}))


def test_a_broker_whose_authority_is_known_is_trusted(tls_broker_url: str, authority: Authority) -> None:
    assert _broker(tls_broker_url, authority).is_running()
    assert _broker(f"{tls_broker_url}?ssl_ca_certs={authority.file}").is_running()


def test_wake_ups_travel_encrypted_by_the_same_settings(tls_broker_url: str, authority: Authority) -> None:
    with create_app(_broker(tls_broker_url, authority).url) as app:
        notifier = Notifier(app)

        assert notifier.wake([Stage.CAPTION], threads=lambda _: 1) == 2
        assert notifier.depths([Stage.CAPTION]) == {Stage.CAPTION: 2}


def test_flower_asks_for_queues_by_the_same_settings(tls_broker_url: str, authority: Authority) -> None:
    async def lengths(app: Celery) -> Any:
        address = app.connection_for_read().as_uri(include_password=True)
        return await FlowersBroker(address, broker_use_ssl=app.conf.broker_use_ssl).queues(["paragone.caption"])

    with create_app(_broker(tls_broker_url, authority).url) as app:
        Notifier(app).wake([Stage.CAPTION], threads=lambda _: 1)
        assert asyncio.run(lengths(app)) == [{"name": "paragone.caption", "messages": 2}]


def test_celery_itself_takes_no_unknown_certificate(tls_broker_url: str, foreign_authority: Authority) -> None:
    for broker in (_broker(tls_broker_url), _broker(tls_broker_url, foreign_authority)):
        with create_app(broker.url) as app, pytest.raises(OperationalError, match="certificate verify failed"):
            Notifier(app).depths([Stage.CAPTION])


def test_a_certificate_of_an_unknown_authority_is_refused_with_the_mend(tls_broker_url: str, foreign_authority: Authority) -> None:
    for broker in (_broker(tls_broker_url), _broker(tls_broker_url, foreign_authority)):
        with pytest.raises(
            BrokerNotTrusted, match="an authority that this host does not know: name the right one's file in PARAGONE_BROKER_CA"
        ):
            broker.refuse_untrusted()


def test_a_certificate_for_another_host_is_refused_with_its_name(broker_url: str, authority: Authority) -> None:
    with encrypted_valkey(broker_url, authority, "broker.example") as proxy:
        url = f"rediss://:hunter2@localhost:{proxy.port}/0"
        with pytest.raises(BrokerNotTrusted, match=r"is for another host .*'localhost'") as told:
            _broker(url, authority).refuse_untrusted()
        assert "hunter2" not in str(told.value)

        assert _broker(f"rediss://localhost:{proxy.port}/0?ssl_check_hostname=false", authority).is_running()


def test_an_expired_certificate_is_refused(broker_url: str, authority: Authority) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    told = pytest.raises(BrokerNotTrusted, match="has expired: renew it, and check the clock")
    with encrypted_valkey(broker_url, authority, expires=yesterday) as proxy, told:
        _broker(f"rediss://localhost:{proxy.port}/0", authority).refuse_untrusted()


def test_a_broker_that_answers_without_tls_is_told_from_one_that_does_not_answer() -> None:
    told = pytest.raises(BrokerNotTrusted, match="speaks no TLS at that port: correct the port, or write redis://")
    with _plain_answers() as port, told:
        _broker(f"rediss://localhost:{port}/0").refuse_untrusted()

    away = _broker("rediss://localhost:9/0")
    away.refuse_untrusted()
    assert not away.is_running()


def test_a_valkey_without_tls_which_waits_for_more_is_not_waited_for(broker_url: str) -> None:
    assert not _broker(broker_url.replace("redis://", "rediss://")).is_running()


def test_checks_are_off_only_if_the_url_says_so_and_a_warning_tells(tls_broker_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert _broker(f"{tls_broker_url}?ssl_cert_reqs=none").is_running()

    (record,) = caplog.records
    assert "takes any certificate (ssl_cert_reqs=none)" in record.message


def test_rabbitmq_is_checked_too(authority: Authority, foreign_authority: Authority, broker_url: str) -> None:
    # Nobody answers AMQP behind this TLS: only the handshake matters here.
    with encrypted_valkey(broker_url, authority) as proxy, encrypted_valkey(broker_url, authority, "broker.example") as other:
        for url, trusted, cause in (
            (f"amqps://localhost:{proxy.port}//", None, "an authority that this host does not know"),
            (f"amqps://localhost:{proxy.port}//", foreign_authority, "an authority that this host does not know"),
            (f"amqps://localhost:{other.port}//", authority, "is for another host"),
        ):
            with pytest.raises(BrokerNotTrusted, match=cause):
                _broker(url, trusted).refuse_untrusted()
        _broker(f"amqps://localhost:{proxy.port}//", authority).refuse_untrusted()
