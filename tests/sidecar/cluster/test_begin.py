"""The first message of a room: sealed, changed, and compared."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from config.errors import ConfigError
from sidecar.cluster.begin_changes import changed_begin, operations_between
from sidecar.cluster.begin_seal import BeginSeal
from sidecar.supervisor.control import Begin, ChangeRoom, ChangeTable, ListParticipants, TakeChoices
from sidecar.supervisor.values import ParticipantPatch, RoomLayout, RoomPatch
from tests.sidecar.supervisor.clip_meeting import SECRET, clip_begin

BEGIN = clip_begin(Path("clips"))
PATCH = ChangeRoom(patch=RoomPatch(rate=2.0, layout=RoomLayout(width=640), paused=True))


def test_a_sealed_message_shows_nothing_and_opens_as_it_was() -> None:
    seal = BeginSeal(Fernet(Fernet.generate_key()))
    sealed = seal.seal(BEGIN)
    assert SECRET.encode() not in sealed
    assert b"clips" not in sealed
    assert seal.open(sealed) == BEGIN


def test_a_message_of_another_key_is_one_clear_error() -> None:
    sealed = BeginSeal(Fernet(Fernet.generate_key())).seal(BEGIN)
    with pytest.raises(ConfigError, match="another key") as caught:
        BeginSeal(Fernet(Fernet.generate_key())).open(sealed)
    assert "same path on each node" in caught.value.do


def test_without_a_key_file_there_is_no_cluster() -> None:
    with pytest.raises(ConfigError, match="there is no key"):
        BeginSeal.from_file(None)


def test_a_room_as_it_is_wanted_needs_no_change() -> None:
    assert operations_between(BEGIN, clip_begin(Path("clips"))) == []


def test_what_was_changed_is_changed_again() -> None:
    wanted = changed_begin(BEGIN, PATCH)
    assert wanted.request.rate == 2.0
    (change,) = operations_between(BEGIN, wanted) or ()
    assert change == PATCH
    assert operations_between(changed_begin(BEGIN, change), wanted) == []


def test_a_table_that_was_changed_is_sent_again() -> None:
    table = {**BEGIN.table, "wave": {"kind": "off"}}
    wanted = changed_begin(BEGIN, ChangeTable(table=table))
    assert operations_between(BEGIN, wanted) == [ChangeTable(table=table)]


def test_choices_that_were_made_are_taken_again() -> None:
    choices = {"ada": ParticipantPatch(opted_out=True)}
    wanted = changed_begin(BEGIN, TakeChoices(choices=choices))
    assert operations_between(BEGIN, wanted) == [TakeChoices(choices=choices)]


def test_operations_that_ask_change_nothing() -> None:
    assert changed_begin(BEGIN, ListParticipants()) is BEGIN


@pytest.mark.parametrize(
    "other",
    [
        clip_begin(Path("elsewhere")),
        clip_begin(Path("clips"), publish=("room",)),
        BEGIN.model_copy(update={"secrets": {"TOKEN": "another"}}),
        BEGIN.model_copy(update={"settings": {}}),
    ],
    ids=["url", "publish", "secrets", "settings"],
)
def test_what_a_running_room_can_t_change_is_joined_again(other: Begin) -> None:
    assert operations_between(BEGIN, other) is None
    assert operations_between(changed_begin(BEGIN, PATCH), BEGIN) is None
