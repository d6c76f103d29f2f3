"""The networks of benchmarks/training.py and engines.py in PyTorch.

Imported by an interpreter that has PyTorch; the course does not depend on it.
"""

import itertools

from torch import nn
from torch.nn import functional as F  # noqa: N812 (PyTorch's own custom)


class SimpleCNN(nn.Module):
    """cifar100.models.baseline.simple_cnn in PyTorch."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 32, 3, padding=1)
        self.second = nn.Conv2d(32, 64, 3, padding=1)
        self.dense = nn.Linear(64 * 8 * 8, 128)
        self.logits = nn.Linear(128, 100)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.first(x)), 2)
        x = F.max_pool2d(F.relu(self.second(x)), 2)
        return self.logits(F.relu(self.dense(x.flatten(1))))


class Block(nn.Module):
    """cifar100.models.resnet.residual_block in PyTorch."""

    def __init__(self, channels, filters, stride):
        super().__init__()
        self.first = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(filters), nn.BatchNorm2d(filters)
        self.shortcut = nn.Identity()
        if stride != 1 or channels != filters:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, filters, 1, stride, bias=False),
                nn.BatchNorm2d(filters),
            )

    def forward(self, x):
        y = F.relu(self.norm1(self.first(x)))
        return F.relu(self.norm2(self.second(y)) + self.shortcut(x))


class ResNet(nn.Module):
    """cifar100.models.resnet.resnet in PyTorch; `widths` are those of its blocks."""

    def __init__(self, widths):
        super().__init__()
        self.stem = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(widths[0])
        pairs = itertools.pairwise([widths[0], *widths])
        self.blocks = nn.Sequential(
            *(Block(a, b, 1 if a == b else 2) for a, b in pairs)
        )
        self.logits = nn.Linear(widths[-1], 100)

    def forward(self, x):
        x = self.blocks(F.relu(self.norm(self.stem(x))))
        return self.logits(x.mean((2, 3)))


NETWORKS = {
    "simple_cnn": SimpleCNN,
    "resnet20": lambda: ResNet([16] * 3 + [32] * 3 + [64] * 3),
    "resnet18": lambda: ResNet([64] * 2 + [128] * 2 + [256] * 2 + [512] * 2),
}
