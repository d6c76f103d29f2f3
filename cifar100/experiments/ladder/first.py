"""S1: the first network. Notebook 02."""

from cifar100.experiments.experiment import Experiment, child

# S1. The student's text gives "a simple CNN, 0.3x" and no more. Assumed: two
# convolutions with 32 and 64 filters, each followed by pooling, one dense layer of 128
# units, Adam at Keras' default rate, batches of 128, no regularisation at all.
simple_cnn = Experiment(
    name="simple_cnn",
    row="S1",
    claim="A simple CNN reaches an accuracy of 0.3x.",
    architecture="simple_cnn",
    epochs=15,
    seeds=5,
)
simple_cnn_short = child(
    simple_cnn,
    "simple_cnn_short",
    epochs=5,
    claim="Stopping after a third of the training loses nothing.",
)
simple_cnn_weight_decay = child(
    simple_cnn,
    "simple_cnn_weight_decay",
    weight_decay=0.3,
    claim="Weight decay keeps the simple CNN from overfitting.",
)

EXPERIMENTS = (simple_cnn, simple_cnn_short, simple_cnn_weight_decay)
