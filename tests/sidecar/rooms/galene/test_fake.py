"""The fake server says what a real one said: messages of the same fields in the same cases."""

import json
from typing import Any, TypeAlias

from tests.sidecar.rooms.galene.conftest import NAME
from tests.sidecar.rooms.galene.fake import FakeClient, FakeGalene
from tests.sidecar.rooms.galene.record import REFUSALS, TRANSCRIPT, refusals, visit

Shape: TypeAlias = tuple[str, str, frozenset[str]]


def shape(message: dict[str, Any]) -> Shape:
    """What kind of message it is, and which fields it has."""
    return message["type"], message.get("kind", ""), frozenset(message)


async def test_a_visit_to_the_fake_has_the_messages_of_the_recorded_one(fake: FakeGalene) -> None:
    sent: list[dict[str, Any]] = []

    def keep(client: FakeClient, message: dict[str, Any]) -> dict[str, Any]:
        if client.username == NAME or not client.username:
            sent.append(message)
        return message

    fake.alter = keep
    await visit(fake)
    lines = [json.loads(line) for line in TRANSCRIPT.read_text("utf-8").splitlines()]
    recorded = [line["message"] for line in lines if line["from"] == "server"]
    # A keepalive comes when the server has been quiet for long enough.
    assert {shape(message) for message in recorded} <= {shape(message) for message in sent}
    known = {(message["type"], message.get("kind", "")) for message in recorded}
    assert {(message["type"], message.get("kind", "")) for message in sent} <= known


async def test_the_fake_refuses_in_the_words_of_a_real_server(fake: FakeGalene) -> None:
    assert await refusals(fake) == json.loads(REFUSALS.read_text("utf-8"))
