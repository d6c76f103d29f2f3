"""Networks by name. To add one: a function in a module here, a line in `MODELS`."""

from cifar100.errors import UserError, suggestion
from cifar100.experiments import Experiment
from cifar100.quiet import check_engine, quiet_start

with quiet_start():
    check_engine()
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.list_physical_devices()  # looks for a GPU, and logs

from cifar100.models.alexnet import alexnet
from cifar100.models.arguments import check
from cifar100.models.baseline import baseline, simple_cnn
from cifar100.models.fast import fast
from cifar100.models.initialize import initialize
from cifar100.models.lenet import lenet5
from cifar100.models.resnet import resnet
from cifar100.models.transfer import efficientnet_lite, linear_head
from cifar100.models.vgg import vgg

MODELS = {
    "simple_cnn": simple_cnn,
    "lenet5": lenet5,
    "alexnet": alexnet,
    "baseline": baseline,
    "vgg": vgg,
    "resnet": resnet,
    "efficientnet_lite": efficientnet_lite,
    "linear_head": linear_head,
    "fast": fast,
}


def build(experiment: Experiment, seed: int = 0) -> keras.Model:
    """The network of an experiment with its initial weights for `seed`.

    Input (B, 32, 32, 3) float32, standardised (`fast` takes other sizes too,
    `linear_head` features (B, 1280)); output (B, 100) float32 logits. Raises
    `UserError` for an architecture or argument that is unknown or not possible.
    """
    name, arguments = str(experiment.architecture), dict(experiment.arguments)
    if name not in MODELS:
        raise UserError(f"no network '{name}'{suggestion(name, MODELS)}")
    check(name, MODELS[name], arguments)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(experiment.precision)
    try:
        model = MODELS[name](dropout=experiment.dropout, **arguments)
    except ValueError as error:  # a word, depth or size that the network refuses
        raise UserError(f"{name}: {_reason(error)}") from error
    finally:
        keras.config.set_dtype_policy(policy)
    _check_input(experiment, model)
    initialize(model, seed)
    return model


def _check_input(experiment: Experiment, model: keras.Model) -> None:
    """Raise `UserError` for settings of pictures that the network is not given."""
    name, shape = experiment.architecture, model.input_shape[1:]
    if experiment.image_sizes and shape[0] is not None:
        raise UserError(f"{name} takes inputs of one size; leave out image_sizes")
    splits = ("augmented_before_split", "augmented_after_split")
    of_pictures = ("flip_tta", "batch_norm_augmented", *splits)
    asked = [each for each in experiment.evaluations if each in of_pictures]
    if len(shape) == 1 and (asked := [*experiment.augmentation, *asked]):
        raise UserError(f"{name} takes features, not pictures; leave out '{asked[0]}'")


def _reason(error: ValueError) -> str:
    """What went wrong in one line; Keras adds paragraphs about its own calls."""
    return " ".join(str(error).split("Arguments received by")[0].split())
