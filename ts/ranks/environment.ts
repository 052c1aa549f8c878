/** Whether the environment, such as `torchrun`'s, makes this process one of several ranks of a training. */
export function isRank(): boolean {
  return Number(process.env.WORLD_SIZE ?? '1') > 1;
}

/** Whether this process is a rank other than the first, which speaks for all. */
export function isOtherRank(): boolean {
  return isRank() && process.env.RANK !== undefined && process.env.RANK !== '0';
}
