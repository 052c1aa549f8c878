const UNITS = { d: 86_400, h: 3600, m: 60, s: 1 } as const;

/** Seconds of a time such as `1d12h`, whose form was checked. */
export function secondsOf(time: string): number {
  const parts = time.matchAll(/(\d+)([dhms])/g);
  return [...parts].reduce(
    (sum, [, number, unit]) => sum + Number(number) * UNITS[unit as keyof typeof UNITS],
    0,
  );
}

/** A time in Slurm's form, `D-HH:MM:SS`. */
export function slurmTime(seconds: number): string {
  const two = (number: number) => String(Math.floor(number)).padStart(2, '0');
  const [days, hours] = [Math.floor(seconds / UNITS.d), (seconds % UNITS.d) / UNITS.h];
  return `${days}-${two(hours)}:${two((seconds % UNITS.h) / UNITS.m)}:${two(seconds % UNITS.m)}`;
}

/** Seconds before the time limit at which a task is told to stop. */
export function warningOf(seconds: number | undefined): number {
  return seconds === undefined || seconds >= 600 ? 120 : Math.max(1, Math.floor(seconds / 5));
}

/** Time after which a training stops by itself, before Slurm has to tell it. */
export function stopAfter(seconds: number): string {
  const margin = seconds >= 600 ? 60 : 0;
  return `${Math.max(1, seconds - warningOf(seconds) - margin)}s`;
}
