"""S7 and S14: longer training, early stopping, learning rates. Notebook 06."""

from cifar100.experiments.experiment import child
from cifar100.experiments.ladder.dropout import dropout_after

twice_as_long = child(
    dropout_after,
    "twice_as_long",
    epochs=30,
    row="S7",
    kind="confirmatory",
    claim="Twice the epochs help, at a constant rate.",
)
four_times_as_long = child(
    dropout_after,
    "four_times_as_long",
    epochs=60,
    row="S7",
    seeds=3,
    claim="Four times the epochs help, at a constant rate.",
)
# The rung that is recorded at four times its length: does its effect keep its sign?
dropout_before_four_times = child(
    four_times_as_long,
    "dropout_before_four_times",
    arguments={"dropout_position": "before_pool"},
    supports=-1,
    claim="Before pooling is worse also after four times the epochs.",
)
early_stopping = child(
    four_times_as_long,
    "early_stopping",
    early_stopping=10,
    claim="Early stopping beats training to the end.",
)
four_times_cosine = child(
    four_times_as_long,
    "four_times_cosine",
    schedule="cosine",
    claim="At four times the epochs, a rate that falls along a cosine helps.",
)
# The same training; at its end the mean of many snapshots is scored as well.
four_times_averaged = child(
    four_times_as_long,
    "four_times_averaged",
    evaluations=(*four_times_as_long.evaluations, "weight_average"),
    claim="The mean of the weights after the last 15 epochs beats the last ones.",
)

adam_0005 = child(
    dropout_after,
    "adam_0005",
    learning_rate=5e-4,
    row="S14",
    kind="confirmatory",
    claim="Adam with a rate of 0.0005 is better than with 0.001.",
)
adam_0002 = child(
    dropout_after,
    "adam_0002",
    learning_rate=2e-4,
    row="S14",
    seeds=3,
    claim="Adam with a rate of 0.0002 is better than with 0.001.",
)
# Twice the epochs at half the rate: does the lower rate only need longer?
twice_as_long_adam_0005 = child(
    twice_as_long,
    "twice_as_long_adam_0005",
    learning_rate=5e-4,
    row="S14",
    seeds=3,
    claim="At twice the epochs, Adam with a rate of 0.0005 is better than with 0.001.",
)
cosine = child(
    dropout_after,
    "cosine",
    schedule="cosine",
    row="S14",
    seeds=3,
    claim="A rate that falls along a cosine helps.",
)

# Equal effort for both optimisers: five peak rates at seed 0, and three fresh seeds for
# the best of each, since seed 0 chose it.
WINNERS = ("cosine_adam_002", "sgd_cosine_03")
ADAM_RATES = {"0005": 5e-4, "002": 2e-3, "004": 4e-3, "008": 8e-3}  # and 1e-3: cosine
SGD_RATES = {"01": 0.01, "03": 0.03, "1": 0.1, "3": 0.3}  # and 1e-3: sgd_cosine
adam_search = tuple(
    child(
        cosine,
        f"cosine_adam_{name}",
        learning_rate=rate,
        seeds=4 if f"cosine_adam_{name}" in WINNERS else 1,
        claim=f"With a cosine, Adam wants a peak rate of {rate}.",
    )
    for name, rate in ADAM_RATES.items()
)
sgd_cosine = child(
    cosine,
    "sgd_cosine",
    optimizer="sgd",
    seeds=1,
    claim="Adam's rate does for SGD with Nesterov momentum.",
)
sgd_search = tuple(
    child(
        sgd_cosine,
        f"sgd_cosine_{name}",
        learning_rate=rate,
        seeds=4 if f"sgd_cosine_{name}" in WINNERS else 1,
        claim=f"With a cosine, SGD wants a peak rate of {rate}.",
    )
    for name, rate in SGD_RATES.items()
)

EXPERIMENTS = (
    twice_as_long,
    four_times_as_long,
    dropout_before_four_times,
    early_stopping,
    four_times_cosine,
    four_times_averaged,
    adam_0005,
    adam_0002,
    twice_as_long_adam_0005,
    cosine,
    *adam_search,
    sgd_cosine,
    *sgd_search,
)
