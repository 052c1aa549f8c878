"""Export of a softmax to labels on a larger grid: here, and as nnU-Net v1 and DIAG's fork do it with scikit-image.

pip install numpy==1.26.4 scipy==1.17.1 scikit-image==0.26.0
cargo build --release -p resample --example bench-resample
python bench/export/run.py                      # 3 and 100 classes to 512x512x400
python bench/export/run.py --scale 0.25         # a quarter of the voxels of each axis
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

HERE = os.path.dirname(os.path.abspath(__file__))


def program():
    """The built example, of this machine's target or of the default one."""
    root = os.path.join(HERE, "..", "..", "target")
    target = os.environ.get("CARGO_BUILD_TARGET", "")
    path = os.path.join(root, target, "release", "examples", "bench-resample")
    if not os.path.exists(path):
        raise SystemExit(f"{path} does not exist; run: cargo build --release -p resample --example bench-resample")
    return path


def write_softmax(path, classes, shape):
    """Smooth fields, normalised over the classes. Only one class is in memory."""
    rng = np.random.RandomState(0)
    coarse = [max(2, n // 16) for n in shape]

    def field():
        values = np.exp(2 * rng.standard_normal(coarse)).astype(np.float32)
        for axis, n in enumerate(shape):
            values = np.take(values, np.arange(n) * values.shape[axis] // n, axis=axis)
        return values

    state = rng.get_state()
    total = np.zeros(shape, np.float32)
    for _ in range(classes):
        total += field()
    rng.set_state(state)
    with open(path, "wb") as file:
        for _ in range(classes):
            (field() / total).tofile(file)


def peer(queue, path, classes, shape, target, lean):
    """`resample_data_or_seg` of order 1: every class in float64, then argmax. `lean` keeps one class at a time."""
    from skimage.transform import resize

    softmax = np.memmap(path, np.float32, "r", shape=(classes, *shape))
    start, cpu = time.time(), time.process_time()

    def one(values):
        return resize(values.astype(float), target, 1, mode="edge", anti_aliasing=False).astype(np.float32)

    if lean:
        labels, best = np.zeros(target, np.int16), np.full(target, -np.inf, np.float32)
        for index in range(classes):
            values = one(softmax[index])
            better = values > best
            labels[better], best[better] = index, values[better]
    else:
        labels = np.stack([one(values) for values in softmax]).argmax(0).astype(np.int16)
    wall, cpu = time.time() - start, time.process_time() - cpu
    labels.tofile(path + ".peer")
    queue.put((wall, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def run_peer(*arguments):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=peer, args=(queue, *arguments))
    process.start()
    found = queue.get()
    process.join()
    return found


def ours(path, classes, shape, target, threads, repeats):
    job = {"kind": "labels", "input": path, "output": path + ".found", "shape": [classes, *shape], "new_shape": target,
           "separate_axis": None, "order": 1, "mode": "streamed"}
    with open(path + ".json", "w") as file:
        json.dump(job, file)
    command = [program(), str(threads), str(repeats), path + ".json"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found["wall"], found["cpu"], found["peak_mb"]


def free_megabytes():
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("MemAvailable")) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--classes", type=int, nargs="+", default=[3, 100])
    parser.add_argument("--size", type=int, nargs=3, default=[400, 512, 512], help="voxels of the image (z y x)")
    parser.add_argument("--from-size", type=int, nargs=3, help="voxels of the softmax; half of each axis by default")
    parser.add_argument("--scale", type=float, default=1.0, help="factor of both sizes")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=1, help="alternating repetitions of all measurements here")
    parser.add_argument("--skip-peers", action="store_true")
    arguments = parser.parse_args()
    scaled = lambda size: [max(2, round(n * arguments.scale)) for n in size]
    target = scaled(arguments.size)
    shape = scaled(arguments.from_size or [n // 2 for n in arguments.size])
    print(f"softmax {'x'.join(map(str, shape))} to {'x'.join(map(str, target))} (z, y, x)\n")
    print("| classes | program | wall s | CPU s | peak MB | different voxels |")
    print("| --- | --- | --- | --- | --- | --- |")
    for classes in arguments.classes:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "softmax.raw")
            write_softmax(path, classes, shape)
            best = {}
            for _ in range(arguments.rounds):
                for threads in arguments.threads:
                    found = ours(path, classes, shape, target, threads, arguments.repeats)
                    best[threads] = min(best.get(threads, found), found)
            for threads, (wall, cpu, peak) in best.items():
                print(f"| {classes} | here, {threads} threads | {wall:.2f} | {cpu:.2f} | {peak:.0f} | |", flush=True)
            if arguments.skip_peers:
                continue
            labels = np.fromfile(path + ".found", np.int16)
            for name, lean, needed in [
                ("scikit-image, all classes", False, 2 * classes * labels.size * 4 / 2**20),
                ("scikit-image, class by class", True, 40 * labels.size / 2**20),
            ]:
                if needed > 0.8 * free_megabytes():
                    print(f"| {classes} | {name} | – | – | needs {needed:.0f} | |", flush=True)
                    continue
                wall, cpu, peak = run_peer(path, classes, shape, target, lean)
                different = (np.fromfile(path + ".peer", np.int16) != labels).sum()
                print(f"| {classes} | {name} | {wall:.2f} | {cpu:.2f} | {peak:.0f} | {different} of {labels.size} |", flush=True)


if __name__ == "__main__":
    main()
