"""Seeds, and why they do not carry over between frameworks.

What each generator does with a seed, where its state lives, and why one seed gives three sets of weights.
"""

SEED = 0

NOTE = (
    "NumPy's default_rng is PCG64; PyTorch's CPU generator is the Mersenne Twister; TensorFlow's and JAX's generators "
    "are counter-based (Philox, Threefry): a number is a hash of a key and a counter. The state is an object in NumPy, "
    "a global or an explicit torch.Generator in PyTorch, a variable of a SeedGenerator, global or your own, in Keras, "
    "and in JAX there is none: a key is a value, the same key gives the same numbers, and new ones come from split(). "
    "nnx.Rngs wraps a key and a counter, so that layers can draw in turn. Even with equal numbers the weights would "
    "differ, because the default initializers do: PyTorch draws Linear weight and bias from U(-1/sqrt(fan_in), "
    "1/sqrt(fan_in)), Keras the kernel Glorot-uniform, flax LeCun-normal (truncated), both with zero biases. This is "
    "why the project draws its initial parameters and batch orders once, in NumPy, and hands them to all."
)
DIFFERS = {
    "draws": "different generators give different numbers",
    "generator": "the object that holds the state, and how large it is; in JAX, the algorithm of the key",
    "same_call_twice": "does the second call give new numbers? With the same explicit key it does not",
    "initializer": "the default of a dense layer, where the framework tells it",
    "weight_std": "standard deviation of 100 x 50 initial weights",
    "largest_weight": "largest of 100 x 50 initial weights, in absolute value",
    "bias_std": "standard deviation of the initial biases",
}


def with_numpy() -> dict:
    """A Generator object carries the state."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    first, second = rng.normal(size=3), rng.normal(size=3)
    again = np.random.default_rng(SEED).normal(size=3)

    kernel, bias = rng.normal(size=(100, 50)) / np.sqrt(100), np.zeros(50)
    return {
        "draws": first,
        "same_seed_same_draws": bool((first == again).all()),
        "same_call_twice": "same" if (first == second).all() else "new numbers",
        "generator": f"{type(rng).__name__} of {type(rng.bit_generator).__name__}",
        "weight_std": kernel.std(),
        "largest_weight": np.abs(kernel).max(),
        "bias_std": bias.std(),
    }


def with_pytorch() -> dict:
    """One global generator, or a torch.Generator."""
    import torch
    from torch import nn

    torch.manual_seed(SEED)
    first, second = torch.randn(3), torch.randn(3)
    generator = torch.Generator().manual_seed(SEED)
    again = torch.randn(3, generator=generator)

    layer = nn.Linear(100, 50)
    weight, bias = layer.weight.detach(), layer.bias.detach()
    return {
        "draws": first.numpy(),
        "same_seed_same_draws": bool((first == again).all()),
        "same_call_twice": "same" if (first == second).all() else "new numbers",
        "generator": f"{type(generator).__name__} of {generator.get_state().numel():,} bytes",
        "weight_std": weight.std().item(),
        "largest_weight": weight.abs().max().item(),
        "bias_std": bias.std().item(),
    }


def with_keras() -> dict:
    """A global seed, or a SeedGenerator with its own state."""
    import keras

    keras.utils.set_random_seed(SEED)
    first, second = keras.random.normal((3,)), keras.random.normal((3,))
    keras.utils.set_random_seed(SEED)
    again = keras.random.normal((3,))

    generator = keras.random.SeedGenerator(SEED)
    layer = keras.layers.Dense(50)
    layer.build((None, 100))
    kernel, bias = layer.get_weights()
    return {
        "draws": first.numpy(),
        "same_seed_same_draws": bool((first == again).numpy().all()),
        "same_call_twice": "same" if (first == second).numpy().all() else "new numbers",
        "generator": f"{type(generator).__name__} of {generator.state.shape[0]} numbers",
        "initializer": f"{type(layer.kernel_initializer).__name__}, bias {type(layer.bias_initializer).__name__}",
        "weight_std": kernel.std(),
        "largest_weight": abs(kernel).max(),
        "bias_std": bias.std(),
    }


def with_jax() -> dict:
    """A key is a value; split() makes new ones."""
    import jax
    import numpy as np
    from flax import nnx

    key = jax.random.key(SEED)
    first, second = jax.random.normal(key, 3), jax.random.normal(key, 3)
    again = jax.random.normal(jax.random.key(SEED), 3)

    layer = nnx.Linear(100, 50, rngs=nnx.Rngs(SEED))
    kernel = np.asarray(layer.kernel[...])
    return {
        "draws": np.asarray(first),
        "same_seed_same_draws": bool((first == again).all()),
        "same_call_twice": "same" if (first == second).all() else "new numbers",
        "generator": str(jax.random.key_impl(key)),
        "weight_std": kernel.std(),
        "largest_weight": np.abs(kernel).max(),
        "bias_std": float(layer.bias[...].std()),
    }
