from __future__ import annotations

import pytest

from db.settings import Settings
from workers.broker import BadBrokerUrl, ConfiguredBroker, resolve_broker, speaks_redis, without_password
from workers.broker.url import check_broker_url

SOUND = [
    "redis://127.0.0.1:6379/0",
    "redis://localhost",
    "redis://:pa%3Ass%231@host:6379/0",
    "redis://user:p%40ss%2Fword@[::1]:6379/1",
    "rediss://:secret@host:6380/0?ssl_cert_reqs=required",
    "redis+socket:///tmp/a@b/broker.sock?virtual_host=0",
    "amqp://guest:guest@host:5672//",
    "sentinel://:pw@a:26379;sentinel://:pw@b:26379",
    "memory://",
    "sqla+sqlite:///broker.sqlite",
]


@pytest.mark.parametrize("url", SOUND)
def test_a_url_that_kombu_takes_is_left_alone(url: str) -> None:
    check_broker_url(url)


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("http://x", "begins with http://, which is no broker"),
        ("localhost:6379", "is not a URL"),
        ("hunter2", "is not a URL"),
        ("redis://127.0.0.1:port/0", "a port that is no number"),
        ("redis://127.0.0.1:99999/0", "a port that is no number up to 65535"),
        ("redis://127.0.0.1:٣/0", "a port that is no number"),
        ("redis://:hunter2/tail@host:6379/0", "must be escaped"),
        ("redis://:hunter2#tail@host:6379/0", "must be escaped"),
        ("redis://:hunter2?tail@host:6379/0", "must be escaped"),
        ("redis://:hunter2@tail@host:6379/0", "must be escaped"),
        ("redis://:hunter2/tail", "a port that is no number"),
        ("redis://good:1/0;redis://:hunter2/tail@host/0", "must be escaped"),
    ],
)
def test_a_url_that_cannot_work_is_told_in_one_line_without_a_piece_of_its_password(url: str, cause: str) -> None:
    with pytest.raises(BadBrokerUrl, match=cause) as told:
        check_broker_url(url)

    assert str(told.value).startswith("PARAGONE_BROKER_URL ")
    assert "hunter2" not in str(told.value)
    assert "tail" not in str(told.value)
    assert "\n" not in str(told.value)


def test_the_broker_of_the_settings_is_checked_before_anything_uses_it() -> None:
    assert isinstance(resolve_broker(Settings.model_validate({"broker_url": "redis://:a%40b@host/0"})), ConfiguredBroker)
    with pytest.raises(BadBrokerUrl):
        resolve_broker(Settings.model_validate({"broker_url": "redis://:a@b@host/0"}))


def test_an_error_is_shown_on_one_line_with_its_password_hidden() -> None:
    url = "redis://me:p%40ss@one/0;redis://:other@two/0"

    assert without_password("cannot reach\nredis://me:p%40ss@one: p@ss, other", url) == "cannot reach redis://me:***@one: ***, ***"
    assert without_password(OSError("refused"), "redis://host/0") == "refused"


def test_only_redis_speaks_redis() -> None:
    assert [speaks_redis(url) for url in ("redis://a", "rediss://a", "redis+socket:///a", "sentinel://a")] == [True] * 4
    assert [speaks_redis(url) for url in ("amqp://a", "memory://", "")] == [False] * 3
