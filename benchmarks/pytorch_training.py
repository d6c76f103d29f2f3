"""PyTorch's side of benchmarks/training.py; run by an interpreter that has PyTorch.

Needs nothing but torch and numpy: the course does not depend on PyTorch.
"""

import argparse
import itertools
import json
import time

import numpy as np
import torch
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


class ResNet20(nn.Module):
    """cifar100.models.resnet.resnet20 in PyTorch."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(16)
        widths = [16] * 4 + [32] * 3 + [64] * 3
        pairs = itertools.pairwise(widths)
        self.blocks = nn.Sequential(
            *(Block(a, b, 1 if a == b else 2) for a, b in pairs)
        )
        self.logits = nn.Linear(64, 100)

    def forward(self, x):
        x = self.blocks(F.relu(self.norm(self.stem(x))))
        return self.logits(x.mean((2, 3)))


NETWORKS = {"simple_cnn": SimpleCNN, "resnet20": ResNet20}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("batch", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("threads", type=int)
    parser.add_argument("--compiled", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    model = NETWORKS[given.network]().to(memory_format=torch.channels_last)
    parameters = sum(p.numel() for p in model.parameters())
    run = torch.compile(model) if given.compiled else model
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (20 * given.batch, 32, 32, 3), dtype=np.uint8)
    labels = torch.from_numpy(generator.integers(0, 100, len(pixels)))
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(255).sub(0.5)
    images = images.contiguous(memory_format=torch.channels_last)

    def step(number):
        first = number % 20 * given.batch
        part = slice(first, first + given.batch)
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(run(images[part]), labels[part])
        loss.backward()
        optimizer.step()
        return loss

    for number in range(6):  # compilation, allocation
        step(number)
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < given.seconds:
        loss = step(steps)
        steps += 1
    speed = steps * given.batch / (time.perf_counter() - began)
    print(
        json.dumps(
            {
                "images_per_second": speed,
                "parameters": parameters,
                "loss": loss.item(),
                "steps": steps,
            }
        )
    )


if __name__ == "__main__":
    main()
