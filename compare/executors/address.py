"""The address of a cluster's scheduler."""

from urllib.parse import urlsplit

from tasks.errors import SideBySideError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ClusterError(SideBySideError):
    """A cluster cannot be used; one line that says what to do."""


def check_address(address: str, *, insecure: bool) -> None:
    """Raises ClusterError for an address that is none, or where strangers could run code on the cluster's machines."""
    try:
        parts = urlsplit(address)
        whole = parts.scheme in ("tcp", "tls") and parts.hostname and parts.port
    except ValueError:
        whole = None
    if not whole:
        raise ClusterError(f"scheduler is {address!r}: give its address, as tcp://127.0.0.1:8786 or tls://HOST:8786")
    if parts.scheme == "tcp" and parts.hostname not in LOOPBACK and not insecure:
        raise ClusterError(
            f"{address} is not protected: whoever reaches the scheduler can run code on its machines. Use TLS"
            " (tls://HOST:8786), or add --insecure where nobody else reaches the network"
        )
