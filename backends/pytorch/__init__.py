"""PyTorch: networks of ``torch.nn`` modules. This file imports no framework."""

from backends.about import About

ABOUT = About(
    name="pytorch",
    label="PyTorch",
    modules=("torch", "torchvision"),
    distributions=("torch", "torchvision"),
    backend="backends.pytorch.backend.Backend",
    models={"tuned": "backends.pytorch.tuned.TunedModel", "stock": "backends.pytorch.stock.StockModel"},
    parallel="backends.pytorch.parallel.ParallelModel",
    formulations={
        "cpp-wrapper": "the compiled kernels are called from C++",
        "pattern-matcher": "called from C++, and the compiler may make momentum and matrix product one call",
        "python-wrapper": "the compiled kernels are called from Python",
        "cuda-graph": "nothing is compiled: a GPU is given the kernels of several steps at once",
    },
    environment={
        "TORCHINDUCTOR_CACHE_DIR": "{cache}/torch",
        # Otherwise it compiles four programs to see which vector instructions the processor has: 15 s.
        "TORCHINDUCTOR_VEC_ISA_OK": "1",
    },
)
