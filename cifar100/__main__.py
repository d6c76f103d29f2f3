"""`python -m cifar100` is `cifar100`."""

from cifar100.cli import main

main()
