"""The topics of a room and what is published there. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from config.errors import ConfigError

PREFIX: Final = "sidecar"
"""First level of all topics, unless the URL names another one."""
ONLINE: Final = "online"
OFFLINE: Final = "offline"
LONGEST_LEVEL: Final = 128
"""Characters of one level; a topic may have 65,535 bytes (MQTT 3.1.1 §4.7.3)."""
_FORBIDDEN: Final = re.compile(r"[/+#\x00-\x1f\x7f\ud800-\udfff]")
"""Separator, wildcards (MQTT 3.1.1 §4.7.1) and control characters."""


@dataclass(frozen=True, slots=True)
class MqttMessage:
    """One message."""

    topic: str
    payload: str
    retain: bool = False


def topic_level(text: str) -> str:
    """``text`` as one level of a topic: what may not stand in one becomes ``_``."""
    return _FORBIDDEN.sub("_", text)[:LONGEST_LEVEL] or "_"


def check_prefix(prefix: str) -> str:
    """``prefix``, or ``PREFIX`` where it is empty; raises ConfigError for one with wildcards."""
    if "+" in prefix or _FORBIDDEN.search(prefix.replace("/", "")):
        do = "letters, digits, - and _ between slashes"
        raise ConfigError(f"{prefix!r} is no topic", where="--sink", do=do)
    return prefix or PREFIX


@dataclass(slots=True)
class RoomTopics:
    """What is published for one room under ``PREFIX/ROOM``."""

    prefix: str
    room: str
    _present: set[str] = field(default_factory=set)

    @property
    def base(self) -> str:
        return f"{self.prefix}/{topic_level(self.room)}"

    def availability(self, state: str) -> MqttMessage:
        """Whether the sidecar is in the meeting: ``ONLINE`` or ``OFFLINE``, retained."""
        return MqttMessage(f"{self.base}/availability", state, retain=True)

    def participants(self) -> MqttMessage:
        """How many participants have a camera, retained."""
        return MqttMessage(f"{self.base}/participants/count", str(len(self._present)), retain=True)

    def take(self, event: Mapping[str, Any], time: str) -> Iterator[MqttMessage]:
        """The messages of one event, as ``as_json`` makes it; ``time`` is in ISO 8601."""
        kind = str(event.get("event", ""))
        payload = json.dumps({"time": time, "room": self.room, **event}, ensure_ascii=False)
        participant = str(event.get("participant", ""))
        match kind:
            case "reaction.started" | "reaction.ended":
                label = topic_level(str(event.get("label", "")))
                yield MqttMessage(f"{self.base}/reactions/{label}", payload)
            case "reaction.crowd":
                yield MqttMessage(f"{self.base}/crowd", payload)
            case "participant.joined" | "participant.left":
                if kind == "participant.joined":
                    self._present.add(participant)
                else:
                    self._present.discard(participant)
                yield MqttMessage(f"{self.base}/participants", payload)
                yield self.participants()
