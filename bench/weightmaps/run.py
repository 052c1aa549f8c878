#!/usr/bin/env python3
"""Distance transform and weightmaps against their peers, in one run: see README.md.

Peers and this project run alternately, so that changes of the machine's speed affect both. Every figure is the minimum
of its repeats. Processor time is printed too, because it hardly depends on other load.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import edt
import numpy as np
from scipy import ndimage

ROOT = Path(__file__).resolve().parents[2]
SHAPES = [(128, 128, 128), (256, 256, 256), (256, 512, 512)]
CLASSES, SIGMA, W0 = (1, 2, 3), 5.0, 10.0


def blobs(shape, rng, classes=1):
    """Balls of radius 5 to 25 voxels that fill about a tenth of the volume."""
    labels = np.zeros(shape, np.uint8)
    while np.count_nonzero(labels) < 0.1 * labels.size:
        radius = int(rng.integers(5, 26))
        centre = [int(rng.integers(0, n)) for n in shape]
        window = tuple(slice(max(0, c - radius), min(n, c + radius + 1)) for c, n in zip(centre, shape))
        axes = np.ogrid[window]
        ball = sum((axis - c) ** 2 for axis, c in zip(axes, centre)) <= radius**2
        labels[window][ball] = int(rng.integers(1, classes + 1))
    return labels


def masks(shape, rng):
    """Distances are measured to the zero voxels: to balls, and to 100 single voxels."""
    points = np.ones(shape, np.uint8)
    points[tuple(rng.integers(0, n, 100) for n in shape)] = 0
    return {"blobs": (blobs(shape, rng) == 0).astype(np.uint8), "sparse": points}


def peer_map(segmentation):
    """The fork's weightmap: scipy's erosion and distance transform, numpy's exponential, in float64."""
    labels = np.where(np.isin(segmentation, CLASSES), segmentation, 0)
    inside = np.zeros(labels.shape, bool)
    weights = np.zeros(labels.shape, np.float32)
    cross = ndimage.generate_binary_structure(3, 1)
    for label in (0, *CLASSES):
        where = labels == label
        weights[where] = 1.0 - np.count_nonzero(where) / where.size
        if label:
            inside |= ndimage.binary_erosion(where, structure=cross)
    distance = ndimage.distance_transform_edt(~inside)
    result = weights + W0 * np.exp(-np.power(distance, 2) / (2 * SIGMA * SIGMA))
    result[inside] = weights[inside]
    return result


def peer_command(folder, output):
    """The fork's command: every npz of a folder to a float64 weightmap."""
    for path in Path(folder).glob("*.npz"):
        segmentation = np.load(path)["data"][1]
        np.save(Path(output) / f"{path.stem}_weightmap.npy", peer_map(segmentation)[None])


