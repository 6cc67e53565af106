"""The Celery application: JSON only, one queue per stage, and one task, the wake-up of a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celery import Celery

from workers.broker import connection_options, speaks_redis

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.enums import Stage

#: The one message there is. It carries nothing: the work is in the database.
WAKE_UP = "paragone.wake_up"


def queue_name(stage: Stage) -> str:
    """The queue whose depth shows an autoscaler how much a stage has to do."""
    return f"paragone.{stage}"


def create_app(broker_url: str) -> Celery:
    """An application for one broker URL; reads nothing from the environment or the working directory."""
    url, encryption = connection_options(broker_url)
    app = Celery("paragone", broker=url, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        result_serializer="json",
        event_serializer="json",
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        # A wake-up that is lost with its worker costs nothing: the database knows what is to be done.
        task_acks_late=False,
        worker_pool="threads",
        # A message held by a busy worker would not wake an idle one.
        worker_prefetch_multiplier=1,
        worker_send_task_events=True,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # A wake-up that a busy worker took in advance would wake nobody; other brokers than Redis do not know the setting and warn of it.
        worker_disable_prefetch=speaks_redis(broker_url),
        broker_transport_options={"socket_timeout": 10, "socket_connect_timeout": 5, "health_check_interval": 10},
        task_create_missing_queues=True,
        task_default_queue="paragone",
    )
    if encryption is not None:
        app.conf.broker_use_ssl = encryption  # Flower asks for it here, whatever the URL says
    return app


def register_wake_up(app: Celery, answer: Callable[[], None]) -> None:
    """Give the application its task; only workers need it, producers send it by name."""

    # Flower shows jobs: the wake-ups themselves send no events. And another application of this process has a task of its own.
    @app.task(name=WAKE_UP, ignore_result=True, send_events=False, shared=False)  # type: ignore[untyped-decorator]
    def wake_up() -> None:
        answer()
