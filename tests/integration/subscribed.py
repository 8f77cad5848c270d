"""Runs a background function that the tests' stack leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.cloud import pubsub_v1

from infra.local import ports, resources
from infra.local.stack import Stack


@contextmanager
def subscribed(stack: Stack, function: str) -> Iterator[None]:
    """Within, the function runs and receives its events."""
    stack.start_function(function)
    stack.processes.wait_for(function, lambda: ports.answers(stack.ports[function]))
    subscription = resources.subscription(stack.settings, function, stack.function_url(function))
    with pubsub_v1.SubscriberClient() as subscriber:
        subscriber.create_subscription(request=subscription)
        try:
            yield
        finally:
            subscriber.delete_subscription(subscription=subscription["name"])
            stack.processes.stop([function])
