"""S21 and S20: the best own network, and transfer. Notebooks 13 and 14.

These experiments are no steps of the student's: they start from recipes of their own.
"""

from cifar100.experiments.experiment import Experiment, child

RECIPE = {
    "architecture": "fast",
    "augmentation": ("alternating_flip", "crop"),
    "crop_padding": 2,
    "optimizer": "muon",
    "learning_rate": 0.8,
    "weight_decay": 5e-3,
    "schedule": "one_cycle",
    "label_smoothing": 0.25,
    "evaluations": ("flip_tta",),
    "seeds": 5,
    "timed": True,
    "headline": True,
}

# Recipe and shape of NAVIER-STOKED (github: AIDDA-Institute/CIFAR-100-speedrun,
# submissions/NAVIER-STOKED), for two cores: narrower, fewer epochs, a quarter of the
# batch. Length, sizes and batch were chosen by five trials with a seed of their own.
fast = Experiment(
    name="fast",
    row="S21",
    claim="A network and a recipe made for few epochs reach 0.65 in minutes.",
    image_sizes=((20, 0.45), (24, 0.75), (32, 1)),
    epochs=4,
    batch_size=256,
    **RECIPE,
)

# The same recipe at the width of its source, for more epochs; and for three times as
# many. Processors with units for bfloat16 (Intel's AMX) are more than twice as fast in
# it; on others try `--set precision=float32`. One trial, of 10 epochs and with
# larger shares of small pictures, ended at 0.746.
fast_wide = Experiment(
    name="fast_wide",
    row="S21",
    claim="Wider and longer, the same recipe reaches 0.75 within the hour.",
    arguments={"filters": (64, 256, 768), "inner": (64, 192, 512)},
    image_sizes=((20, 0.3), (24, 0.6), (32, 1)),
    epochs=15,
    batch_size=512,
    precision="mixed_bfloat16",
    **RECIPE,
)
fast_wide_long = child(
    fast_wide,
    "fast_wide_long",
    epochs=45,
    seeds=1,
    timed=True,
    headline=True,
    claim="Three times as many epochs are better.",
)

# For a GPU: the source's own shape, batch and rates, for the epochs that its authors
# needed (8.75 on 50,000 images), and two more as ours are 45,000.
fast_gpu = Experiment(
    name="fast_gpu",
    row="S21",
    claim="On a GPU the recipe of the source reaches 0.75 in seconds.",
    arguments={"filters": (64, 256, 768), "inner": (64, 192, 512)},
    image_sizes=((20, 0.15), (24, 0.5), (32, 1)),
    epochs=11,
    batch_size=1024,
    precision="mixed_bfloat16",
    **(RECIPE | {"learning_rate": 1.38, "muon_learning_rate": 0.18, "seeds": 20})
    | {"headline": False},  # twenty logits would fill the packs
    gpu=True,
)

# Twice as wide, ten times as long, and pictures that are mixed, so that it does not
# learn them by heart: about 12 PF. Untried.
wide_and_long = Experiment(
    name="wide_and_long",
    row="S21",
    claim="One network of our own reaches 0.80 without averaging views.",
    arguments={"filters": (128, 512, 1536), "inner": (128, 384, 1024)},
    image_sizes=((20, 0.3), (24, 0.6), (32, 1)),
    epochs=100,
    batch_size=1024,
    precision="mixed_bfloat16",
    **RECIPE
    | {
        "augmentation": (*RECIPE["augmentation"], "cutmix"),
        "label_smoothing": 0.1,
    },
    gpu=True,
)
wide_and_long_without_cutmix = child(
    wide_and_long,
    "wide_and_long_without_cutmix",
    augmentation=RECIPE["augmentation"],
    seeds=3,
    supports=-1,
    claim="For as long as this, pictures that are not mixed are worse.",
)


def without(name: str, claim: str, **change) -> Experiment:
    """The short recipe with one ingredient changed: it should be worse."""
    return child(fast, f"fast_{name}", claim=claim, supports=-1, seeds=3, **change)


ABLATION = (
    without(
        "trained_stem",
        "Without whitening, a trained first layer is worse.",
        arguments={"whitening": False},
    ),
    without(
        "random_start",
        "Convolutions that do not start as the identity are worse.",
        arguments={"identity": False},
    ),
    without(
        "no_shortcuts",
        "Without shortcuts it is worse.",
        arguments={"residual": False},
    ),
    without("relu", "ReLU is worse than SiLU.", arguments={"activation": "relu"}),
    without(
        "mean_pooling",
        "The mean of each channel alone is worse than mean and maximum.",
        arguments={"pooling": "mean"},
    ),
    without(
        "long_memory",
        "Batch norm that remembers a hundred steps is worse.",
        arguments={"batch_norm_momentum": 0.99},
    ),
    without(
        "plain_logits",
        "Logits that are not scaled down are worse.",
        arguments={"logit_scale": 1.0},
    ),
    without("full_size", "Pictures of 32 pixels throughout are worse.", image_sizes=()),
    without("hard_labels", "Without label smoothing it is worse.", label_smoothing=0.0),
    without("cosine", "A cosine without a rise is worse.", schedule="cosine"),
    without(
        "random_flip",
        "Flips drawn anew in each epoch are worse than alternating ones.",
        augmentation=("flip", "crop"),
    ),
    without(
        "no_crop", "Without crops it is worse.", augmentation=("alternating_flip",)
    ),
    without("lookahead", "Lookahead does not help here.", lookahead=0.95),
    without(
        "cutout",
        "Cutout does not help at this length.",
        augmentation=("alternating_flip", "crop", "cutout"),
    ),
    without(
        "mixup",
        "Mixup does not help at this length.",
        augmentation=("alternating_flip", "crop", "mixup"),
    ),
)

# SGD at the rate that it has beside Muon. A search for its own rate is still to come.
fast_sgd = without("sgd", "SGD is worse than Muon.", optimizer="sgd")

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
    for size in (32, 64, 128)
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

# Fine-tuned: the whole network learns on, from ImageNet's weights.
finetuned_64 = Experiment(
    name="finetuned_64",
    row="S20",
    claim="Fine-tuning beats frozen features by far.",
    architecture="efficientnet_lite",
    arguments={"image_size": 64, "weights": "imagenet", "freeze": "batch_norm"},
    augmentation=("flip", "crop"),
    learning_rate=1e-3,
    schedule="one_cycle",
    warmup=0.1,
    epochs=6,
    batch_size=64,
    label_smoothing=0.1,
    timed=True,
)
finetuned_64_all_statistics = child(
    finetuned_64,
    "finetuned_64_all_statistics",
    arguments={"freeze": "none"},
    seeds=2,
    claim="Batch norm that learns on too is better.",
)
from_scratch_64 = child(
    finetuned_64_all_statistics,
    "from_scratch_64",
    arguments={"weights": "random"},
    supports=-1,
    claim="From scratch, at equal resolution and length, it is far worse.",
)
finetuned_64_layer_decay = child(
    finetuned_64,
    "finetuned_64_layer_decay",
    layer_decay=0.8,
    seeds=2,
    claim="Smaller rates for lower blocks help.",
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

STRONG = (
    fast,
    fast_wide,
    fast_wide_long,
    fast_gpu,
    wide_and_long,
    wide_and_long_without_cutmix,
    *ABLATION,
    fast_sgd,
    frozen_96,
    *frozen_sizes,
    *frozen_few,
    finetuned_64,
    finetuned_64_all_statistics,
    from_scratch_64,
    finetuned_64_layer_decay,
    finetuned_64_no_augmentation,
    finetuned_96,
    finetuned_224,
    finetuned_224_lite2,
)
