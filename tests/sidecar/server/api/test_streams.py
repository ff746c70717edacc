from reactions.pipeline import Care, Memory, first_memory
from sidecar.server.api.streams import StreamMemories


def memory() -> Memory:
    made = first_memory(Care.NONE, 4, 4)
    assert made is not None
    return made


def test_a_stream_has_the_memory_of_its_newest_frame() -> None:
    streams, newest = StreamMemories(), memory()
    streams.put(("a", "1"), memory(), 0.0)
    streams.put(("a", "1"), newest, 1.0)
    assert streams.get(("a", "1"), 1.5) is newest


def test_streams_of_two_callers_are_two() -> None:
    streams = StreamMemories()
    streams.put(("a", "1"), memory(), 0.0)
    assert streams.get(("b", "1"), 0.0) is None


def test_a_stream_without_frames_is_forgotten() -> None:
    streams = StreamMemories(expiry=10.0)
    streams.put(("a", "1"), memory(), 0.0)
    assert streams.get(("a", "1"), 9.9) is not None
    assert streams.get(("a", "1"), 10.0) is None
    assert len(streams) == 0


def test_the_stream_that_was_used_longest_ago_gives_way() -> None:
    streams = StreamMemories(limit=2)
    for name in "121":
        streams.put(("a", name), memory(), 0.0)
    streams.put(("a", "3"), memory(), 0.0)
    assert streams.get(("a", "2"), 0.0) is None
    assert streams.get(("a", "1"), 0.0) is not None
