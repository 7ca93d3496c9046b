"""Events over Kafka, between processes: the relay publishes, consumers run as a group per domain.

``Relay`` -> ``KafkaSink`` -> topic of the domain -> ``KafkaConsumers`` -> the same consumers as in
one process; what they cannot handle -> the dead-letter topic.
"""

from shared.events.kafka.handler import Subscription
from shared.events.kafka.runner import KafkaConsumers
from shared.events.kafka.settings import KafkaSettings, SaslMechanism, SecurityProtocol
from shared.events.kafka.sink import EventTooLargeError, KafkaSink

__all__ = [
    "EventTooLargeError",
    "KafkaConsumers",
    "KafkaSettings",
    "KafkaSink",
    "SaslMechanism",
    "SecurityProtocol",
    "Subscription",
]
