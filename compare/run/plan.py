"""Which cells are run: task x backend x mode x device x seed x round, in which order."""

import random

from compare.records.cell import Cell
from compare.run.options import ORDER_SEED, RunOptions
from tasks import available_recipes, load_task
from tasks.arithmetic import with_arithmetic
from tasks.task import Preset


def list_cells(options: RunOptions) -> list[Cell]:
    """The cells of a comparison in the order in which they are run.

    With one round the order is task by task, as it was asked for. With several, the cells of a task and seed are
    shuffled anew in each round, so that a drift of the machine hits all of them alike. A self-check doubles the rounds.
    """
    shuffler = random.Random(ORDER_SEED)
    cells = []
    for name in options.tasks:
        # The other recipes are for the tasks that have them; the rest keep their standard one.
        task = load_task(name, options.recipe if options.recipe in available_recipes(name) else "standard")
        length = task.quick if options.preset == "quick" else Preset(task.recipe.epochs)
        for seed in range(options.seeds):
            for round_ in range(options.all_rounds):
                block = [
                    Cell(
                        task=name,
                        recipe=with_arithmetic(task.recipe_name, arithmetic),
                        backend=backend,
                        mode=mode,
                        device=device,
                        seed=seed,
                        round=round_,
                        epochs=options.epochs or length.epochs,
                        examples=options.examples or length.examples,
                        batch_size=options.batch_size or length.batch_size,
                        learning_rate=options.learning_rate or length.learning_rate,
                    )
                    for arithmetic in options.arithmetics
                    for device in options.devices
                    for mode in options.modes
                    for backend in options.backend_names
                ]
                if options.all_rounds > 1:
                    shuffler.shuffle(block)
                cells.extend(block)
    return cells
