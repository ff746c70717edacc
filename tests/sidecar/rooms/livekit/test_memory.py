from sidecar.rooms.livekit.memory import MAX_KEPT, Memory


def test_a_token_is_replaced_by_the_newest_that_came_for_it() -> None:
    memory = Memory()
    assert memory.newest("given") == "given"
    memory.renew("given", "newer")
    memory.renew("given", "newest")
    assert memory.newest("given") == "newest"
    assert memory.newest("other") == "other"


def test_a_better_server_is_tried_once() -> None:
    memory = Memory()
    memory.send_on("wss://a", "wss://b")
    assert memory.next_server("wss://a") == "wss://b"
    assert memory.next_server("wss://a") == "wss://a"


def test_the_relay_that_was_of_use_last_is_known() -> None:
    memory = Memory()
    assert memory.relay("wss://a") == ""
    memory.note_relay("wss://a", "turn:b")
    assert memory.relay("wss://a") == "turn:b"
    assert memory.relay("wss://c") == ""


def test_what_is_kept_has_an_end() -> None:
    memory = Memory()
    for number in range(MAX_KEPT + 1):
        memory.renew(str(number), "newer")
    assert memory.newest("0") == "0"
    assert memory.newest(str(MAX_KEPT)) == "newer"


def test_rooms_at_one_address_go_by_different_names_and_a_rejoin_by_the_same() -> None:
    memory = Memory()
    first, second = memory.lease("wss://a", "r"), memory.lease("wss://a", "r")
    assert first.suffix != second.suffix
    first.release()
    first.release()
    again = memory.lease("wss://a", "r")
    assert again.suffix == first.suffix
    assert memory.lease("wss://a", "r").suffix not in (again.suffix, second.suffix)


def test_processes_go_by_different_names() -> None:
    assert Memory().lease("wss://a", "r").suffix != Memory().lease("wss://a", "r").suffix
