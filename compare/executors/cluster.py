"""A Dask cluster: its machines, found by their Dask workers, and calls of functions there."""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, TypeVar
from uuid import uuid4

from compare.executors import look, remote
from compare.executors.address import ClusterError
from compare.executors.base import LostError
from compare.interrupts import check
from tasks.errors import SideBySideError, one_line

if TYPE_CHECKING:
    from distributed import Future

RESOURCE = "CELL"
"""Each Dask worker has one of it, and each task takes one: no worker has two tasks."""
ATTEMPTS = 10
"""How often a request is sent whose Dask worker is lost meanwhile."""
LOOK_SECONDS = 0.5
"""Between looks at whether a Dask worker is still there."""
PATIENCE_SECONDS = 60.0
"""How long a machine without a Dask worker is waited for: one that was lost is started again by its nanny."""
CONNECT_SECONDS = 15.0
SETTLE_SECONDS = 3.0
"""How long other machines are waited for after the first."""
ANSWER_SECONDS = 30.0
"""A scheduler that has not answered by then is lost."""
Result = TypeVar("Result")


class SchedulerLostError(LostError):
    """The scheduler is gone, and with it every request that was under way."""


class MachineLostError(LostError):
    """A machine has had no Dask worker for too long."""


class _WorkerLostError(Exception): ...


@dataclass
class Machine:
    """A machine of the cluster.

    Attributes:
        description: what one of its Dask workers has told.
        addresses: of its Dask workers.
    """

    description: remote.Description
    addresses: set[str] = field(default_factory=set)


