"""What a run states of itself, for tests that write records without training."""

METRICS = dict.fromkeys(("val_top1", "train_top1", "val_loss", "train_loss"), 0.1)
FACTS = {
    "commit": "c0ffee",
    "clean": True,
    "fingerprint": {"parameters": 1, "macs": 2, "first_step_loss": 4.6},
    "weights_sha256": "0" * 64,
    "val_scored": "all",
    "seconds": {"train": 1.0, "evaluation": 1.0, "compilation": 1.0},
    "images_per_second": 1.0,
    "resumed": 0,
    "engine": "tensorflow",
    "device": {"kind": "cpu", "name": "a processor"},
    "threads": {"intra": 1, "inter": 1},
    "versions": {"tensorflow": "2", "keras": "3"},
}
