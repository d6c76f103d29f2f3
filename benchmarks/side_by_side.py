"""Two independent runs: side by side with a thread each, or one after the other?

    python benchmarks/side_by_side.py --rounds 3

`cifar100 record` does what wins here. Both processes of a pair are measured in the same
seconds; neither is bound to a core, as in `record`. One run after the other is measured
with all cores, and with one thread: half of what two workers gain over that one is
their efficiency.
"""

import argparse
import contextlib
from collections.abc import Sequence

import measure
from training import contender

from cifar100.training import environment

SHAPES = (("simple_cnn", 128), ("resnet20", 128))
EPOCHS, IMAGES = 20, 45_000  # of one run


def pairs_per_hour(processes: Sequence[measure.Contender], seconds: float) -> float:
    """How many pairs of runs the `processes` train in an hour, all working at once."""
    for process in processes:
        process.send(f"engine:{seconds}")
    speed = sum(process.answer()["speed"] for process in processes)
    return speed * 3600 / (2 * EPOCHS * IMAGES)


def compare(network: str, batch: int, rounds: int, seconds: float) -> measure.Repeats:
    """Pairs an hour of both ways, in turns."""
    cores = environment.cores()
    ways = {
        "in turn": (1, cores),
        "in turn, one thread": (1, 1),
        "side by side": (2, max(1, cores // 2)),
    }
    with contextlib.ExitStack() as stack:
        turns = {}
        for way, (count, threads) in ways.items():
            processes = [
                stack.enter_context(contender("engine", network, batch, threads))
                for _ in range(count)
            ]
            for process in processes:
                process.ask("engine:0")  # warm before anything is measured
            turns[way] = lambda p=processes: pairs_per_hour(p, seconds)
        return measure.in_turns(turns, rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0, help="a measurement")
    given = parser.parse_args()
    results, efficiency = {}, {}
    print(f"pairs of runs of {EPOCHS} epochs an hour")
    for network, batch in SHAPES:
        repeats = compare(network, batch, given.rounds, given.seconds)
        results[network] = measure.summary(repeats, "in turn")
        for way, row in results[network].items():
            gain = row["ratio to in turn"]
            print(f"{network:12} {way:20} {row['median']:8.2f} {gain:6.2f} x")
        gain = measure.ratio(repeats["side by side"], repeats["in turn, one thread"])
        efficiency[network] = gain / 2
        print(f"{network:12} efficiency of two workers {efficiency[network]:.2f}")
    found = {"pairs_per_hour": results, "efficiency_of_two_workers": efficiency}
    measure.write("side_by_side", found)


if __name__ == "__main__":
    main()
