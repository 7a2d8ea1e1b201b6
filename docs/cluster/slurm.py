r"""A Dask cluster on SLURM, for `impute --engine dask --scheduler ADDRESS`.

Run it where jobs may be submitted from, leave it running, and give the address that it
prints to `impute`:

    python docs/cluster/slurm.py 20            # 20 jobs of 8 workers each
    tfimpute-tracks impute --missing -g hg19.fa -o store --yes \
        --engine dask --scheduler tcp://10.0.0.1:40123

The store and the FASTA must be on a file system that all machines share.
"""

from __future__ import annotations

import sys
import time

from dask_jobqueue import SLURMCluster


def slurm_cluster(gpu: bool = False) -> SLURMCluster:
    """Describe one job: CPUs by default, one GPU with `gpu`."""
    more = ["--requeue", "--gres=gpu:1"] if gpu else ["--requeue"]
    return SLURMCluster(
        cores=1 if gpu else 8,
        processes=1 if gpu else 8,  # a worker each: a crash costs one shard
        memory="16GB",
        walltime="08:00:00",
        job_extra_directives=more,
        job_script_prologue=["export OMP_NUM_THREADS=1"],
        worker_extra_args=["--lifetime", "7h50m", "--lifetime-stagger", "5m"],
    )


if __name__ == "__main__":
    with slurm_cluster(gpu="--gpu" in sys.argv) as cluster:
        cluster.scale(jobs=int(sys.argv[1]))
        sys.stdout.write(f"{cluster.scheduler_address}\n")
        sys.stdout.flush()
        while True:
            time.sleep(60)
