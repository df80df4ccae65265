"""What crosses a process or a disk: data only, checked when it is made. Nothing here reads or writes."""
