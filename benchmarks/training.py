"""Training throughput beside plain Keras and PyTorch, all in one run, in turns.

    python benchmarks/training.py --torch-python ~/torch/bin/python --rounds 3

PyTorch is no dependency of the course: make an environment with torch and numpy and
name its interpreter. Without it, PyTorch is left out.
"""

import argparse
import sys

import measure

from cifar100.training import environment

SHAPES = (("resnet20", 128), ("resnet20", 256), ("simple_cnn", 128))
LOSSES_ALIKE = 1.0  # nats: noise can be learnt by heart at different speeds


def contenders(network: str, batch: int, seconds: float, torch: str | None) -> dict:
    """Commands by name."""
    threads = environment.cores()
    shape = [network, batch, seconds, threads]
    ours = [sys.executable, measure.HERE / "keras_training.py"]
    commands = {kind: [*ours, kind, *shape] for kind in ("engine", "augmented", "bare")}
    commands["keras fit"] = [*ours, "fit", *shape]
    if torch:
        theirs = [torch, measure.HERE / "pytorch_training.py", *shape]
        commands["pytorch eager"] = theirs
        commands["pytorch compiled"] = [*theirs, "--compiled"]
    return commands


def compare(network: str, batch: int, given: argparse.Namespace) -> dict:
    """Medians and ratios of all contenders on one shape."""
    details: dict[str, dict] = {}

    def runner(name, command):
        # The course switches oneDNN on; plain Keras is measured as it comes.
        plain = {"TF_ENABLE_ONEDNN_OPTS": ""} if name == "keras fit" else {}

        def measured():
            details[name] = measure.last_json(command, **plain)
            return details[name]["images_per_second"]

        return measured

    commands = contenders(network, batch, given.seconds, given.torch_python)
    runners = {name: runner(name, command) for name, command in commands.items()}
    repeats = measure.in_turns(runners, given.rounds)
    if len({d["parameters"] for d in details.values()}) != 1:
        raise SystemExit(f"{network}: contenders differ in parameters: {details}")
    return {
        "images_per_second": measure.summary(repeats, "keras fit"),
        "details": details,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch-python", help="interpreter that has PyTorch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="a measurement")
    given = parser.parse_args()
    results = {}
    for network, batch in SHAPES:
        name = f"{network}, batch {batch}"
        results[name] = compare(network, batch, given)
        print(f"\n{name}{'':24} images/s   to Keras fit")
        for who, row in results[name]["images_per_second"].items():
            print(f"  {who:20} {row['median']:10.0f} {row['ratio to keras fit']:10.2f}")
        speeds = results[name]["images_per_second"]
        engine, bare = speeds["engine"]["median"], speeds["bare"]["median"]
        scored = results[name]["details"]["engine"]["evaluation_images_per_second"]
        share = (5_000 / scored) / (45_000 / engine)
        results[name] |= {"loop_adds": bare / engine - 1, "evaluation_share": share}
        print(f"  the loop adds {bare / engine - 1:.1%} to the bare step")
        print(f"  scoring 5,000 images takes {share:.1%} of an epoch")
    measure.write("training", results)


if __name__ == "__main__":
    main()
