"""Runs the reference and this project on the same configurations, one after the other, and prints a table.

    python run.py --throughput PATH/TO/throughput --fork DIR [--configurations a b c d e] [--two]

Run it with the Python that has batchgenerators (see README.md). Times are CPU times of the process, which
hardly depend on other load; wall times are also printed. `--two` adds the throughput of two processes of the reference
and of two threads here, in wall time. It needs an idle machine.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
# Enough batches that every transform of the chain is drawn many times.
BATCHES = {"a": (40, 200), "b": (100, 2000), "c": (100, 1000), "d": (4, 2000), "e": (16, 150)}
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


def reference(name, batches, fork, levels=0):
    command = [sys.executable, HERE / "reference.py", name, "--batches", str(batches), "--fork", fork]
    command += ["--levels", str(levels)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **ONE_THREAD})


def here(throughput, name, batches, threads, levels=0):
    command = [throughput, HERE / "configurations.json", name, str(batches), str(threads), "all", str(levels)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def result(process):
    return json.loads(process.communicate()[0])


def weightmaps(throughput, fork):
    """Prints the fraction of a weightmap that becomes 0 per deep-supervision scale, and the time, by distinct values."""
    print("| distinct weights | reference, CPU s a batch | zeros by scale | here, CPU s a batch | zeros by scale |")
    print("| --- | --- | --- | --- | --- |")
    percent = lambda shares: ", ".join(f"{100 * share:.1f} %" for share in shares)
    for levels, batches in ((2, 40), (8, 40), (32, 20), (128, 10), (0, 4)):
        theirs, ours = result(reference("d", batches, fork, levels)), result(here(throughput, "d", 400, 1, levels))
        print(f"| {theirs['distinctWeights']} | {theirs['cpuPerBatch']:.3f} | {percent(theirs['zeroWeights'])} | "
              f"{ours['cpuPerBatch']:.4f} | {percent(ours['zeroWeights'])} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--throughput", required=True)
    parser.add_argument("--fork", required=True)
    parser.add_argument("--configurations", nargs="+", default=sorted(BATCHES))
    parser.add_argument("--share", type=float, default=1.0, help="run only this share of the reference's batches")
    parser.add_argument("--two", action="store_true")
    parser.add_argument("--weightmaps", action="store_true", help="only what becomes of weightmaps")
    args = parser.parse_args()
    if args.weightmaps:
        return weightmaps(args.throughput, args.fork)
    print("| | reference, CPU s a batch | here, CPU s a batch | ratio | reference, wall | here, wall |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in args.configurations:
        batches = max(1, round(BATCHES[name][0] * args.share))
        theirs = result(reference(name, batches, args.fork))
        ours = result(here(args.throughput, name, BATCHES[name][1], 1))
        a, b = theirs["cpuPerBatch"], ours["cpuPerBatch"]
        print(f"| {name} | {a:.3f} | {b:.4f} | {a / b:.1f} | {theirs['wallPerBatch']:.3f} | "
              f"{ours['wallPerBatch']:.4f} |", flush=True)
        if args.two:
            pair = [reference(name, batches, args.fork) for _ in range(2)]
            theirs_two = sum(1 / result(p)["wallPerBatch"] for p in pair)
            start = time.perf_counter()
            ours_two = 1 / result(here(args.throughput, name, 2 * BATCHES[name][1], 2))["wallPerBatch"]
            print(f"|  two cores | {theirs_two:.2f} batches/s | {ours_two:.2f} batches/s | {ours_two / theirs_two:.1f} | "
                  f"x{theirs_two * theirs['wallPerBatch']:.2f} | x{ours_two * ours['wallPerBatch']:.2f} |", flush=True)


if __name__ == "__main__":
    main()
