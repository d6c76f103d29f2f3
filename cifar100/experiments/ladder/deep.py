"""S11, S12: VGG (notebook 08, and 09). S15, S16: shortcuts (notebook 10)."""

from cifar100.experiments.experiment import Experiment, child
from cifar100.experiments.ladder.shapes import two_convolutions

# A quarter of VGG's width and ten epochs, for a laptop. The full width is a matter for
# a GPU.
vgg16 = Experiment(
    name="vgg16",
    row="S11",
    claim="VGG-16 beats the own network.",
    architecture="vgg",
    arguments={"depth": 16, "width": 16, "dense_units": (128,)},
    epochs=10,
    seeds=5,
)
vgg13, vgg19 = (
    child(
        vgg16,
        f"vgg{depth}",
        arguments={"depth": depth},
        seeds=3,
        supports=supports,
        claim=f"VGG-{depth} is {word} than VGG-16.",
    )
    for depth, supports, word in ((13, -1, "worse"), (19, 1, "better"))
)
vgg16_less_block = child(
    vgg16,
    "vgg16_less_block",
    arguments={"blocks": 4},
    row="S12",
    kind="confirmatory",
    claim="VGG-16 without its last block is better.",
)
vgg16_global_average = child(
    vgg16_less_block,
    "vgg16_global_average",
    arguments={"dense_units": ()},
    row="S13",
    seeds=3,
    claim="In VGG too, global average pooling is better than a dense layer.",
)
vgg16_full = child(
    vgg16,
    "vgg16_full",
    arguments={"width": 64},
    seeds=3,
    gpu=True,
    claim="VGG-16 at full width is better.",
)
vgg13_full, vgg19_full = (
    child(
        vgg16_full,
        f"vgg{depth}_full",
        arguments={"depth": depth},
        supports=supports,
        claim=f"At full width, VGG-{depth} is {word} than VGG-16.",
    )
    for depth, supports, word in ((13, -1, "worse"), (19, 1, "better"))
)
vgg16_full_less_block = child(
    vgg16_full,
    "vgg16_full_less_block",
    arguments={"blocks": 4},
    row="S12",
    claim="At full width, VGG-16 without its last block is better.",
)

# Half the width of the paper's ResNet-20, and ten epochs.
plain20 = Experiment(
    name="plain20",
    row="S15",
    claim="Twenty layers train without shortcuts.",
    architecture="resnet",
    arguments={"depth": 20, "width": 8, "shortcuts": False},
    epochs=10,
)
resnet20 = child(
    plain20,
    "resnet20",
    arguments={"shortcuts": True},
    claim="Shortcuts help at 20 layers.",
)
plain56 = child(
    plain20,
    "plain56",
    arguments={"depth": 56},
    supports=-1,
    claim="Without shortcuts, 56 layers are worse than 20.",
)
resnet56 = child(
    plain56,
    "resnet56",
    arguments={"shortcuts": True},
    claim="Shortcuts help at 56 layers.",
)
resnet20_full = child(
    resnet20,
    "resnet20_full",
    arguments={"width": 16},
    gpu=True,
    claim="ResNet-20 at full width is better.",
)
resnet56_full = child(
    resnet20_full,
    "resnet56_full",
    arguments={"depth": 56},
    claim="At full width, 56 layers are better than 20.",
)
plain56_full = child(
    resnet56_full,
    "plain56_full",
    arguments={"shortcuts": False},
    supports=-1,
    claim="At full width, 56 layers are worse without shortcuts.",
)
resnet18_full = Experiment(
    name="resnet18_full",
    row="S15",
    claim="ResNet-18 is the best of the classic networks.",
    architecture="resnet",
    arguments={"depth": 18},
    epochs=10,
    gpu=True,
)
plain18_full = child(
    resnet18_full,
    "plain18_full",
    arguments={"shortcuts": False},
    supports=-1,
    claim="ResNet-18 is worse without its shortcuts.",
)

shortcut = child(
    two_convolutions,
    "shortcut",
    arguments={"shortcut": True},
    row="S16",
    kind="confirmatory",
    claim="A shortcut around each block helps the own network.",
)

EXPERIMENTS = (
    vgg16,
    vgg13,
    vgg19,
    vgg16_less_block,
    vgg16_global_average,
    vgg16_full,
    vgg13_full,
    vgg19_full,
    vgg16_full_less_block,
    plain20,
    resnet20,
    plain56,
    resnet56,
    resnet20_full,
    resnet56_full,
    plain56_full,
    resnet18_full,
    plain18_full,
    shortcut,
)
