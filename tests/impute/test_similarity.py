"""The figure of similar pairs."""

from matplotlib.figure import Figure

from tfimpute_tracks.impute.similarity import _move_apart


def test_no_name_covers_another_and_one_alone_stays():
    figure = Figure(layout="constrained")
    axes = figure.add_subplot()
    places = [(1, 1), (1.01, 1), (1, 1.01), (0.99, 1.02), (0, 0)]
    axes.scatter(*zip(*places, strict=True))
    names = [
        axes.annotate(f"USF{i}", place, xytext=(0, 0), textcoords="offset points")
        for i, place in enumerate(places)
    ]
    _move_apart(figure, names)
    assert names[-1].get_position() == (0, 0)
    boxes = [name.get_window_extent() for name in names]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    # The highest of those at one place stands where it belongs, the others below.
    assert sorted(y for _, y in (name.get_position() for name in names))[-2:] == [0, 0]
