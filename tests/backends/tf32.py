"""Whether a framework may round the factors of its products to TF32, by its own flags; runs in a worker."""


def allowed(model: object) -> bool:
    """Of the framework that a model is of."""
    framework = type(model).__module__.split(".")[1]
    if framework == "pytorch":
        import torch

        return torch.get_float32_matmul_precision() == "high" and torch.backends.cudnn.allow_tf32
    if framework == "jax":
        import jax

        return bool(jax.config.jax_default_matmul_precision == "tensorfloat32")
    import tensorflow as tf

    return bool(tf.config.experimental.tensor_float_32_execution_enabled())
