"""Width, depth, order: S8, S10, S17 (notebook 07); no dense layers: S13 (09)."""

from cifar100.experiments.experiment import child
from cifar100.experiments.ladder.dropout import dropout_after

two_convolutions = child(
    dropout_after,
    "two_convolutions",
    arguments={"convolutions": 2},
    row="S8",
    kind="confirmatory",
    claim="Two convolutions a block are better than one.",
)
double_filters = child(
    dropout_after,
    "double_filters",
    arguments={"filters": (32, 64, 128)},
    row="S8",
    kind="confirmatory",
    supports=-1,
    claim="Twice the filters are worse.",
)
double_filters_dropout = child(
    double_filters,
    "double_filters_dropout",
    dropout=0.3,
    seeds=3,
    claim="Twice the filters want more dropout.",
)
double_filters_weight_decay = child(
    double_filters,
    "double_filters_weight_decay",
    weight_decay=0.1,
    seeds=3,
    claim="Twice the filters want weight decay.",
)

batch_norm_after = child(
    dropout_after,
    "batch_norm_after",
    arguments={"batch_norm": "after_activation"},
    row="S10",
    kind="confirmatory",
    claim="Batch norm after the activation is better than before it.",
)

# Three pyramids of equal cost, 3.34 to 3.40 million multiply-adds an image: filters
# that grow by 3.6 from block to block, by 2 (`dropout_after`), or shrink by a fifth.
filters_from_8 = child(
    dropout_after,
    "filters_from_8",
    arguments={"filters": (8, 29, 104)},
    row="S17",
    kind="confirmatory",
    claim="At equal cost, filters that start from 8 and grow faster are better.",
)
filters_from_32 = child(
    dropout_after,
    "filters_from_32",
    arguments={"filters": (32, 26, 21)},
    row="S17",
    seeds=3,
    supports=-1,
    claim="At equal cost, filters that start from 32 and shrink are worse.",
)
kernel_5_first = child(
    dropout_after,
    "kernel_5_first",
    arguments={"kernel_size": (5, 3, 3)},
    row="S17",
    seeds=3,
    claim="A 5x5 kernel in the first block, where the map is large, helps.",
)
kernel_5_first_two = child(
    kernel_5_first,
    "kernel_5_first_two",
    arguments={"kernel_size": (5, 5, 3)},
    claim="A 5x5 kernel in the second block helps too.",
)

global_average = child(
    dropout_after,
    "global_average",
    arguments={"dense_units": 0},
    row="S13",
    kind="confirmatory",
    claim="Global average pooling is better than a dense layer.",
)
global_average_no_dropout, global_average_dropout_10 = (
    child(
        global_average,
        name,
        dropout=rate,
        seeds=3,
        claim=f"Without a dense layer, a dropout rate of {rate} is better than 0.2.",
    )
    for name, rate in (
        ("global_average_no_dropout", 0.0),
        ("global_average_dropout_10", 0.1),
    )
)
global_average_double_filters = child(
    global_average,
    "global_average_double_filters",
    arguments={"filters": (32, 64, 128)},
    seeds=3,
    claim="Without a dense layer, twice the filters help.",
)

EXPERIMENTS = (
    two_convolutions,
    double_filters,
    double_filters_dropout,
    double_filters_weight_decay,
    batch_norm_after,
    filters_from_8,
    filters_from_32,
    kernel_5_first,
    kernel_5_first_two,
    global_average,
    global_average_no_dropout,
    global_average_dropout_10,
    global_average_double_filters,
)
