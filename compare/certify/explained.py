"""What a certificate and the check of a run compare, and what they cannot see."""

COMPARED = (
    "Before the run: hashes of the initial parameters, the batches and the data, read back from the framework; "
    "parameter counts by layer; the output of every layer for up to eight test examples (of layers that a tuned loop "
    "computes as one, the last one's), and the network's for 64; the loss and every gradient of one batch, before the "
    "optimizer; the losses and all parameters after 1, 10 and 100 steps (19 at the least, where steps are large) of "
    "the very loop that is timed. Where layers keep a state, their outputs and the network's are compared again after "
    "training. A refusal names the first thing that is wrong, such as `output of layer 4_layer_norm`.",
    "Of the run that is timed: its batches, its number of steps, its number of test examples. The accuracy is "
    "taken again from the outputs, on labels that the runner reads itself. Windows of steps are computed again by"
    " the reference, from the parameters and the optimizer's state that the model held at the end of a training "
    "call: the losses of these steps (the means of whole epochs from a loop that keeps no others) and, where a call "
    "ends with them, all parameters and the outputs for 100 test examples. The last steps of the recipe are always "
    "such a window, and so is the last call that was made for its time; two others, and the test examples, are "
    "drawn after the run, from a seed that the framework cannot know.",
    "Between runs: the mean loss of every epoch, of every two backends with the same seed and work. A run whose "
    "losses are too far from those of more than half of the others is refused; of two that differ, both are. Before "
    "that, its own loop trains again from parameters that were moved as rounding moves them: where most of these "
    "trainings come to the others' losses, rounding alone led the run elsewhere, and the row says so. A stock loop's "
    "losses are also held against those of its second training, which is made in shorter calls.",
    "Each figure may be at most a few times as far from the reference as float32 rounding was seen to lead in "
    "that very figure, plus a few units in the last place. Where rounding alone moves it by more than a hundredth"
    " of its size (of a parameter, of all parameters of its layer), nothing is decided by it, nor by what comes later. "
    "A backend that is too far off, by a figure that rounding might explain, is refused only if it still is after the "
    "reference has been computed twelve more times, each with other roundings. A window whose losses agree in its "
    "first half and part later, as rounding that has grown makes them, is computed forty-eight times more, with larger "
    "roundings: a fault shows in a window's first steps.",
    "In TF32 and bfloat16 the reference is float64 as ever, and its copies round as that arithmetic does: a row may be "
    "as far off as that leads. So faults must be larger to be seen than in float32: a learning rate that is a tenth "
    "too high is, a constant in the sixth digit is not. Where rounding moves a quantity by more than a twentieth in "
    "TF32, or a quarter in bfloat16, it decides nothing.",
    "Some training is chaotic, with batch normalization and a large learning rate for one: there two right runs drift "
    "apart by rounding alone. Such a row is certified by its first step or steps and by its windows, each of which "
    "begins with what the run itself held, and a remark at the row says so. Where even that cannot be decided (the "
    "first step, the last ones, or more than half of the windows), the row is undecidable, and is not ranked.",
)
"""Paragraphs on what is compared."""
BLIND_SPOTS = (
    "A fault in the middle of a run that no window meets and that moves no epoch's mean loss by more than "
    "rounding does.",
    "What a call that was made for its time does after the steps of its window.",
    "A fault in fewer than one of 10,000 weights of a layer that moves none of them by more than the learning rate, "
    "where the optimizer divides a gradient by its own size, as Adam does, and no loss or output shows it.",
    "Which of the layers that a tuned loop computes as one is at fault: the certificate names them together.",
    "A rule that never acts in the task at hand, such as clipping with a bound that no gradient reaches, or an "
    "epsilon that vanishes beside every moment.",
    "What the task's own arithmetic leaves open, such as a sum where another order of terms rounds alike.",
    "The curve of a run that has no other backend beside it: then only its windows speak for it and, for a stock loop, "
    "its second training.",
    "A framework that recognises that it is being measured by Side by Side and answers from the reference. The "
    "check is meant for faults, not for fraud.",
)
"""What neither sees, each in a sentence."""
