"""Learning rates, one for each step of a run."""

import numpy as np

from cifar100.experiments import Experiment


def learning_rates(experiment: Experiment, steps: int) -> np.ndarray:
    """The learning rate of every step, float32 (steps,).

    `constant`; `cosine`, from the peak to zero along half a period without restarts
    (Loshchilov & Hutter 2017, arXiv:1608.03983, equation 5); `one_cycle`, a linear rise
    over the first `warmup` of the steps, then a linear fall to zero (after Smith &
    Topin 2017, arXiv:1708.07120, section 3). The last step still has a rate above zero.
    """
    peak, step = experiment.learning_rate, np.arange(steps)
    match experiment.schedule:
        case "constant":
            rates = np.full(steps, peak)
        case "cosine":
            rates = peak * 0.5 * (1 + np.cos(np.pi * step / steps))
        case _:
            rise = max(1, round(experiment.warmup * steps))
            fall = max(1, steps - rise)
            up, down = (step + 1) / rise, (steps - step) / fall
            rates = peak * np.minimum(1.0, np.minimum(up, down))
    return rates.astype(np.float32)
