"""What the benchmarks of predictions share: time and memory of a command, and an image of noise."""

import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path


def write_noise(path, size):
    """An image of size³ voxels of 1 mm: smooth noise without zeros, so that nothing is cropped."""
    import numpy as np
    import SimpleITK
    from scipy.ndimage import zoom

    rng = np.random.default_rng(0)
    coarse = rng.normal(size=[max(4, size // 16)] * 3)
    smooth = zoom(coarse, size / coarse.shape[0], order=1)[:size, :size, :size]
    values = (500 + 100 * smooth + 20 * rng.normal(size=smooth.shape)).astype(np.int16)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), str(path))


def memory_of(group):
    """Proportional set size in bytes of all processes of a process group."""
    total = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if int((entry / "stat").read_text().rsplit(")", 1)[1].split()[2]) != group:
                continue
            lines = (entry / "smaps_rollup").read_text().splitlines()
        except (OSError, IndexError, ValueError):
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def measured(command, environment=None):
    """Wall seconds, CPU seconds, and peak memory in MiB of all processes of a command.

    The memory is looked at ten times a second at most, and so rarely that it takes 3 % of the time of a core at most.
    """
    start, peak, ended = time.time(), 0, threading.Event()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, start_new_session=True, env={**os.environ, **(environment or {})}
        )

        def watch():
            nonlocal peak
            pause = 0.1
            while not ended.wait(pause):
                began = time.time()
                peak = max(peak, memory_of(process.pid))
                pause = max(0.1, 32 * (time.time() - began))

        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.time() - start
        ended.set()
        watcher.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            raise SystemExit(f"{' '.join(map(str, command[:3]))} failed:\n{output.read()[-3000:]}")
    return seconds, usage.ru_utime + usage.ru_stime, peak / 2**20
