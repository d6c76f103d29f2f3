"""S6 and S9: dropout, before and after pooling, and why. Notebook 05."""

from cifar100.experiments.experiment import child
from cifar100.experiments.ladder.baseline import baseline

# The rate is not in the student's text. 0.2 was chosen by trials (seed 100, which
# no record uses) as one at which this network still learns; the others are recorded.
dropout_before = child(
    baseline,
    "dropout_before",
    dropout=0.2,
    row="S6",
    kind="confirmatory",
    claim="Dropout, before pooling, helps.",
)
dropout_before_10, dropout_before_30, dropout_before_50 = (
    child(
        dropout_before,
        f"dropout_before_{rate}",
        dropout=rate / 100,
        seeds=3,
        claim=f"Before pooling, a rate of {rate / 100} is better than 0.2.",
    )
    for rate in (10, 30, 50)
)

dropout_after = child(
    dropout_before,
    "dropout_after",
    arguments={"dropout_position": "after_pool"},
    row="S9",
    kind="confirmatory",
    claim="Dropout after pooling is better than before it.",
)
dropout_after_10, dropout_after_30, dropout_after_50 = (
    child(
        dropout_after,
        f"dropout_after_{rate}",
        dropout=rate / 100,
        seeds=3,
        claim=f"After pooling, a rate of {rate / 100} is better than 0.2.",
    )
    for rate in (10, 30, 50)
)
# If dropout before pooling lost information, it would also do so at equal strength.
dropout_before_matched = child(
    dropout_after,
    "dropout_before_matched",
    arguments={"dropout_position": "before_pool_matched"},
    kind="confirmatory",
    supports=-1,
    claim="Dropout before pooling is worse also at the rate that zeroes as many full "
    "windows.",
)
dropout_spatial = child(
    dropout_after,
    "dropout_spatial",
    arguments={"dropout_kind": "spatial"},
    seeds=3,
    claim="Dropping whole channels is better than dropping units.",
)
dropout_after_no_batch_norm = child(
    dropout_after,
    "dropout_after_no_batch_norm",
    arguments={"batch_norm": "none"},
    seeds=3,
    supports=-1,
    claim="With dropout after pooling, the network needs its batch norm.",
)
dropout_before_no_batch_norm = child(
    dropout_after_no_batch_norm,
    "dropout_before_no_batch_norm",
    arguments={"dropout_position": "before_pool"},
    supports=-1,
    claim="Before pooling is worse also without batch norm.",
)
# 0.3 before pooling lets about as much through as 0.2 after it (notebook 05).
dropout_before_30_no_batch_norm = child(
    dropout_before_no_batch_norm,
    "dropout_before_30_no_batch_norm",
    dropout=0.3,
    claim="Without batch norm and before pooling, a rate of 0.3 is better than 0.2.",
)
dropout_after_augmented = child(
    dropout_after,
    "dropout_after_augmented",
    augmentation=("flip", "crop"),
    seeds=3,
    claim="Flips and crops help on top of dropout.",
)
dropout_before_augmented = child(
    dropout_after_augmented,
    "dropout_before_augmented",
    arguments={"dropout_position": "before_pool"},
    supports=-1,
    claim="Before pooling is worse also with flips and crops.",
)

EXPERIMENTS = (
    dropout_before,
    dropout_before_10,
    dropout_before_30,
    dropout_before_50,
    dropout_after,
    dropout_after_10,
    dropout_after_30,
    dropout_after_50,
    dropout_before_matched,
    dropout_spatial,
    dropout_after_no_batch_norm,
    dropout_before_no_batch_norm,
    dropout_before_30_no_batch_norm,
    dropout_after_augmented,
    dropout_before_augmented,
)
