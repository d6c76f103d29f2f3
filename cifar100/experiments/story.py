"""The student's journey as citations, and the notebooks that test it. Values only."""

import re
from dataclasses import dataclass

TARGET_OWN_NETWORK = 0.65  # what the student wanted to reach, an accuracy
TARGET_TRANSFER = 0.78


@dataclass(frozen=True)
class Step:
    """One step of the student's journey.

    `student` holds the student's own figures as they were written: `0.3x` is any
    accuracy from 0.30 to 0.39, `0.42→0.46` a change, `0.48, 0.46` two results. It is
    None where the student gave none. `notebook` is the number of the one that tests it.
    """

    row: str
    title: str
    student: str | None
    notebook: str
    question: str

    @property
    def figures(self) -> tuple[tuple[float, float], ...]:
        """The student's figures in order, as (lowest, highest) accuracy in [0, 1]."""
        text = self.student or ""
        spans = re.split(r"[→,]", text) if text else []
        return tuple(_span(span) for span in spans)

    @property
    def is_change(self) -> bool:
        """Whether the figures are a before and an after."""
        return "→" in (self.student or "")


@dataclass(frozen=True)
class Notebook:
    """One notebook of the course: `stem` is the name of its file without `.ipynb`."""

    number: str
    stem: str
    title: str
    question: str


def _span(text: str) -> tuple[float, float]:
    """`0.46` as (0.46, 0.46), `0.3x` as (0.30, 0.39), `0.5x–0.6x` as (0.50, 0.69)."""
    first, _, last = text.strip().partition("–")
    return float(first.replace("x", "0")), float((last or first).replace("x", "9"))


STORY = (
    Step("S1", "a simple CNN", "0.3x", "02", "How far does the simplest CNN get?"),
    Step("S2", "LeNet-5", None, "03", "Does the oldest design still do?"),
    Step(
        "S3",
        "parts of AlexNet: a small gain",
        None,
        "03",
        "Which of AlexNet's parts helps at 32 pixels?",
    ),
    Step("S4", "one more block", "0.30→0.35", "04", "Does a third block help?"),
    Step(
        "S5",
        "still deeper: no help, it overfits",
        "0.42",
        "04",
        "At equal cost: deeper, or wider?",
    ),
    Step("S6", "dropout", "0.42→0.46", "05", "Does dropout help?"),
    Step(
        "S7",
        "200 epochs, early stopping",
        "0.46→0.48",
        "06",
        "Is it the length of the training, or where it stops?",
    ),
    Step(
        "S8",
        "two convolutions a block; filters × 2",
        "0.48, 0.46",
        "07",
        "Do more convolutions help, and do more filters hurt?",
    ),
    Step(
        "S9",
        "dropout after pooling, not before",
        "0.46→0.52",
        "05",
        "Does the place of dropout matter, and why?",
    ),
    Step(
        "S10",
        "order of batch norm and activation",
        None,
        "07",
        "Batch norm before the activation, or after it?",
    ),
    Step("S11", "VGG16 and VGG19", None, "08", "Do 16 or 19 layers pay at 32 pixels?"),
    Step("S12", "VGG, one block less", "0.56", "08", "Is one block too many?"),
    Step(
        "S13",
        "no dense layers; filters, dropout",
        "0.57→0.59",
        "09",
        "What are the dense layers good for?",
    ),
    Step(
        "S14",
        "Adam with rate 5e-4",
        "0.62",
        "06",
        "Is it the rate, or a rate that never falls?",
    ),
    Step("S15", "ResNet", None, "10", "Do shortcuts pay more in a deeper network?"),
    Step(
        "S16",
        "a shortcut in the student's network",
        "0.5x–0.6x",
        "10",
        "Does a shortcut help a network this shallow?",
    ),
    Step(
        "S17",
        "filters from 8; the mentor's rule",
        None,
        "07",
        "Where should a network be wide?",
    ),
    Step(
        "S18",
        "online augmentation",
        "0.65, 0.67",
        "11",
        "Which changes of the pictures help, and how much?",
    ),
    Step(
        "S19",
        "offline augmentation, OpenCV",
        None,
        "12",
        "Stored copies or fresh ones, at equal steps?",
    ),
    Step(
        "S20",
        "transfer from ImageNet",
        None,
        "14",
        "What does a network know that has seen other pictures?",
    ),
    Step(
        "S21",
        "the best network of our own",
        None,
        "13",
        "How far does a network of our own get, and in what time?",
    ),
)

NOTEBOOKS = (
    Notebook(
        "00",
        "00-start-here",
        "Start here: which step bought most?",
        "Of all that the student tried, which single step bought most?",
    ),
    Notebook(
        "01",
        "01-the-data",
        "What is in CIFAR-100, and what is wrong with it?",
        "What do 60,000 small pictures hold, and which labels can be trusted?",
    ),
    Notebook(
        "02",
        "02-a-first-network",
        "How far does the simplest CNN get?",
        "Where does the simplest network end, and what ends it?",
    ),
    Notebook(
        "03",
        "03-lenet-and-alexnet",
        "What do the classics add?",
        "Which parts of LeNet-5 and AlexNet help at 32 pixels?",
    ),
    Notebook(
        "04",
        "04-our-own-baseline",
        "Does depth help?",
        "Deeper, or wider at equal cost, and what does overfitting look like?",
    ),
    Notebook(
        "05",
        "05-dropout",
        "Where should dropout stand?",
        "Does dropout help, and does its place in the block matter?",
    ),
    Notebook(
        "06",
        "06-training-longer",
        "Does longer training help?",
        "What do more epochs, early stopping and schedules buy?",
    ),
    Notebook(
        "07",
        "07-width-depth-order",
        "Wider, deeper, or in another order?",
        "Where do filters, convolutions and batch norm belong?",
    ),
    Notebook(
        "08",
        "08-vgg",
        "Are VGG's layers too many?",
        "Do 16 or 19 layers pay at 32 pixels, and does one block less?",
    ),
    Notebook(
        "09",
        "09-without-dense-layers",
        "What are dense layers good for?",
        "What changes when global pooling takes their place?",
    ),
    Notebook(
        "10",
        "10-resnet",
        "When do shortcuts pay?",
        "Do shortcuts matter more in a deeper network?",
    ),
    Notebook(
        "11",
        "11-augmentation",
        "Which augmentation helps?",
        "Which changes of the pictures help, and does a bigger network pay then?",
    ),
    Notebook(
        "12",
        "12-offline-augmentation",
        "Stored copies, or fresh ones?",
        "Is augmentation that is stored as good as one drawn anew each epoch?",
    ),
    Notebook(
        "13",
        "13-fast-and-strong",
        "How good can a network of our own get?",
        "What do two processor cores reach in minutes, and in an hour and more?",
    ),
    Notebook(
        "14",
        "14-transfer",
        "What does transfer buy?",
        "Frozen, fine-tuned or from scratch: which wins at equal resolution?",
    ),
    Notebook(
        "15",
        "15-final-exam",
        "What holds on the test set?",
        "Opened once: which findings hold, and how sure can one be?",
    ),
)
