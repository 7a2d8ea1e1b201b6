"""A Dask worker per GPU of this machine, by dask-cuda, for `impute --engine dask`.

On one machine `impute --device cuda` does the same by itself, without Dask. This is for
GPUs of several machines: run `dask scheduler` on one, and on each

    dask cuda worker tcp://HOST:8786 --nthreads 1

or, for a cluster of this machine alone, this file; each worker sees its own GPU as
`cuda:0`, which `impute` expects.
"""

from __future__ import annotations

import sys
import time

from dask_cuda import LocalCUDACluster

if __name__ == "__main__":
    with LocalCUDACluster(threads_per_worker=1) as cluster:
        sys.stdout.write(f"{cluster.scheduler_address}\n")
        sys.stdout.flush()
        while True:
            time.sleep(60)
