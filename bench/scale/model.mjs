// What several GPUs give on paper: `node bench/scale/model.mjs` prints the table of README.md.
//
// A step takes the time of one GPU with its part of the batch, and that of the sum of the gradients. A ring sends
// 2 (N - 1) / N times the gradients through the slowest link of each GPU (Patarasuk & Yuan, 2009). The backward pass hides
// what it overlaps; `hidden` and `exposed` are the bounds: all of it but the last bucket, and nothing.

/** Gradients in float32 of the network of a patch of 128x128x128 with six stages: 31.2 million parameters. */
const GRADIENTS = 4 * 31.2e6;
/** The bucket that arrives last has nothing to hide behind (c10d's default size of the others). */
const BUCKET = 25 * 2 ** 20;
/** Seconds a step of one A100 in mixed precision by samples: NVIDIA's nnU-Net (DeepLearningExamples), 4.24 and 6.74 a second. */
const STEP = { 1: 1 / 4.24, 2: 2 / 6.74 };
/** Bytes a second of one GPU in one direction, as published by the makers. */
const NVLINK = 300e9;
const INFINIBAND = 25e9;
/** Through Gloo: to the host and back over PCI Express 4, and a socket on one machine, as a rough figure. */
const PCI_EXPRESS = 25e9;
const SOCKET = 3e9;

const sent = (ranks) => (2 * (ranks - 1)) / ranks;
const time = {
  'NVLink, NCCL': (ranks, bytes) => (sent(ranks) * bytes) / NVLINK,
  'InfiniBand, NCCL': (ranks, bytes) => (sent(ranks) * bytes) / INFINIBAND,
  'host memory, Gloo': (ranks, bytes) => (2 * bytes) / PCI_EXPRESS + (sent(ranks) * bytes) / SOCKET,
};

const rows = [
  [2, 1, 'NVLink, NCCL'],
  [2, 1, 'host memory, Gloo'],
  [8, 2, 'NVLink, NCCL'],
  [8, 2, 'host memory, Gloo'],
  [64, 2, 'InfiniBand, NCCL'],
];
for (const [ranks, samples, link] of rows) {
  const speedup = (bytes) => {
    const step = STEP[samples] + time[link](ranks, bytes);
    // Against one GPU with two samples a step, as planned.
    return ((ranks * samples) / step / (2 / STEP[2])).toFixed(2);
  };
  console.log(
    `| ${ranks} | ${samples} | ${link} | ${speedup(Math.min(BUCKET, GRADIENTS))} | ${speedup(GRADIENTS)} |`,
  );
}