class Ours:
    """A process of this project that runs its work once per input line."""

    def __init__(self, program, *words, processors):
        pin = lambda: os.sched_setaffinity(0, processors)
        words = [str(program), *map(str, words)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=pin)

    def __call__(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        wall, processor = map(float, self.process.stdout.readline().split())
        return wall, processor

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def timed(work):
    """Wall and processor milliseconds of a Python call."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - wall) * 1e3, (time.process_time() - processor) * 1e3


def take_turns(works, repeats):
    """Minimum wall and processor time of each function, over rounds that run each once."""
    best = {name: (np.inf, np.inf) for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            best[name] = tuple(map(min, best[name], work()))
    return best


def report(title, threads, best, ours="ours", copy=None, moved=None):
    row = {"what": title, "threads": threads}
    for name, (wall, processor) in best.items():
        row[name] = {"wall_ms": round(wall, 2), "processor_ms": round(processor, 2)}
    for name in best:
        if name not in (ours, "copy"):
            row[f"times {name}"] = round(best[name][0] / best[ours][0], 2)
            row[f"times {name}, processor"] = round(best[name][1] / best[ours][1], 2)
    if copy is not None:
        row["bandwidth_fraction"] = round(moved / best[ours][0] / (8 / copy), 3)
    print(json.dumps(row), flush=True)


def bench_edt(program, shapes, repeats, scipy_too):
    rng = np.random.default_rng(1)
    for shape in shapes:
        for kind, mask in masks(shape, rng).items():
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "mask.npy"
                np.save(path, mask)
                flags = mask.astype(bool)
                for threads in (1, 2):
                    processors = set(range(threads))
                    os.sched_setaffinity(0, processors)
                    ours = Ours(program, "edt", path, threads, processors=processors)
                    copy = Ours(program, "copy", mask.size, processors=processors)
                    works = {"ours": ours, "copy": copy}
                    works["edt"] = lambda: timed(lambda: edt.edtsq(flags, parallel=threads))
                    if scipy_too and threads == 1:
                        works["scipy"] = lambda: timed(lambda: ndimage.distance_transform_edt(flags))
                    best = take_turns(works, repeats)
                    ours.close(), copy.close()
                    # A voxel's mask is read once, its result written once, then read and written once more.
                    moved = 13.0
                    report(f"edt {'x'.join(map(str, shape))} {kind}", threads, best, copy=best["copy"][0], moved=moved)


def bench_map(program, repeats):
    segmentation = blobs((128, 192, 192), np.random.default_rng(2), 3).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "segmentation.npy"
        np.save(path, segmentation)
        for threads in (1, 2):
            processors = set(range(threads))
            os.sched_setaffinity(0, processors)
            ours = Ours(program, "map", path, threads, "border", processors=processors)
            best = take_turns({"ours": ours, "fork": lambda: timed(lambda: peer_map(segmentation))}, repeats)
            ours.close()
            report("map 128x192x192, 3 classes", threads, best)


def spent(words, processors):
    """Wall and processor milliseconds of a whole process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = time.perf_counter()
    subprocess.run(words, check=True, preexec_fn=lambda: os.sched_setaffinity(0, processors))
    wall = time.perf_counter() - wall
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall * 1e3, processor * 1e3


def bench_command(program, repeats, cases):
    rng = np.random.default_rng(3)
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "stage0", Path(folder) / "maps"
        source.mkdir(), output.mkdir()
        for case in range(cases):
            segmentation = blobs((128, 192, 192), rng, 3)
            image = ndimage.gaussian_filter(rng.normal(size=segmentation.shape), 1.0) + segmentation
            data = np.stack([image, segmentation]).astype(np.float32)
            np.savez_compressed(source / f"case_{case:03}.npz", data=data)
        for threads in (1, 2):
            processors = set(range(threads))
            ours = [str(program), "generate", str(source), str(output), str(threads)]
            fork = [sys.executable, __file__, "--peer-command", str(source), str(output)]
            works = {"ours": lambda: spent(ours, processors), "fork": lambda: spent(fork, processors)}
            best = take_turns(works, repeats)
            report(f"command, {cases} cases of 128x192x192", threads, best)
        # The peak over all children is the fork's; this project's is measured separately.
        code = "import resource,subprocess,sys;subprocess.run(sys.argv[1:],check=True);"
        code += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        for workers in (1, 2):
            words = [sys.executable, "-c", code, str(program), "generate", str(source), str(output), str(workers)]
            peak = int(subprocess.run(words, check=True, capture_output=True, text=True).stdout) * 1024
            volumes = peak / workers / (128 * 192 * 192 * 4)
            print(json.dumps({"what": "peak memory", "workers": workers, "volumes a case in flight": round(volumes, 2)}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / "target/release/examples/bench")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--only", choices=["edt", "map", "command"])
    parser.add_argument("--shapes", type=int, default=3, help="how many of the three volumes, from the smallest")
    parser.add_argument("--no-scipy", action="store_true")
    parser.add_argument("--peer-command", nargs=2, metavar=("FOLDER", "OUTPUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer_command:
        return peer_command(*options.peer_command)
    if options.only in (None, "edt"):
        bench_edt(options.program, SHAPES[: options.shapes], options.repeats, not options.no_scipy)
    if options.only in (None, "map"):
        bench_map(options.program, options.repeats)
    if options.only in (None, "command"):
        bench_command(options.program, options.repeats, options.cases)


if __name__ == "__main__":
    main()
