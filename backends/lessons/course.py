"""Questions for a class on each lesson, with answers: by lesson, in the order in which they are best read."""

QUESTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "neuron": (
        (
            "Only the sign of the derivative is used. What would the first steps be like with its size too?",
            "Very short: at the start the sigmoid is flat, and the derivative is -0.008. Where the curve is "
            "steep, the steps would be long.",
        ),
        (
            "In PyTorch, what happens if w.grad is not cleared before the next backward()?",
            "backward() adds to w.grad: the second step would use the sum of both derivatives.",
        ),
    ),
    "activations": (
        (
            "What do weight and bias do to the curve of a neuron?",
            "The weight makes it steeper, or turns it round where it is negative; the bias shifts it to the left "
            "or right.",
        ),
        (
            "Why do all implementations of softmax subtract the maximum first?",
            "The exponential of a large number overflows. A constant that is subtracted from all inputs cancels "
            "in the quotient, so the result is the same.",
        ),
    ),
    "tensors": (
        (
            "A NumPy array is changed after a tensor was made from it. In which framework does the tensor change too?",
            "In PyTorch after torch.from_numpy, which shares the memory; not after torch.tensor. tf.constant, "
            "jnp.array and jnp.asarray copy; jax.device_put and jax.dlpack.from_dlpack may share memory on the "
            "CPU.",
        ),
        (
            "Why may a program that is right in NumPy give other digits in JAX?",
            "NumPy computes in float64 by default. JAX makes float32 of it unless jax_enable_x64 is set.",
        ),
    ),
    "matmul": (
        (
            "Features have the shape (1, 5) and weights too. Why is x * w no replacement for a matrix product?",
            "It multiplies element by element and gives five numbers, which have to be added up. With other "
            "shapes it may broadcast without an error.",
        ),
        (
            "Two frameworks differ in the last digit of the same product. Is one of them wrong?",
            "No. They add the terms in different orders, and each addition in float32 rounds.",
        ),
    ),
    "two-layers": (
        (
            "Why is the weight of torch.nn.Linear transposed when it moves to Keras?",
            "It is stored as (out, in) and used as x @ weight.T; Keras stores (in, out) and computes x @ kernel.",
        ),
        (
            "The bias has the shape (2,), a batch (100, 2). How can they be added?",
            "The bias is broadcast: the same two numbers are added to each of the 100 rows.",
        ),
    ),
    "gradient": (
        (
            "Why may y be summed before backward() to get the derivative at each of eleven points?",
            "Each y depends on its own x alone. The derivative of the sum for one x is the derivative of that one y.",
        ),
        (
            "What does vmap(grad(f)) say?",
            "grad(f) is the derivative of f at one point; vmap applies it to each of many points.",
        ),
    ),
    "gradient-descent": (
        (
            "At which rates does the descent on x^2 fail?",
            "Each step multiplies x by 1 - 2 * rate. From a rate of 1 on, that is -1 or less: x no longer comes "
            "nearer to 0.",
        ),
        (
            "Where is the state of the optimizer in optax?",
            "In a value that update() takes and returns; nothing is changed in place.",
        ),
    ),
    "counting": (
        (
            "How many parameters does a convolution of 32 filters of 3 x 3 have, over an image with one channel?",
            "3 * 3 * 1 * 32 weights and 32 biases: 320.",
        ),
        (
            "A count in Keras is larger than one in PyTorch for the same network. What may be the reason?",
            "Keras's count_params() includes the moving statistics of batch normalization, which are not trained.",
        ),
    ),
    "and-gate": (
        (
            "Could one neuron learn XOR in the same way?",
            "No. A neuron divides the plane by one line, and no line separates the two classes of XOR.",
        ),
        (
            "Why must the variables of TensorFlow be made outside the tf.function?",
            "The function is traced once into a graph; variables keep their values between its calls, so they "
            "cannot be made anew in each.",
        ),
    ),
    "layers": (
        (
            "A convolution's kernel has the shape (3, 3, 1, 32) in Keras. What shape does it have in PyTorch?",
            "(32, 1, 3, 3): out, in, height, width.",
        ),
        (
            "Flattened features of a CNN are given to a dense layer. Why is it not enough to transpose its kernel"
            " when it moves from Keras to PyTorch?",
            "PyTorch flattens (channels, height, width), Keras (height, width, channels): the rows are in another"
            " order.",
        ),
    ),
    "padding": (
        (
            "Both networks give feature maps of the same size. Why may their numbers differ nevertheless?",
            "With stride 2 on an even image, Keras pads (0, 1) and PyTorch's padding=1 means (1, 1): each window "
            "lies one pixel further up and left. No check of shapes sees it.",
        ),
        (
            "Which pool counts the zeros that were padded?",
            "The averages of PyTorch and flax, unless count_include_pad=False; that of Keras never does.",
        ),
    ),
    "batch-norm": (
        (
            "Two ports agree in training and differ in inference. What should be looked at first?",
            "Momentum and the running variance: they change no number in training. PyTorch's momentum 0.1 is 0.9 "
            "elsewhere.",
        ),
        (
            "Why is the difference between the biased and the unbiased variance small for images?",
            "N is images x height x width: N / (N - 1) is nearly 1.",
        ),
    ),
    "loss-traps": (
        (
            "In PyTorch or JAX, a network ends in a softmax, and the loss expects logits. Which value can the "
            "loss not fall below, for three classes?",
            "log(1 + 2/e) = 0.55: the softmax of numbers between 0 and 1 is never sure.",
        ),
        (
            "Why do most losses raise no error for it?",
            "To PyTorch and optax, probabilities are numbers like any others. Keras alone remembers that a "
            "softmax made them: it warns, and uses the logits before it.",
        ),
    ),
    "randomness": (
        (
            "The same seed is set in PyTorch and Keras. Are the initial weights equal?",
            "No: the generators differ, and so do the default distributions.",
        ),
        (
            "A function of JAX is called twice with the same key. What comes back?",
            "The same numbers. New ones need a new key, from split().",
        ),
    ),
    "dropout": (
        (
            "Why are the inputs that are kept divided by 1 - rate in training?",
            "So that the mean stays the same, and inference needs no factor.",
        ),
        (
            "A new layer is called without saying whether it trains. In which framework does it drop?",
            "In PyTorch and flax; in Keras only where the call says training=True.",
        ),
    ),
    "training-loop": (
        (
            "Which arrays does a step of JAX change?",
            "None: it returns new parameters and a new state of the optimizer.",
        ),
        (
            "What is zero_grad() for, and why have the others no such call?",
            "backward() adds to the gradients that are there. In the others the gradients are values that are "
            "made anew.",
        ),
    ),
    "weight-decay": (
        (
            "Adam with weight_decay=0.01 in PyTorch and in Keras: is that the same?",
            "No. In PyTorch the decay goes into the gradient, where Adam divides it by the gradient's size; in "
            "Keras it is taken from the weight beside the step.",
        ),
        (
            "For which optimizer are coupled and decoupled decay the same?",
            "For SGD without momentum.",
        ),
    ),
    "schedules": (
        (
            "Why does momentum make a difference between Keras and PyTorch while the rate falls?",
            "Keras keeps the rate inside the velocity: earlier steps keep their higher rates. PyTorch multiplies "
            "the whole velocity by the present rate.",
        ),
        (
            "What does a cosine schedule do past its end?",
            "It stays at its last value in Keras and optax; PyTorch's CosineAnnealingLR rises again.",
        ),
    ),
    "save-load": (
        (
            "What does safetensors fix, and what is left to agree on?",
            "It fixes how names, shapes and numbers are stored; names and layouts have to be agreed on.",
        ),
        (
            "How can it be shown that a file was read correctly in another framework?",
            "By the answers for the same inputs: they must be equal up to rounding.",
        ),
    ),
    "save-formats": (
        (
            "Why is it dangerous to load a pickle from a stranger?",
            "Unpickling runs what the file says.",
        ),
        (
            "Which files hold the architecture too?",
            "Those of Keras with the ending .keras; .weights.h5, PyTorch's state_dict and flax's bytes hold the "
            "names and the numbers of the parameters only.",
        ),
    ),
    "inputs": (
        (
            "What does shuffle(buffer_size=2) of tf.data do to a sorted data set?",
            "Little: no example comes more than one place earlier, though it may come later. For a full shuffle "
            "the buffer must hold the whole data set.",
        ),
        (
            "Why do users of JAX often leave out the last, smaller batch?",
            "Shapes are part of a compiled function: another size of batch is compiled once more.",
        ),
    ),
    "data-look": (
        (
            "What can be seen of iris before anything is trained?",
            "The length of the petals separates setosa; versicolor and virginica overlap.",
        ),
        (
            "What type do the pixels have after division by 255?",
            "float64 in NumPy, float32 in the others.",
        ),
    ),
}
