"""S2 and S3: LeNet-5 modernised step by step, and AlexNet's parts. Notebook 03."""

from cifar100.experiments.experiment import Experiment, child

lenet5 = Experiment(
    name="lenet5",
    row="S2",
    claim="LeNet-5 as it was is no match for a simple CNN.",
    architecture="lenet5",
    epochs=15,
    evaluations=("batch_norm_reestimated",),
)
lenet5_relu = child(
    lenet5,
    "lenet5_relu",
    arguments={"activation": "relu"},
    claim="ReLU in place of tanh helps LeNet-5.",
)
lenet5_max_pool = child(
    lenet5_relu,
    "lenet5_max_pool",
    arguments={"pooling": "max"},
    claim="Max-pooling in place of averages helps LeNet-5.",
)
lenet5_batch_norm = child(
    lenet5_max_pool,
    "lenet5_batch_norm",
    arguments={"batch_norm": True},
    claim="Batch norm helps LeNet-5.",
)
lenet5_wide = child(
    lenet5_batch_norm,
    "lenet5_wide",
    arguments={"filters": (24, 64)},
    claim="Four times the filters help LeNet-5.",
)

# Does ReLU win at tanh's best rate too, or only at the one that all share?
rates = tuple(
    child(
        parent,
        f"{parent.name}_{name}",
        learning_rate=rate,
        claim=f"{text} wants a learning rate of {rate}.",
    )
    for parent, text in ((lenet5, "LeNet-5 with tanh"), (lenet5_relu, "With ReLU it"))
    for name, rate in (("0003", 3e-4), ("003", 3e-3))
)

# AlexNet at about an eighth of its width, for a laptop. The student
# names "parts of AlexNet" and no width.
alexnet = Experiment(
    name="alexnet",
    row="S3",
    claim="A narrow AlexNet beats the simple CNN.",
    architecture="alexnet",
    arguments={
        "filters": (16, 32, 48, 48, 32),
        "dense_units": (256, 256),
        "pool_size": 2,
    },
    epochs=15,
    seeds=5,
    evaluations=("batch_norm_reestimated",),
)
alexnet_batch_norm = child(
    alexnet,
    "alexnet_batch_norm",
    arguments={"batch_norm": True},
    kind="confirmatory",
    claim="Batch norm brings AlexNet a gain.",
)
alexnet_overlapping = child(
    alexnet,
    "alexnet_overlapping",
    arguments={"pool_size": 3},
    kind="confirmatory",
    claim="Overlapping pooling brings AlexNet a gain, at equal map sizes.",
)
alexnet_dropout = child(
    alexnet,
    "alexnet_dropout",
    dropout=0.5,
    seeds=3,
    claim="Dropout in the dense layers helps AlexNet.",
)
# The paper has its parts together: does the one still help beside the other?
alexnet_batch_norm_dropout = child(
    alexnet_batch_norm,
    "alexnet_batch_norm_dropout",
    dropout=0.5,
    seeds=3,
    claim="Dropout in the dense layers helps AlexNet beside batch norm.",
)
alexnet_dense_double = child(
    alexnet,
    "alexnet_dense_double",
    arguments={"dense_units": (512, 512)},
    seeds=3,
    claim="Twice the dense units do better.",
)
alexnet_filters_half = child(
    alexnet,
    "alexnet_filters_half",
    arguments={"filters": (8, 16, 24, 24, 16)},
    seeds=3,
    claim="Half the filters do as well.",
)
alexnet_filters_double = child(
    alexnet,
    "alexnet_filters_double",
    arguments={"filters": (32, 64, 96, 96, 64)},
    seeds=3,
    claim="Twice the filters do better.",
)
alexnet_full = child(
    alexnet,
    "alexnet_full",
    arguments={"filters": (96, 256, 384, 384, 256)},
    seeds=3,
    gpu=True,
    claim="All of AlexNet's filters do better still.",
)

EXPERIMENTS = (
    lenet5,
    lenet5_relu,
    lenet5_max_pool,
    lenet5_batch_norm,
    lenet5_wide,
    *rates,
    alexnet,
    alexnet_batch_norm,
    alexnet_overlapping,
    alexnet_dropout,
    alexnet_batch_norm_dropout,
    alexnet_dense_double,
    alexnet_filters_half,
    alexnet_filters_double,
    alexnet_full,
)
