"""The executor of one machine of a cluster."""

from collections.abc import Mapping, Sequence

from backends.base import Setting
from compare.executors import remote
from compare.executors.base import Executor, Listener, ignore
from compare.executors.cluster import Cluster
from compare.executors.parcel import Answer, Packing, read_files
from compare.records.event import Measured, Reply
from compare.records.request import Request
from tasks.errors import SideBySideError


class MachineExecutor(Executor):
    """Has requests answered on one machine of a cluster.

    Args:
        cluster: the connection.
        identity: of the machine.
        name: of the machine, for the records.
        threads: that a worker may use; None for as many as the machine has cores.
    """

    def __init__(self, cluster: Cluster, identity: str, name: str, threads: int | None) -> None:
        self.cluster = cluster
        self.identity = identity
        self.name = name
        self.threads = threads or self.description.cores

    @property
    def description(self) -> remote.Description:
        return self.cluster.machines[self.identity].description

    def describe(self) -> dict[str, Setting]:
        return self.description.host

    def missing(self, backend: str) -> str | None:
        return self.description.missing[backend]

    def versions(self, backend: str) -> Mapping[str, str]:
        return self.description.versions[backend]

    def ask(self, backend: str, request: Request, on_event: Listener = ignore, timeout: float | None = None) -> Reply:
        try:
            answer = self._send(Packing(backend, [request], self.threads, timeout))
        except SideBySideError as error:
            return Reply(status="crashed", message=str(error))
        for line in answer.measured:
            on_event(Measured.model_validate_json(line))
        return Reply.model_validate_json(answer.replies[0])

    def ask_all(self, backend: str, requests: Sequence[Request]) -> list[Reply]:
        if not requests:
            return []
        answer = self._send(Packing(backend, requests, self.threads, together=True))
        return [Reply.model_validate_json(line) for line in answer.replies]

    def _send(self, packing: Packing) -> Answer:
        """Has a parcel answered, and writes the files that come back; data that the machine lacks are sent first."""
        answer = self.cluster.call(self.identity, remote.answer, packing.parcel)
        while answer.lacks:
            for name in answer.lacks:
                path, files = packing.data[name]
                self.cluster.call(self.identity, remote.keep, name, path.name, read_files(path, files))
            answer = self.cluster.call(self.identity, remote.answer, packing.parcel)
        packing.unpack(answer)
        return answer
