"""Two independent runs: side by side with a thread each, or one after the other?

    python benchmarks/side_by_side.py --rounds 3

`cifar100 record` does what wins here.
"""

import argparse
import json
import subprocess
import sys

import measure

SHAPES = (("simple_cnn", 128), ("resnet20", 128))


def speed_of_processes(count: int, threads: int, network: str, batch: int, seconds):
    """Images a second of `count` processes together."""
    command = [
        *(sys.executable, measure.HERE / "keras_training.py", "engine"),
        *(network, batch, seconds, threads),
    ]
    started = [
        subprocess.Popen(
            list(map(str, command)),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(count)
    ]
    found = [json.loads(p.communicate()[0].splitlines()[-1]) for p in started]
    return sum(row["images_per_second"] for row in found)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=12.0)
    given = parser.parse_args()
    results = {}
    for network, batch in SHAPES:
        one_thread = network, batch, given.seconds
        repeats = measure.in_turns(
            {
                "in turn, 2 threads": lambda s=one_thread: speed_of_processes(1, 2, *s),
                "side by side": lambda s=one_thread: speed_of_processes(2, 1, *s),
            },
            given.rounds,
        )
        results[network] = measure.summary(repeats, "in turn, 2 threads")
        for name, row in results[network].items():
            ratio = row["ratio to in turn, 2 threads"]
            print(f"{network:12} {name:20} {row['median']:8.0f} images/s {ratio:6.2f}")
    measure.write("side_by_side", results)


if __name__ == "__main__":
    main()
