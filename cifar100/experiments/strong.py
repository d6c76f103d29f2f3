"""S21: the best own network, which is no step of the student's. Notebook 13."""

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
# That run ends with its training pictures learnt by heart, so these are mixed, and it
# takes longer still: about 2 PF. In float32, which no processor converts. Untried.
fast_wide_cutmix = Experiment(
    name="fast_wide_cutmix",
    row="S21",
    claim="Sixty epochs of mixed pictures reach 0.80 without a GPU.",
    arguments=dict(fast_wide.arguments),
    image_sizes=fast_wide.image_sizes,
    epochs=60,
    batch_size=512,
    **RECIPE
    | {
        "augmentation": (*RECIPE["augmentation"], "cutmix"),
        "label_smoothing": 0.1,
        "seeds": 1,
        "timed": False,
    },
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
    without("lookahead", "Lookahead does not help here.", lookahead=0.5),
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

# Small pictures first do less work. At about equal work, is full size worse?
fast_full_size_shorter = child(
    next(e for e in ABLATION if e.name == "fast_full_size"),
    "fast_full_size_shorter",
    epochs=2,
    supports=-1,
    claim="Full size for as few epochs as the same work allows is worse.",
)

# SGD at the rate that it has beside Muon, and a search around it at one seed each.
fast_sgd = without("sgd", "SGD is worse than Muon.", optimizer="sgd")
sgd_search = tuple(
    child(
        fast_sgd,
        f"fast_sgd_{name}",
        learning_rate=rate,
        seeds=1,
        claim=f"SGD wants a peak rate of {rate}.",
    )
    for name, rate in (("02", 0.2), ("2", 2.0))
)

STRONG = (
    fast,
    fast_wide,
    fast_wide_long,
    fast_wide_cutmix,
    fast_gpu,
    wide_and_long,
    wide_and_long_without_cutmix,
    *ABLATION,
    fast_full_size_shorter,
    fast_sgd,
    *sgd_search,
)
