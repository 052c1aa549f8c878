"""Resampling here and in Python (scikit-image, scipy, batchgenerators), on the same volumes, one after the other.

pip install numpy==1.26.4 scipy==1.17.1 scikit-image==0.26.0 batchgenerators==0.25
cargo build --release -p resample --example bench-resample
python bench/resample/compare.py [--small] [--only NAME] [--skip-peers]
"""
import argparse
import json
import multiprocessing
import os
import resource
import subprocess
import tempfile
import time

import numpy as np
from batchgenerators.augmentations.utils import resize_segmentation
from scipy.ndimage import gaussian_filter, map_coordinates
from skimage.transform import resize

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "..", "..", "target", "release", "examples", "bench-resample")


def reference(kind, volume, new_shape, axis, order):
    """nnU-Net v1's resampling of one array: 3D, or slice by slice and nearest neighbour along the axis."""

    def one(x, shape, segmentation):
        if segmentation:
            return resize_segmentation(x, shape, order)
        return resize(x, shape, order, mode="edge", anti_aliasing=False)

    segmentation = kind == "segmentation"
    out = []
    for channel in volume:
        channel = channel.astype(float)
        if axis is None:
            out.append(one(channel, new_shape, segmentation).astype(volume.dtype))
            continue
        slices = np.stack([one(s, new_shape[1:], segmentation).astype(volume.dtype) for s in channel])
        if slices.shape[0] != new_shape[0]:
            grid = np.mgrid[: new_shape[0], : new_shape[1], : new_shape[2]].astype(float)
            grid[0] = slices.shape[0] / new_shape[0] * (grid[0] + 0.5) - 0.5
            slices = map_coordinates(slices, grid, order=0, mode="nearest")
        out.append(slices.astype(volume.dtype))
    return np.stack(out).argmax(0).astype(np.int16) if kind == "labels" else np.stack(out)


def peer(queue, kind, path, shape, new_shape, axis, order):
    dtype = np.int16 if kind == "segmentation" else np.float32
    volume = np.fromfile(path, dtype).reshape(shape)
    start, cpu = time.time(), time.process_time()
    found = reference(kind, volume, new_shape, axis, order)
    wall, cpu = time.time() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found.tofile(path + ".expected")
    queue.put({"wall": wall, "cpu": cpu, "peak_mb": peak})


def ours(job, threads):
    path = job["input"] + ".json"
    with open(path, "w") as f:
        json.dump(job, f)
    text = subprocess.run([PROGRAM, str(threads), "3", path], check=True, capture_output=True, text=True).stdout
    return json.loads(text)


def make(kind, shape):
    """Smooth structures with noise, similar to CT; labels and softmax come from the same field."""
    rng = np.random.RandomState(0)
    coarse = [max(4, n // 16) for n in shape[1:]]
    def field():
        small = gaussian_filter(rng.standard_normal(coarse), 1)
        f = small / small.std()
        for axis, n in enumerate(shape[1:]):
            f = np.take(f, np.arange(n) * f.shape[axis] // n, axis=axis)
        return f.astype(np.float32)
    if kind == "data":
        return np.stack([field() * 400 + 20 * rng.standard_normal(shape[1:]).astype(np.float32) for _ in range(shape[0])])
    if kind == "segmentation":
        return np.digitize(field(), [0.8, 1.4, 2.0]).astype(np.int16)[None]
    logits = np.exp(np.stack([2 * field() for _ in range(shape[0])]))
    return (logits / logits.sum(0)).astype(np.float32)


CASES = {
    # name: kind, shape, new shape, separate axis, order
    "CT, separate z, cubic": ("data", (1, 300, 512, 512), (360, 585, 585), 0, 3),
    "CT, 3D cubic": ("data", (1, 300, 512, 512), (375, 455, 455), None, 3),
    "CT, 3D linear": ("data", (1, 300, 512, 512), (375, 455, 455), None, 1),
    "labels, separate z, linear": ("segmentation", (1, 300, 512, 512), (360, 585, 585), 0, 1),
    "labels, 3D linear": ("segmentation", (1, 300, 512, 512), (375, 455, 455), None, 1),
    "softmax 5 classes to labels": ("labels", (5, 150, 256, 256), (300, 512, 512), None, 1),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="a quarter of the voxels per axis")
    parser.add_argument("--only")
    parser.add_argument("--skip-peers", action="store_true")
    arguments = parser.parse_args()
    print("| case | peer s | ours, 1 thread s | ours, 2 threads s | times faster (CPU, 1 thread) | peak MB peer / ours | difference |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, (kind, shape, new_shape, axis, order) in CASES.items():
        if arguments.only and arguments.only not in name:
            continue
        if arguments.small:
            shape, new_shape = (shape[0], *(n // 4 for n in shape[1:])), tuple(n // 4 for n in new_shape)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "input.raw")
            volume = make(kind, shape)
            volume.tofile(path)
            spread = float(volume.std())
            del volume
            modes = ["default", "streamed"] if kind == "labels" else [None]
            theirs = None
            if not arguments.skip_peers:
                queue = multiprocessing.get_context("spawn").Queue()
                process = multiprocessing.get_context("spawn").Process(
                    target=peer, args=(queue, kind, path, shape, new_shape, axis, order))
                process.start()
                theirs = queue.get()
                process.join()
            for mode in modes:
                job = dict(kind=kind, input=path, output=path + ".found", shape=shape, new_shape=new_shape,
                           separate_axis=axis, order=order, mode=mode)
                one, two = ours(job, 1), ours(job, 2)
                title = f"{name} ({mode})" if mode else name
                if theirs is None:
                    print(f"| {title} | – | {one['wall']:.2f} (CPU {one['cpu']:.2f}) | {two['wall']:.2f} | – | {one['peak_mb']:.0f} | – |")
                    continue
                dtype = np.float32 if kind == "data" else np.int16
                found, expected = np.fromfile(path + ".found", dtype), np.fromfile(path + ".expected", dtype)
                if kind == "data":
                    difference = f"{np.abs(found - expected).max() / spread:.1e} SD"
                else:
                    difference = f"{(found != expected).sum()} of {found.size} voxels"
                print(f"| {title} | {theirs['wall']:.1f} (CPU {theirs['cpu']:.1f}) | {one['wall']:.2f} (CPU {one['cpu']:.2f}) "
                      f"| {two['wall']:.2f} | {theirs['cpu'] / max(one['cpu'], 0.01):.0f} | {theirs['peak_mb']:.0f} / {one['peak_mb']:.0f} "
                      f"| {difference} |", flush=True)


if __name__ == "__main__":
    main()
