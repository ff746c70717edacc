"""Malformed, misplaced and lost messages: the protocol raises nothing, and gets stuck nowhere."""

import json

from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.events import Ended, Entered, Refused
from sidecar.rooms.janus.messages import JanusLayer
from sidecar.rooms.janus.subscription import STEP_TICKS
from tests.sidecar.rooms.janus.conversation import Conversation
from tests.sidecar.rooms.janus.transcripts import FOLDER, received

TRANSCRIPTS = sorted(path.stem for path in FOLDER.glob("*.jsonl"))
SCRAPS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
REAL = st.sampled_from([text for name in TRANSCRIPTS for text in received(name)])
KINDS = st.sampled_from(
    ["event", "success", "error", "hangup", "detached", "trickle", "ack", "media"]
)
WORDS = st.sampled_from(["joined", "attached", "updated", "event", "participants", "destroyed"])


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A message that a real server sent, with something in it replaced, removed or added."""
    message = json.loads(draw(REAL))
    parts = [message]
    for part in parts:
        parts += [value for value in part.values() if isinstance(value, dict)]
    part = draw(st.sampled_from(parts))
    if part and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(part)))
        part[key] = draw(SCRAPS)
    elif part and draw(st.booleans()):
        del part[draw(st.sampled_from(sorted(part)))]
    else:
        part[draw(st.text(max_size=8))] = draw(SCRAPS)
    return json.dumps(message)


@st.composite
def invented(draw: st.DrawFn) -> str:
    """A message in the right form about anything, perhaps in answer to what was asked."""
    transaction = f"sidecar-{draw(st.integers(0, 30))}"
    sender = draw(st.integers(1_000_000, 1_000_012))
    data = {"videoroom": draw(WORDS), draw(st.text(max_size=8)): draw(SCRAPS)}
    data |= draw(
        st.fixed_dictionaries({}, optional={"error_code": st.sampled_from([421, 428, 430])})
    )
    return json.dumps(
        {
            "janus": draw(KINDS),
            "transaction": transaction,
            "sender": sender,
            "plugindata": {"data": data},
        }
    )


NONSENSE = st.one_of(REAL, mutated(), invented(), SCRAPS.map(json.dumps), st.text(), st.binary())
ACTIONS = ("tick", "exchange", "drop", "reconnect", "give_up", "prefer", "publish")


def act(conversation: Conversation, action: str) -> None:
    """What the transport, the subscriber and the publisher may do at any time."""
    protocol = conversation.protocol
    match action:
        case "tick":
            protocol.tick()
        case "exchange":
            conversation.exchange()
        case "drop":
            protocol.requests_to_send()
        case "reconnect":
            protocol.connect()
        case "give_up":
            conversation.give_up("5", "lost")
        case "prefer":
            protocol.prefer("5", JanusLayer(1))
        case "publish":
            protocol.publish("Reactions", "v=0", "0")
    conversation.collect()


@given(st.lists(st.one_of(NONSENSE, st.sampled_from(ACTIONS)), max_size=40))
def test_no_messages_in_any_order_break_it_or_leave_it_stuck(
    steps: list[str | bytes],
) -> None:
    conversation = Conversation(5, 6)
    for step in steps:
        if isinstance(step, str) and step in ACTIONS:
            act(conversation, step)
        else:
            conversation.receive(step)
    if conversation.protocol.over:
        assert conversation.of(Refused) or conversation.of(Ended)
        return
    # From here on the server behaves, on a new connection.
    conversation.protocol.connect()
    conversation.exchange()
    conversation.tick(3 * STEP_TICKS)
    assert conversation.of(Entered)
    assert set(conversation.offered()) >= {"5", "6"}


@given(st.lists(REAL, max_size=30))
def test_real_messages_in_any_order_and_number_are_taken(messages: list[str]) -> None:
    conversation = Conversation(5)
    conversation.exchange()
    for message in messages:
        conversation.receive(message)
        conversation.receive(message)
        conversation.exchange()


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 40)), max_size=40))
def test_answers_in_any_order_lead_to_all_cameras_in_the_end(
    order: list[tuple[int, int]],
) -> None:
    conversation = Conversation(5, 6)
    waiting: list[str] = []
    for rounds, index in order:
        for _ in range(rounds):
            conversation.protocol.tick()
        for request in conversation.protocol.requests_to_send():
            waiting += conversation.server.answers(request)
        if waiting:
            conversation.receive(waiting.pop(index % len(waiting)))
    for text in waiting:
        conversation.receive(text)
    conversation.exchange()
    conversation.tick(2 * STEP_TICKS)
    assert set(conversation.offered()) == {"5", "6"}
