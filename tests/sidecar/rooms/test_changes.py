"""What the readers of a room's changes get."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import RefusedError, RoomError
from config.sensitivity import Sensitivity
from sidecar.rooms.base import Consent, ConsentChanged, Joined, Left, RoomChange, SensitivityChosen
from sidecar.rooms.changes import MAX_CHOICES, RoomChanges


def ada(problem: str = "") -> Joined:
    return Joined("ada", "Ada", None, problem)


async def rest(changes: RoomChanges) -> list[RoomChange]:
    """What a new reader gets of a room that ends now."""
    changes.end()
    return [change async for change in changes.follow()]


async def test_a_reader_gets_each_change_once_in_order() -> None:
    changes, joined, got = RoomChanges(), ada(), list[RoomChange]()

    async def read() -> None:
        async for change in changes.follow():
            got.append(change)

    reading = asyncio.create_task(read())
    states: tuple[Callable[[], None], ...] = (
        lambda: changes.join(joined),
        lambda: changes.choose("ada", Consent.OPT_OUT),
        lambda: changes.leave("ada", "left"),
        lambda: changes.leave("ada", "left again"),
        changes.end,
    )
    for state in states:
        state()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await reading
    assert got == [joined, ConsentChanged("ada", Consent.OPT_OUT), Left("ada", "left")]


async def test_a_slow_reader_misses_states_in_between_and_nothing_else() -> None:
    changes, again = RoomChanges(), ada()
    reader = changes.follow()
    changes.join(ada("no codec"))
    assert isinstance(await anext(reader), Joined)
    for _ in range(1000):
        changes.join(ada())
        changes.leave("ada", "left")
    changes.join(again)
    changes.join(Joined("bob", "Bob", None))
    changes.leave("bob", "left")
    changes.end()
    assert [change async for change in reader] == [again]


async def test_consent_precedes_the_camera_it_is_about() -> None:
    changes, joined = RoomChanges(), ada()
    changes.join(joined)
    changes.choose("ada", Consent.OPT_OUT)
    assert await rest(changes) == [ConsentChanged("ada", Consent.OPT_OUT), joined]


async def test_a_choice_of_sensitivity_is_reported_once_each_time_it_changes() -> None:
    changes, joined = RoomChanges(), ada()
    reader = changes.follow()
    changes.join(joined)
    changes.choose_sensitivity("ada", Sensitivity.CALM)
    assert [await anext(reader), await anext(reader)] == [
        SensitivityChosen("ada", Sensitivity.CALM),
        joined,
    ]
    changes.choose_sensitivity("ada", Sensitivity.CALM)
    changes.choose_sensitivity("ada", Sensitivity.NORMAL)
    changes.end()
    assert [change async for change in reader] == [SensitivityChosen("ada", Sensitivity.NORMAL)]


async def test_a_choice_of_an_absent_participant_is_kept_until_they_are_forgotten() -> None:
    changes, joined = RoomChanges(), ada()
    changes.choose("ada", Consent.OPT_OUT)
    reader = changes.follow()
    assert await anext(reader) == ConsentChanged("ada", Consent.OPT_OUT)
    changes.forget("ada", "left")
    changes.join(joined)
    assert await anext(reader) is joined
    changes.choose("ada", Consent.OPT_IN)
    assert await anext(reader) == ConsentChanged("ada", Consent.OPT_IN)
    await reader.aclose()


async def test_every_reader_gets_everything() -> None:
    changes, joined = RoomChanges(), ada()
    changes.join(joined)
    changes.end()
    for _ in range(2):
        assert [change async for change in changes.follow()] == [joined]


async def test_a_failure_is_raised_after_the_last_change() -> None:
    changes, joined = RoomChanges(), ada()
    changes.join(joined)
    changes.end(RefusedError("kicked"))
    changes.end(RoomError("the connection was lost"))
    reader = changes.follow()
    assert await anext(reader) is joined
    with pytest.raises(RefusedError, match="kicked"):
        await anext(reader)


async def test_nothing_changes_after_the_end() -> None:
    changes = RoomChanges()
    changes.end()
    changes.join(ada())
    changes.choose("ada", Consent.OPT_OUT)
    assert await rest(changes) == []


async def test_of_too_many_choices_the_oldest_of_absent_participants_are_dropped() -> None:
    changes = RoomChanges()
    changes.join(ada())
    changes.choose("ada", Consent.OPT_OUT)
    for number in range(MAX_CHOICES + 10):
        changes.choose(str(number), Consent.OPT_OUT)
    chosen = [each.participant for each in await rest(changes) if isinstance(each, ConsentChanged)]
    assert len(chosen) == MAX_CHOICES
    assert chosen[:2] == ["ada", "11"]
    assert chosen[-1] == str(MAX_CHOICES + 9)


async def test_where_all_are_present_further_choices_are_ignored() -> None:
    changes = RoomChanges()
    for number in range(MAX_CHOICES):
        changes.join(Joined(str(number), "", None))
        changes.choose(str(number), Consent.OPT_OUT)
    changes.choose("one more", Consent.OPT_OUT)
    changes.choose("0", Consent.OPT_IN)
    chosen = [each for each in await rest(changes) if isinstance(each, ConsentChanged)]
    assert len(chosen) == MAX_CHOICES
    assert chosen[0] == ConsentChanged("0", Consent.OPT_IN)


STEPS = st.tuples(
    st.sampled_from(["join", "leave", "off", "on", "forget", "read"]), st.sampled_from("abc")
)


@given(st.lists(STEPS, max_size=40))
async def test_a_reader_of_any_speed_knows_the_newest_state_in_the_end(
    steps: list[tuple[str, str]],
) -> None:
    changes, known = RoomChanges(), dict[str, Joined]()
    now: dict[str, Joined] = {}
    reader = changes.follow()

    def note(change: RoomChange) -> None:
        match change:
            case Joined():
                known[change.participant] = change
            case Left():
                del known[change.participant]

    for step, who in steps:
        match step:
            case "join":
                now[who] = Joined(who, who, None)
                changes.join(now[who])
            case "leave" | "forget":
                now.pop(who, None)
                (changes.leave if step == "leave" else changes.forget)(who, "left")
            case "off" | "on":
                changes.choose(who, Consent.OPT_OUT if step == "off" else Consent.OPT_IN)
            case "read" if known != now:
                note(await anext(reader))
    changes.end()
    async for change in reader:
        note(change)
    assert known == now
