"""Muon: momentum whose steps on convolution kernels are made orthogonal."""

import keras
from keras import ops

STEPS = 3
COEFFICIENTS = 3.4445, -4.7750, 2.0315
EPSILON = 1e-7


class Muon(keras.optimizers.SGD):
    """Muon for convolution kernels, SGD with Nesterov momentum for all other weights.

    Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"
    (kellerjordan.github.io/posts/muon). Keras' own Muon leaves kernels of convolutions
    to AdamW. A kernel (h, w, inputs, filters) is a matrix with a column for each
    filter; in each step its norm is set back to the square root of the number of
    filters, so that the rate alone says how far a step turns it. `learning_rate` is
    that of SGD; Muon's is `muon_learning_rate` when that is at its peak, and falls
    along with it. Products of matrices are computed in `dtype`, Jordan's in bfloat16.
    """

    def __init__(
        self,
        learning_rate: float,
        *,
        momentum: float,
        muon_learning_rate: float,
        muon_momentum: float,
        weight_decay: float | None = None,
        dtype: str | None = None,
        **averaging,
    ):
        super().__init__(
            learning_rate,
            momentum=momentum,
            nesterov=True,
            weight_decay=weight_decay,
            **averaging,
        )
        self.ratio = muon_learning_rate / learning_rate
        self.muon_momentum = muon_momentum
        self.product_dtype = dtype

    def update_step(self, gradient, variable, learning_rate):
        """One step of one variable, in place."""
        if len(variable.shape) != 4:
            super().update_step(gradient, variable, learning_rate)
            return
        rate = ops.cast(learning_rate, variable.dtype) * self.ratio
        momentum = self.momentums[self._get_variable_index(variable)]
        kept = self.muon_momentum * momentum + gradient
        self.assign(momentum, kept)
        filters = variable.shape[-1]
        step = ops.reshape(gradient + self.muon_momentum * kept, (-1, filters))
        step = orthogonalize(step, self.product_dtype)
        step = ops.reshape(ops.cast(step, variable.dtype), variable.shape)
        scale = filters**0.5 / ops.norm(ops.reshape(variable, (-1,)))
        self.assign(variable, variable * scale - rate * step)


def orthogonalize(matrix, dtype: str | None = None, steps: int = STEPS):
    """The nearest matrix with orthonormal rows or columns, nearly: float (n, m), same;
    of type `dtype` if one is given.

    `steps` of the quintic Newton-Schulz iteration X <- (a + b A + c A²) X with
    A = X Xᵀ. All of them are polynomials in the first A, which is as small as the
    shorter side: so they are multiplied with each other first, and with X once.
    """
    a, b, c = COEFFICIENTS
    matrix = ops.convert_to_tensor(matrix)
    matrix = ops.cast(matrix / (ops.norm(matrix) + EPSILON), dtype or matrix.dtype)
    wide = matrix.shape[0] <= matrix.shape[1]
    transposed = ops.transpose(matrix)
    gram = ops.matmul(matrix, transposed) if wide else ops.matmul(transposed, matrix)
    identity = ops.eye(gram.shape[0], dtype=gram.dtype)
    product = identity
    for _ in range(steps):
        factor = a * identity + b * gram + c * ops.matmul(gram, gram)
        product = ops.matmul(factor, product)
        gram = ops.matmul(ops.matmul(factor, gram), factor)
    return ops.matmul(product, matrix) if wide else ops.matmul(matrix, product)
