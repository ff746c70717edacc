from sidecar.supervisor.recent_reactions import RecentReactions


def test_reactions_are_counted_by_label_the_most_frequent_first() -> None:
    recent = RecentReactions()
    for label in ("wave", "fist", "fist"):
        recent.add(label, 1.0)
    assert list(recent.counts(2.0).items()) == [("fist", 2), ("wave", 1)]


def test_what_is_older_than_the_window_is_forgotten() -> None:
    recent = RecentReactions(window=60, step=10)
    recent.add("wave", 0.0)
    recent.add("wave", 45.0)
    assert recent.counts(59.0) == {"wave": 2}
    assert recent.counts(60.0) == {"wave": 1}
    assert recent.counts(105.0) == {}
