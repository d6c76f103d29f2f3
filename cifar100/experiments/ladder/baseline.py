"""S4 and S5: the student's own network, block by block. Notebook 04."""

from cifar100.experiments.experiment import Experiment, child

# Assumed where the text is silent: filters double from block to block, one convolution
# a block, batch norm before ReLU, max-pooling 2/2, one dense layer of 512 units. The
# place of the dropout and the evaluations are there for notebook 05; without dropout
# they change nothing.
baseline_2_blocks = Experiment(
    name="baseline_2_blocks",
    row="S4",
    claim="Two blocks reach an accuracy of 0.30.",
    architecture="baseline",
    arguments={"filters": (16, 32), "dropout_position": "before_pool"},
    epochs=15,
    evaluations=("batch_norm_reestimated", "dropout_averaged"),
    seeds=5,
)
baseline = child(
    baseline_2_blocks,
    "baseline",
    arguments={"filters": (16, 32, 64)},
    kind="confirmatory",
    claim="A third block helps.",
)
baseline_4_blocks = child(
    baseline,
    "baseline_4_blocks",
    arguments={"filters": (16, 32, 64, 128)},
    row="S5",
    seeds=3,
    supports=-1,
    claim="A fourth block no longer helps.",
)
baseline_5_blocks = child(
    baseline_4_blocks,
    "baseline_5_blocks",
    arguments={"filters": (16, 32, 64, 128, 256)},
    supports=-1,
    claim="A fifth block does not help either.",
)
# Multiply-adds an image: 3.38 million here and in `baseline`, 3.41 million below.
baseline_deeper_smaller = child(
    baseline,
    "baseline_deeper_smaller",
    arguments={"filters": (14, 28, 56, 112)},
    row="S5",
    kind="confirmatory",
    claim="At equal cost, a network that is smaller but deeper is better.",
)
baseline_wider_shallower = child(
    baseline,
    "baseline_wider_shallower",
    arguments={"filters": (19, 37)},
    row="S5",
    seeds=3,
    supports=-1,
    claim="At equal cost, a network that is wider but shallower is worse.",
)

EXPERIMENTS = (
    baseline_2_blocks,
    baseline,
    baseline_4_blocks,
    baseline_5_blocks,
    baseline_deeper_smaller,
    baseline_wider_shallower,
)
