"""What is measured of the data set itself: colours, floors, copies, labels.

Everything here works on pixels and features. The labels of the test split are never
read: its images are looked at only to find copies of training images among them.
"""

from cifar100.data_study.copies import (
    Sketch,
    copies_in_test,
    copies_in_training,
    identical,
    likeness,
    sketcher,
)
from cifar100.data_study.floors import (
    class_means,
    floors,
    nearest_class,
    neighbours_vote,
    score,
)
from cifar100.data_study.images import (
    OfficialTraining,
    colours,
    official_training,
    one_of_each,
    shrink,
    split_sizes,
)
from cifar100.data_study.listed import (
    agreement,
    cut_for,
    judge_searches,
    listed_copies,
    nearest,
    whitened,
)

__all__ = [
    "OfficialTraining",
    "Sketch",
    "agreement",
    "class_means",
    "colours",
    "copies_in_test",
    "copies_in_training",
    "cut_for",
    "floors",
    "identical",
    "judge_searches",
    "likeness",
    "listed_copies",
    "nearest",
    "nearest_class",
    "neighbours_vote",
    "official_training",
    "one_of_each",
    "score",
    "shrink",
    "sketcher",
    "split_sizes",
    "whitened",
]
