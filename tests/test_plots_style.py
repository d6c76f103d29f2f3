"""An experiment looks the same in every notebook, and like no other of its own."""

from cifar100.experiments import EXPERIMENTS
from cifar100.plots.style import NOTEBOOK_OF, experiment_markers, experiment_palette


def test_no_two_experiments_of_a_notebook_share_colour_and_marker():
    for number in set(NOTEBOOK_OF.values()):
        names = [n for n, e in EXPERIMENTS.items() if NOTEBOOK_OF[e.row] == number]
        colors, markers = experiment_palette(names), experiment_markers(names)
        looks = {(colors[name], markers[name]) for name in names}
        assert len(looks) == len(names), number


def test_look_of_an_experiment_does_not_depend_on_its_company():
    assert (
        experiment_palette(["baseline"])["baseline"]
        == experiment_palette(EXPERIMENTS)["baseline"]
    )
