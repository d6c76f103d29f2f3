"""S18: online augmentation (notebook 11). S19: offline augmentation (notebook 12)."""

from cifar100.experiments.experiment import child
from cifar100.experiments.ladder.baseline import baseline

# On the network without dropout, which overfits: one cure at a time.
student_set = child(
    baseline,
    "student_set",
    augmentation=("flip", "affine"),
    row="S18",
    kind="confirmatory",
    claim="The student's set (flip, rotation, shift, zoom) helps.",
)
# The same runs, scored besides with statistics of changed pictures that do not lag. How
# much of what new statistics bring is lag, how much that val pictures are unchanged?
student_set_scored = child(
    student_set,
    "student_set_scored",
    evaluations=(*student_set.evaluations, "batch_norm_augmented"),
    seeds=3,
    claim="Batch norm scores better with statistics that do not lag.",
)
flip = child(
    baseline,
    "flip",
    augmentation=("flip",),
    row="S18",
    seeds=3,
    claim="Flips help.",
)
flip_crop = child(
    baseline,
    "flip_crop",
    augmentation=("flip", "crop"),
    row="S18",
    claim="Flips and crops help.",
)
cutout, mixup, cutmix, rand_augment = (
    child(
        flip_crop,
        name,
        augmentation=("flip", "crop", name),
        seeds=3,
        claim=f"{title} helps on top of flips and crops.",
    )
    for name, title in (
        ("cutout", "Cutout"),
        ("mixup", "Mixup"),
        ("cutmix", "CutMix"),
        ("rand_augment", "RandAugment"),
    )
)

# The same after four times the epochs.
baseline_long = child(
    baseline,
    "baseline_long",
    epochs=60,
    row="S18",
    seeds=3,
    supports=-1,
    claim="Without augmentation, four times the epochs only overfit.",
)
flip_crop_long = child(
    baseline_long,
    "flip_crop_long",
    augmentation=("flip", "crop"),
    headline=True,
    claim="After four times the epochs, flips and crops help.",
)
cutmix_long = child(
    flip_crop_long,
    "cutmix_long",
    augmentation=("flip", "crop", "cutmix"),
    claim="After four times the epochs, CutMix helps on top.",
)
student_set_long = child(
    baseline_long,
    "student_set_long",
    augmentation=("flip", "affine"),
    claim="After four times the epochs, the student's set helps.",
)

# Capacity and augmentation, two by two, and one deeper network.
wide = child(
    baseline,
    "wide",
    arguments={"filters": (32, 64, 128)},
    row="S18",
    claim="Without augmentation, a wider network helps.",
)
flip_crop_wide = child(
    flip_crop,
    "flip_crop_wide",
    arguments={"filters": (32, 64, 128)},
    kind="confirmatory",
    claim="With flips and crops, a wider network helps.",
)
flip_crop_4_blocks = child(
    flip_crop,
    "flip_crop_4_blocks",
    arguments={"filters": (16, 32, 64, 128)},
    seeds=3,
    claim="With flips and crops, a deeper network helps.",
)

# Offline: the student's set, as few stored pictures or anew in each epoch.
stored_1, stored_3 = (
    child(
        student_set,
        f"stored_{copies}",
        stored_copies=copies,
        row="S19",
        kind="confirmatory",
        supports=-1,
        claim=f"{text} worse than fresh pictures, at equal steps.",
    )
    for copies, text in ((1, "One stored copy is"), (3, "Three stored copies are"))
)
stored_7 = child(
    student_set,
    "stored_7",
    stored_copies=7,
    row="S19",
    seeds=3,
    supports=-1,
    claim="Seven stored copies are worse than fresh pictures, at equal steps.",
)
# Stored copies differ from fresh pictures in two ways: versions come again, and a part
# of the pictures is shown as it is. Here the part is that of three copies and no
# version comes again. Added when stored copies had turned out to be the better ones.
quarter_unchanged = child(
    student_set,
    "quarter_unchanged",
    unchanged=0.25,
    row="S19",
    claim="Fresh pictures are better when a quarter of them stays as it is.",
)
# The same runs, scored besides as if the pictures had been augmented before the split;
# and on val pictures that are changed in the same way, to tell what the leak is worth.
stored_leak = child(
    stored_3,
    "stored_leak",
    evaluations=(
        *stored_3.evaluations,
        "augmented_before_split",
        "augmented_after_split",
    ),
    seeds=3,
    claim="Augmenting before the split flatters the score.",
)

EXPERIMENTS = (
    student_set,
    student_set_scored,
    flip,
    flip_crop,
    cutout,
    mixup,
    cutmix,
    rand_augment,
    baseline_long,
    flip_crop_long,
    cutmix_long,
    student_set_long,
    wide,
    flip_crop_wide,
    flip_crop_4_blocks,
    stored_1,
    stored_3,
    stored_7,
    quarter_unchanged,
    stored_leak,
)
