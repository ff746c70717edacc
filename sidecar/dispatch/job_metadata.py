"""What a dispatch's metadata ask for: JSON with some keys of ``POST /v1/rooms``. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError

from config.errors import ConfigError
from config.sensitivity import Sensitivity
from sidecar.plain_text import clean_text
from sidecar.supervisor.values import (
    MAX_URL,
    ConsentMode,
    Label,
    PublishTarget,
    Rate,
    RoomLayout,
    RoomRequest,
    Value,
)

MAX_METADATA: Final = 65_536
"""Characters; the server's own limit is the same (``limit.max_metadata_size``)."""
WHERE: Final = "job metadata"


class JobMetadata(Value):
    """The keys that a dispatch's metadata may have; all may be left out."""

    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    publish: Annotated[tuple[PublishTarget, ...], Field(min_length=1, max_length=4)] = ("room",)
    labels: Annotated[tuple[Label, ...], Field(min_length=1, max_length=128)] | None = None
    layout: RoomLayout | None = None
    rate: Rate | None = None
    consent: ConsentMode | None = None
    sensitivity: Sensitivity | None = None


def read_metadata(metadata: str) -> JobMetadata:
    """The metadata of a dispatch, empty or JSON; raises ConfigError with one line for others."""
    if not metadata.strip():
        return JobMetadata()
    if len(metadata) > MAX_METADATA:
        raise ConfigError(f"longer than {MAX_METADATA} characters", where=WHERE, do="shorten it")
    try:
        return JobMetadata.model_validate_json(metadata)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        path = ".".join(map(str, first["loc"]))
        what = clean_text(f"{path}: {first['msg']}" if path else first["msg"], 200)
        keys = ", ".join(JobMetadata.model_fields)
        raise ConfigError(what, where=WHERE, do=f"give a JSON object with any of {keys}") from None


def room_suffix(agent_name: str, room: str) -> str:
    """The end of our identities in ``room``: the same for all servers of one agent name.

    So LiveKit itself puts the older of two out.
    """
    return hashlib.sha256(f"{agent_name}\0{room}".encode()).hexdigest()[:12]


def room_request(
    server: str, room: str, secrets: Mapping[str, str], metadata: JobMetadata
) -> RoomRequest:
    """The room as it is wanted, at ``server`` (``ws://`` or ``wss://``).

    Raises ConfigError for a room whose name is too long for an address, and for secrets that can't
    be sent to its process.
    """
    url = f"{server}#{quote(room, safe='')}"
    if len(url) > MAX_URL:
        raise ConfigError("the room's name is too long for an address", where="dispatched job")
    for name, value in secrets.items():
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise ConfigError("the value is no UTF-8", where=name, do="give a text")
    hidden = {name: SecretStr(value) for name, value in secrets.items()}
    try:
        return RoomRequest(url=url, secrets=hidden, **dict(metadata))
    except ValidationError as error:
        # Without values: they may be secrets.
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        what = clean_text(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", 200)
        raise ConfigError(what, where="dispatched job") from None
