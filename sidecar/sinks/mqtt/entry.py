"""The entry point of ``mqtt://`` and ``mqtts://``: reads the URL before anything is imported."""

import importlib.util
from pathlib import Path
from typing import Final

from config.errors import ConfigError
from sidecar.addresses import AddressRule
from sidecar.sinks.base import EventSink, SinkOptions
from sidecar.sinks.mqtt.messages import RoomTopics, check_prefix
from sidecar.sinks.sink_url import SinkUrl

USERNAME: Final = "MQTT_USERNAME"
PASSWORD: Final = "MQTT_PASSWORD"  # noqa: S105
OPTIONS: Final = ("username", "password", "ca", "qos", "room")
PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
"""As IANA has them."""


def mqtt_sink(url: str, options: SinkOptions) -> EventSink:
    """The sink of ``mqtt://HOST/PREFIX``; raises ConfigError for what is wrong with the URL.

    Options: ``username``, ``password`` (references; else ``MQTT_USERNAME``, ``MQTT_PASSWORD``),
    ``ca`` (PEM file), ``qos`` (0 or 1), ``room`` (name in the topics).
    """
    parsed = SinkUrl.parse(url, OPTIONS)
    host = parsed.host()
    if options.rule is not AddressRule.ANY:
        raise ConfigError("brokers are for the operator to name", where=parsed.shown)
    if parsed.parts.username or parsed.parts.password:
        do = f"set {USERNAME} and {PASSWORD}"
        raise ConfigError("a password has no place in a URL", where=parsed.shown, do=do)
    qos = parsed.options.get("qos", "1")
    if qos not in {"0", "1"}:
        raise ConfigError("is no quality of service", where=f"qos={qos}", do="0 or 1")
    ca = parsed.options.get("ca")
    if ca is not None and not Path(ca).is_file():
        raise ConfigError("there is no such file", where=f"ca={ca}", do="name a PEM file")
    if importlib.util.find_spec("aiomqtt") is None:
        do = "pip install 'reaction-sidecar[mqtt]'"
        raise ConfigError("MQTT needs an extra package", where=parsed.shown, do=do)
    from sidecar.sinks.mqtt.sink import Broker, MqttSink

    scheme = parsed.parts.scheme
    broker = Broker(
        host,
        parsed.parts.port or PORTS[scheme],
        scheme == "mqtts",
        parsed.credential("username", USERNAME, options),
        parsed.credential("password", PASSWORD, options),
        ca,
        int(qos),
    )
    prefix = check_prefix(parsed.parts.path.strip("/"))
    return MqttSink(broker, RoomTopics(prefix, parsed.options.get("room") or options.room.name))
