"""Nonsense of all kinds, from a server or the road to it: nothing breaks, nothing sticks."""

import json

from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.janus.events import Entered, Failed, Offered, Over
from sidecar.rooms.janus.subscription import Layer
from sidecar.rooms.janus.subscriptions import PATIENCE
from tests.sidecar.rooms.janus.conversation import Conversation
from tests.sidecar.rooms.janus.transcripts import FOLDER, heard

TRANSCRIPTS = sorted(path.stem for path in FOLDER.glob("*.jsonl"))
SCRAPS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
REAL = st.sampled_from([text for name in TRANSCRIPTS for text in heard(name)])
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
ACTIONS = ("round", "exchange", "drop", "reconnect", "give_up", "prefer", "publish")


def act(conversation: Conversation, action: str) -> None:
    """Something that the shell may do at any time."""
    protocol = conversation.protocol
    match action:
        case "round":
            conversation.events += protocol.round()
        case "exchange":
            conversation.exchange()
        case "drop":
            protocol.take()
        case "reconnect":
            protocol.open()
        case "give_up":
            conversation.events += protocol.give_up("5", "lost")
        case "prefer":
            protocol.prefer("5", Layer(1))
        case "publish":
            protocol.publish("Reactions", "v=0", "0")


@given(st.lists(st.one_of(NONSENSE, st.sampled_from(ACTIONS)), max_size=40))
def test_nothing_that_is_said_in_any_order_breaks_it_or_leaves_it_stuck(
    steps: list[str | bytes],
) -> None:
    conversation = Conversation(5, 6)
    for step in steps:
        if isinstance(step, str) and step in (
            "round",
            "exchange",
            "drop",
            "reconnect",
            "give_up",
            "prefer",
            "publish",
        ):
            act(conversation, step)
        else:
            conversation.events += conversation.protocol.receive(step)
    if conversation.protocol.over:
        # It has told so, and the room is joined anew.
        assert conversation.of(Failed) or conversation.of(Over)
        return
    # From here on the server behaves; the shell connects anew where nothing comes.
    conversation.protocol.open()
    conversation.exchange()
    conversation.rounds(3 * PATIENCE)
    assert conversation.of(Entered)
    assert {event.feed for event in conversation.of(Offered)} >= {"5", "6"}


@given(st.lists(REAL, max_size=30))
def test_real_messages_in_any_order_and_number_are_taken(messages: list[str]) -> None:
    conversation = Conversation(5)
    conversation.exchange()
    for message in messages:
        conversation.hear(message)
        conversation.hear(message)
        conversation.exchange()


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 40)), max_size=40))
def test_answers_in_any_order_get_everybody_watched_in_the_end(
    order: list[tuple[int, int]],
) -> None:
    conversation = Conversation(5, 6)
    waiting: list[str] = []
    for rounds, index in order:
        for _ in range(rounds):
            conversation.events += conversation.protocol.round()
        for request in conversation.protocol.take():
            waiting += conversation.server.answers(request)
        if waiting:
            conversation.hear(waiting.pop(index % len(waiting)))
    for text in waiting:
        conversation.hear(text)
    conversation.exchange()
    conversation.rounds(2 * PATIENCE)
    assert {event.feed for event in conversation.of(Offered)} == {"5", "6"}
