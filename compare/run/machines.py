"""A run on the machines of a cluster: each comparison, that is each task and recipe, on one of them."""

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compare.executors.address import ClusterError
from compare.executors.base import LostError
from compare.executors.cluster import Cluster, MachineLostError
from compare.executors.machine import MachineExecutor
from compare.interrupts import check
from compare.records.cell import Cell
from compare.records.certificate import Certificate
from compare.records.event import EpochEnd, Phase
from compare.records.results import Results
from compare.records.run import Run
from compare.run.options import RunOptions
from compare.run.progress import Progress
from compare.run.resume import pending
from compare.run.runner import Runner
from compare.run.store import Store
from compare.text import task_label

LOOK_SECONDS = 0.5
"""Between looks at the cluster: this process may run on one of its machines, where something is timed."""
PATIENCE_SECONDS = 120.0
"""How long a cluster without any machine is waited for in the middle of a run."""


@dataclass
class _Unit:
    """A comparison.

    Attributes:
        cells: of one task and recipe.
        identity: of the machine that it runs on; None until one takes it.
    """

    cells: list[Cell]
    identity: str | None = None

    @property
    def title(self) -> str:
        return task_label(self.cells[0].task, self.cells[0].recipe)


class Machines:
    """Runs cells on the machines of a cluster, several comparisons at once where there are several machines.

    Args:
        options: of the run.
        store: the folder that is written.
        cluster: the connection, with at least one machine.
        progress: is told how the run goes on.
        command: how to repeat the run, for the report.
    """

    def __init__(
        self, options: RunOptions, store: Store, cluster: Cluster, progress: Progress, command: str = ""
    ) -> None:
        self.options = options
        self.store = store
        self.cluster = cluster
        self.progress = progress
        self.command = command
        self._lock = threading.Lock()
        self._errors: list[BaseException] = []

    def run(self, cells: Sequence[Cell]) -> Results:
        """Runs the cells; see :meth:`compare.run.runner.Runner.run`.

        Raises:
            ClusterError: the scheduler or all machines are gone; the store holds what was done.
            DifferentRunError, StoreError, KeyboardInterrupt: as a runner does.
        """
        first = self._runner(self._first(), self.progress)
        first.begin(cells)
        try:
            self._work(self._units(cells), _Shared(self.progress, len(cells)))
        except LostError as error:
            raise ClusterError(str(error)) from error
        finally:
            first.finish()
        return self.store.results

    def _first(self) -> str:
        """The machine whose description heads the results: of an earlier run the same or a like one, if there is."""
        machines, earlier = self.cluster.machines, self.store.results
        host = {name: value for name, value in earlier.host.items() if name != "name"}
        same = [identity for identity in machines if self._name(identity) in earlier.hosts]
        alike = [identity for identity, machine in machines.items() if machine.description.host == host]
        return min(same or alike or machines)

    def _units(self, cells: Iterable[Cell]) -> list[_Unit]:
        """The comparisons that are not complete; what a machine has begun, it ends, if it is still there.

        On another machine such a comparison begins anew: a runner takes no measurement of another machine for its own.
        """
        groups: dict[tuple[str, str], list[Cell]] = {}
        for cell in cells:
            groups.setdefault((cell.task, cell.recipe), []).append(cell)
        there = {self._name(identity): identity for identity in self.cluster.machines}
        units = []
        for of_group in groups.values():
            runs = [run for cell in of_group if (run := self.store.run_of(cell)) is not None and run.status == "ok"]
            hosts = Counter(run.host for run in runs)
            if len(hosts) == 1 and not pending(of_group, self.options, self.store):
                continue
            begun = [there[name] for name, _ in hosts.most_common() if name in there]
            units.append(_Unit(of_group, begun[0] if begun else None))
        return units

    def _work(self, units: list[_Unit], progress: "_Shared") -> None:
        """Gives each machine a thread, which takes one comparison after the other; raises what ends the run."""
        threads: dict[str, threading.Thread] = {}
        waiting = list(units)
        seen = time.monotonic()
        try:
            while not self._errors:
                check()
                self.cluster.look()
                threads = {identity: thread for identity, thread in threads.items() if thread.is_alive()}
                with self._lock:
                    begun = [unit.identity for unit in waiting]
                if not threads and self._errors:
                    break
                if not threads and not begun:
                    return
                for identity, machine in list(self.cluster.machines.items()):
                    wanted = identity in begun or (machine.addresses and None in begun)
                    if wanted and identity not in threads:
                        work = (identity, waiting, progress)
                        self.store.know_host(self._name(identity), machine.description.host)
                        threads[identity] = threading.Thread(target=self._serve, args=work, daemon=True)
                        threads[identity].start()
                if threads:
                    seen = time.monotonic()
                elif time.monotonic() - seen > PATIENCE_SECONDS:
                    raise ClusterError(f"the cluster {self.cluster.address} has lost all its machines")
                time.sleep(LOOK_SECONDS)
            raise self._errors[0]
        finally:
            progress.over.set()
            for thread in threads.values():
                while thread.is_alive():
                    thread.join(0.2)

    def _serve(self, identity: str, waiting: list[_Unit], progress: "_Shared") -> None:
        """Runs comparisons on one machine until none is left for it."""
        try:
            while (unit := self._take(identity, waiting)) is not None:
                runner = self._runner(identity, progress)
                try:
                    runner.work(unit.cells)
                except MachineLostError as error:
                    progress.note(f"{error}: {unit.title} begins anew on the next machine that is free")
                    with self._lock:
                        waiting.insert(0, _Unit(unit.cells))
                    return
        except BaseException as error:
            self._errors.append(error)

    def _take(self, identity: str, waiting: list[_Unit]) -> _Unit | None:
        """The next comparison for a machine: one that it has begun, or one that no machine has."""
        with self._lock:
            for unit in waiting:
                if not self._errors and unit.identity in (None, identity):
                    waiting.remove(unit)
                    return unit
        return None

    def _runner(self, identity: str, progress: Progress) -> Runner:
        executor = MachineExecutor(self.cluster, identity, self._name(identity), self.options.threads)
        return Runner(self.options, self.store, executor, progress, command=self.command)

    def _name(self, identity: str) -> str:
        """The name of a machine in this run's records, which tells nothing of it."""
        return hashlib.sha256(f"{self.store.results.created} {identity}".encode()).hexdigest()[:8]


class _Shared(Progress):
    """The progress of several runners at once: the cells of all are counted together.

    Args:
        progress: that is shown.
        count: of all cells.

    Attributes:
        over: set where no further cell is to begin.
    """

    def __init__(self, progress: Progress, count: int) -> None:
        super().__init__()
        self.shown = progress
        self.total = count
        self.ended_cells = 0
        self.lock = threading.Lock()
        self.over = threading.Event()

    def __exit__(self, *_: object) -> None: ...

    def note(self, text: str) -> None:
        with self.lock:
            self.shown.note(text)

    def update(self) -> None:
        self.shown.update()

    def started(self, cell: Cell, index: int, count: int) -> None:
        if self.over.is_set():
            raise LostError("the run has ended")
        with self.lock:
            self.shown.started(cell, self.ended_cells, self.total)

    def event(self, cell: Cell, event: Phase | EpochEnd) -> None:
        with self.lock:
            self.shown.event(cell, event)

    def ended(self, cell: Cell, run: Run, certificate: Certificate | None) -> None:
        with self.lock:
            self.ended_cells += 1
            self.shown.ended(cell, run, certificate)
