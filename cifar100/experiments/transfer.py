"""S20: transfer, frozen and fine-tuned. Notebook 14."""

from cifar100.experiments.experiment import Experiment, child

# Frozen: a linear layer on cached features, so a run takes seconds. Small batches, so
# that also five images a class make some hundred steps.
frozen_96 = Experiment(
    name="frozen_96",
    row="S20",
    claim="Features of ImageNet alone reach more than most own networks.",
    architecture="linear_head",
    arguments={"variant": 0, "image_size": 96},
    learning_rate=3e-3,
    schedule="cosine",
    weight_decay=0.3,
    epochs=10,
    batch_size=50,
)
frozen_sizes = tuple(
    child(
        frozen_96,
        f"frozen_{size}",
        arguments={"image_size": size},
        supports=1 if size > 96 else -1,
        claim=f"Pictures of {size} pixels are {'better' if size > 96 else 'worse'}.",
    )
    for size in (32, 64, 128, 160, 224)
)
frozen_few = tuple(
    child(
        frozen_96,
        f"frozen_96_of_{count}",
        images_per_class=count,
        supports=-1,
        claim=f"{count} images a class are worse than 450.",
    )
    for count in (5, 25, 100)
)

# Fine-tuned: the whole network learns on, from ImageNet's weights. Rates were chosen by
# trials of one epoch with a seed of their own: one rate of 1e-3, 3e-4 or 1e-4 for all
# blocks ended at 0.475, 0.567 and 0.448; rates that fall with depth, from 1e-3 or 2e-3
# at the head, at 0.603 and 0.608; the first of these with all statistics at 0.543.
finetuned_64 = Experiment(
    name="finetuned_64",
    row="S20",
    claim="At 64 pixels, fine-tuning beats frozen features by far.",
    architecture="efficientnet_lite",
    arguments={"image_size": 64, "weights": "imagenet", "freeze": "batch_norm"},
    augmentation=("flip", "crop"),
    learning_rate=1e-3,
    layer_decay=0.8,
    schedule="one_cycle",
    warmup=0.1,
    epochs=6,
    batch_size=64,
    label_smoothing=0.1,
    timed=True,
)
finetuned_64_one_rate = child(
    finetuned_64,
    "finetuned_64_one_rate",
    layer_decay=1.0,
    seeds=2,
    supports=-1,
    claim="One rate for all blocks is worse than smaller ones for the lower.",
)
finetuned_64_small_rate = child(
    finetuned_64_one_rate,
    "finetuned_64_small_rate",
    learning_rate=3e-4,
    claim="If all blocks have one rate, a smaller one is better.",
)
finetuned_64_all_statistics = child(
    finetuned_64_small_rate,
    "finetuned_64_all_statistics",
    arguments={"freeze": "none"},
    supports=-1,
    claim="Batch norm that learns on too is worse.",
)
from_scratch_64 = child(
    finetuned_64_all_statistics,
    "from_scratch_64",
    arguments={"weights": "random"},
    supports=-1,
    claim="At 64 pixels, the same network from scratch is far worse than fine-tuned.",
)
from_scratch_64_large_rate = child(
    from_scratch_64,
    "from_scratch_64_large_rate",
    learning_rate=1e-3,
    claim="From scratch, the larger rate is better.",
)
finetuned_64_no_augmentation = child(
    finetuned_64,
    "finetuned_64_no_augmentation",
    augmentation=(),
    seeds=2,
    supports=-1,
    claim="Without flips and crops it is worse.",
)
finetuned_96 = child(
    finetuned_64,
    "finetuned_96",
    arguments={"image_size": 96},
    timed=True,
    headline=True,
    claim="Pictures of 96 pixels are better than of 64.",
)
# For one run of some hours on two cores.
finetuned_160 = child(
    finetuned_96,
    "finetuned_160",
    arguments={"image_size": 160},
    seeds=1,
    timed=True,
    headline=True,
    claim="Pictures of 160 pixels are better than of 96.",
)
finetuned_224 = child(
    finetuned_96,
    "finetuned_224",
    arguments={"image_size": 224},
    gpu=True,
    headline=True,
    claim="Pictures of 224 pixels, as in pretraining, are better than of 96.",
)
finetuned_224_lite2 = child(
    finetuned_224,
    "finetuned_224_lite2",
    arguments={"variant": 2},
    claim="A bigger pretrained network is better.",
)

TRANSFER = (
    frozen_96,
    *frozen_sizes,
    *frozen_few,
    finetuned_64,
    finetuned_64_one_rate,
    finetuned_64_small_rate,
    finetuned_64_all_statistics,
    from_scratch_64,
    from_scratch_64_large_rate,
    finetuned_64_no_augmentation,
    finetuned_96,
    finetuned_160,
    finetuned_224,
    finetuned_224_lite2,
)