class Cluster:
    """A connection to a scheduler.

    Args:
        address: of the scheduler.
        backends: that the machines are asked about.
        describe: tells of a machine, there.
    """

    def __init__(
        self,
        address: str,
        backends: Sequence[str],
        describe: Callable[[Sequence[str]], remote.Description] = remote.describe,
    ) -> None:
        try:
            from distributed import Client, Security
        except ImportError as error:
            raise ClusterError('a cluster needs the package distributed: pip install "sidebyside[cluster]"') from error

        self.address = address
        self.backends = tuple(backends)
        self.machines: dict[str, Machine] = {}
        self.refused: dict[str, str] = {}
        self._describe = describe
        self._asked: dict[str, Future] = {}
        self._looking = threading.RLock()
        try:
            # The certificates of TLS stand where Dask's other settings do.
            security = Security() if address.startswith("tls:") else None
            if security is not None and security.get_connection_args("client").get("ssl_context") is None:
                raise ClusterError(f"{address} needs certificates: name them in Dask's settings, as the README shows")
            self._client: Client = Client(address, security=security, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            advice = "start it, or mend the address or its certificates"
            raise ClusterError(f"{address}: no scheduler answers there ({one_line(error)}); {advice}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):  # of a scheduler that is gone
            self._client.close(timeout=2)

    def look(self) -> None:
        """Looks which Dask workers there are, and asks the new ones about their machines.

        Raises:
            SchedulerLostError: the scheduler does not answer.
        """
        with self._looking:
            workers = self._workers()
            for address in set(self._asked) - set(workers):
                del self._asked[address]
            for machine in self.machines.values():
                machine.addresses &= set(workers)
            known = {address for machine in self.machines.values() for address in machine.addresses}
            for address, amount in workers.items():
                if address in known or address in self.refused:
                    continue
                if amount < 1:
                    self.refused[address] = f"start it with --nthreads 1 --resources {RESOURCE}=1"
                elif address not in self._asked:
                    self._asked[address] = self._submit(address, self._describe, self.backends)
                elif self._asked[address].done():
                    self._met(address, self._asked.pop(address))

    def wait(self) -> None:
        """Waits for the first machine.

        Raises:
            ClusterError: there is none, or none that can be used, or the scheduler does not answer.
        """
        begin = time.monotonic()
        while not self.machines or (self._asked and time.monotonic() - begin < SETTLE_SECONDS):
            check()
            try:
                self.look()
            except SchedulerLostError as error:
                raise ClusterError(str(error)) from error
            if self.refused and not self._asked and not self.machines:
                address, reason = next(iter(self.refused.items()))
                raise ClusterError(f"the Dask worker {address} cannot be used: {reason}")
            # Those that have been asked answer when they are free.
            if not self._asked and not self.machines and time.monotonic() - begin > PATIENCE_SECONDS:
                raise ClusterError(f"{self.address} has no Dask worker: start one on each machine")
            time.sleep(0.05)

    def call(self, identity: str, function: Callable[..., Result], *arguments: object) -> Result:
        """Calls a function on a machine, again where its Dask worker is lost meanwhile.

        Raises:
            MachineLostError: the machine has no Dask worker any more.
            SchedulerLostError: the scheduler does not answer.
            SideBySideError: what the function raised, or Dask workers are lost again and again.
        """
        for _ in range(ATTEMPTS):
            address = self._address(identity)
            try:
                return self._call(address, function, *arguments)
            except _WorkerLostError:
                with self._looking:
                    self.machines[identity].addresses.discard(address)
        raise SideBySideError(f"{ATTEMPTS} Dask workers, one after the other, were lost while they ran it")

    def _met(self, address: str, future: "Future") -> None:
        """Takes note of what a new Dask worker tells of its machine."""
        if future.status != "finished":
            reason = one_line(future.exception()) if future.status == "error" else "it was lost"
            self.refused[address] = f"{reason}; install sidebyside in its environment"
            return
        description: remote.Description = future.result()
        if description.sources != look.sources_sha256():
            version = description.host["sidebyside"]
            self.refused[address] = f"it has other sources of sidebyside ({version}): install this version there"
            return
        machine = self.machines.setdefault(description.identity, Machine(description))
        if machine.description == description:
            machine.addresses.add(address)
        else:
            self.refused[address] = "another Dask worker of its machine has other packages or cores: make them alike"

    def _workers(self) -> dict[str, float]:
        """How much of the resource each Dask worker has, by address."""
        self._check_scheduler()
        try:
            # What scheduler_info() returns may be another answer than its own, one without workers.
            asked = self._client.sync(self._client.scheduler.identity, n_workers=-1, callback_timeout=ANSWER_SECONDS)
            workers = asked["workers"]
        except Exception as error:
            raise SchedulerLostError(self._lost) from error
        self._check_scheduler()
        return {address: worker.get("resources", {}).get(RESOURCE, 0) for address, worker in workers.items()}

    def _check_scheduler(self) -> None:
        if self._client.status != "running":
            raise SchedulerLostError(self._lost)

    @property
    def _lost(self) -> str:
        return f"the scheduler {self.address} does not answer any more"

    def _address(self, identity: str) -> str:
        """The address of a Dask worker of a machine."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            with self._looking:
                if addresses := self.machines[identity].addresses:
                    return min(addresses)
            check()
            if time.monotonic() > end:
                raise MachineLostError(f"a machine has had no Dask worker for {PATIENCE_SECONDS:g} seconds")
            time.sleep(0.05)
            self.look()

    def _submit(self, address: str, function: Callable[..., object], *arguments: object) -> "Future":
        # A key is never used twice: the scheduler would have a second task of the same name answered by the first.
        return self._client.submit(
            function,
            *arguments,
            key=f"sidebyside-{uuid4().hex}",
            workers=[address],
            resources={RESOURCE: 1},
            pure=False,
        )

    def _call(self, address: str, function: Callable[..., Result], *arguments: object) -> Result:
        future = self._submit(address, function, *arguments)
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        try:
            while not done.wait(LOOK_SECONDS):
                check()
                if address not in self._workers():
                    raise _WorkerLostError
            self._check_scheduler()
            if future.status == "finished":
                result: Result = future.result()
                return result
            error = future.exception() if future.status == "error" else None
            if isinstance(error, SideBySideError):
                raise error
            if error is not None and address in self._workers():
                raise SideBySideError(f"its Dask worker failed: {one_line(error)}")
            raise _WorkerLostError
        finally:
            future.cancel()
