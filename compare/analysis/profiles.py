"""Where the time of the steps goes, in a sentence for each row."""

from compare.analysis.rows import Row
from compare.records.profile import Profile
from compare.text import clean


def profile_of(row: Row) -> Profile | None:
    """A row's profile; None where nobody looked."""
    return next((run.profile for run in row.completed if run.profile is not None), None)


def time_spent(profile: Profile) -> str:
    """Where the time of a row's steps goes, and its longest kernels."""
    parts = [
        f"{100 * profile.products:.0f} % in matrix products and convolutions",
        f"{100 * profile.others:.0f} % in other kernels",
        *([f"{100 * profile.data:.0f} % in preparing batches"] if round(100 * profile.data) else []),
        f"{100 * profile.between:.0f} % between kernels",
    ]
    time = f"of a step of {1e3 * profile.step_seconds:.3g} ms under the profiler, {', '.join(parts)}"
    return f"{time}; {profile.kernels:.3g} kernels a step, the longest {longest(profile)}"


def longest(profile: Profile, count: int = 3) -> str:
    """The kernels that take the most of all kernels' time."""
    return ", ".join(f"{clean(kernel.name)} {100 * kernel.share:.0f} %" for kernel in profile.longest[:count])
