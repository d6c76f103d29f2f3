"""CIFAR-100 step by step: the package behind the notebooks.

Importing it sets the environment that TensorFlow and Keras read when *they* are
imported, so it has to come first; it imports neither of them. What is already set in
the environment wins.
"""

import os

# oneDNN's kernels are off by default on processors without AVX-512, where they are the
# faster ones too.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
