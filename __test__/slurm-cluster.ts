/** A cluster of one node with Slurm's own daemons, in a temporary folder. */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { freePort } from './port.js';

const DAEMONS = ['munged', 'slurmctld', 'slurmd'].map((name) => `/usr/sbin/${name}`);

/** Why no cluster can be started here; `undefined` if one can. */
export const missingSlurm: string | undefined =
  process.getuid?.() !== 0
    ? 'only root can start the daemons of Slurm'
    : DAEMONS.every((path) => existsSync(path))
      ? undefined
      : "Slurm is not installed: Debian's packages slurm-wlm and munge";

/** Milliseconds after which something is considered to hang, on a busy machine. */
const PATIENCE = 240_000;

/** Runs a command of Slurm; returns its output, and fails the test with its words. */
export function slurm(t: ExecutionContext, command: string, ...argv: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, argv, { encoding: 'utf8' });
  if (status !== 0) t.fail(`${command} ${argv.join(' ')}: ${stderr}`);
  return stdout;
}

/** Waits until `condition` returns a value other than false and undefined. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | false | undefined> | T | false | undefined,
): Promise<T> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const found = await condition();
    if (found !== false && found !== undefined) return found;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await sleep(200);
  }
}

/** The facts that `scontrol` shows of a task. */
export function facts(t: ExecutionContext, id: string): Record<string, string> {
  const text = slurm(t, 'scontrol', 'show', 'job', id, '--oneliner');
  return Object.fromEntries([...text.matchAll(/(\w+)=(\S*)/g)].map(([, key, value]) => [key, value]));
}

/** A task that is queued again starts only after two minutes; this starts it now. */
export function startNow(t: ExecutionContext, id: string): void {
  slurm(t, 'scontrol', 'update', `JobId=${id}`, 'StartTime=now');
}

/** Number of the process of Node whose command line has these words; `undefined` without one. */
export async function processWith(...words: readonly string[]): Promise<number | undefined> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const number of numbers) {
    const text = await readFile(`/proc/${number}/cmdline`, 'utf8').catch(() => '');
    const line = text.replaceAll('\0', ' ');
    if (line.startsWith(process.execPath) && words.every((word) => line.includes(word)))
      return Number(number);
  }
  return undefined;
}

/** Whether a stopped process has a signal that it has not received. */
export async function hasPending(pid: number, signal: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const mask = BigInt(`0x${/^ShdPnd:\s*(\w+)/m.exec(status)?.[1] ?? '0'}`);
  return ((mask >> BigInt(signal - 1)) & 1n) === 1n;
}

interface ClusterOptions {
  /** Further settings of the cluster. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Further partitions of the node, each with its settings. */
  readonly partitions?: readonly string[];
}

/**
 * Starts the daemons, and sets `SLURM_CONF`. They end with the test. Returns the name of the node; `undefined`, with the
 * daemons' words in the test's log, on a machine where they do not come up.
 */
export async function startCluster(
  t: ExecutionContext,
  { settings: more = {}, partitions = [] }: ClusterOptions = {},
): Promise<string | undefined> {
  const folder = await mkdtemp('/tmp/slurm-');
  const node = hostname().split('.')[0] ?? 'node';
  const at = (name: string) => join(folder, name);
  await Promise.all(['state', 'spool'].map((name) => mkdir(at(name))));
  await writeFile(at('munge.key'), randomBytes(128), { mode: 0o600 });
  const settings = {
    ClusterName: 'made-up',
    SlurmctldHost: `${node}(127.0.0.1)`,
    SlurmctldPort: await freePort(),
    SlurmdPort: await freePort(),
    SlurmUser: 'root',
    SlurmdUser: 'root',
    AuthType: 'auth/munge',
    AuthInfo: `socket=${at('munge.socket')}`,
    StateSaveLocation: at('state'),
    SlurmdSpoolDir: at('spool'),
    SlurmctldPidFile: at('slurmctld.pid'),
    SlurmdPidFile: at('slurmd.pid'),
    SlurmctldLogFile: at('slurmctld.log'),
    SlurmdLogFile: at('slurmd.log'),
    ProctrackType: 'proctrack/linuxproc',
    TaskPlugin: 'task/none',
    SelectType: 'select/cons_tres',
    SelectTypeParameters: 'CR_CPU',
    SlurmdParameters: 'config_overrides',
    SchedulerParameters: 'sched_interval=1,bf_interval=1',
    MinJobAge: 3600,
    KillWait: 10,
    MailProg: '/bin/true',
    ...more,
  };
  const lines = [
    ...Object.entries(settings).map(([key, value]) => `${key}=${value}`),
    `NodeName=${node} NodeAddr=127.0.0.1 CPUs=2 RealMemory=${Math.floor(totalmem() / 2 ** 20)} State=UNKNOWN`,
    `PartitionName=all Nodes=${node} Default=YES State=UP MaxTime=INFINITE`,
    ...partitions.map((text) => `PartitionName=${text} Nodes=${node} State=UP MaxTime=INFINITE`),
  ];
  await writeFile(at('slurm.conf'), `${lines.join('\n')}\n`);
  const before = process.env.SLURM_CONF;
  process.env.SLURM_CONF = at('slurm.conf');
  const munge = ['key-file', 'socket', 'pid-file', 'log-file', 'seed-file'].map(
    (name) => `--${name}=${at(`munge.${name.replace('-file', '')}`)}`,
  );
  const daemons = [
    ['/usr/sbin/munged', '--foreground', '--force', ...munge],
    ['/usr/sbin/slurmctld', '-D', '-f', at('slurm.conf')],
    ['/usr/sbin/slurmd', '-D', '-f', at('slurm.conf')],
  ] as const;
  const running = daemons.map(([program, ...argv]) => spawn(program, argv, { stdio: 'ignore' }));
  t.teardown(async () => {
    // Jobs of a failed test would go on without the daemons.
    spawnSync('scancel', ['--user=root']);
    const isEmpty = () => spawnSync('squeue', ['--noheader'], { encoding: 'utf8' }).stdout.trim() === '';
    for (let i = 0; i < 100 && !isEmpty(); i += 1) await sleep(200);
    for (const daemon of running.reverse()) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      const end = once(daemon, 'close');
      daemon.kill('SIGTERM');
      const late = setTimeout(() => daemon.kill('SIGKILL'), 10_000);
      await end;
      clearTimeout(late);
    }
    if (before === undefined) delete process.env.SLURM_CONF;
    else process.env.SLURM_CONF = before;
    await rm(folder, { recursive: true, force: true });
  });
  try {
    await until('the node is idle', () => {
      const { stdout } = spawnSync('sinfo', ['--noheader', '--format=%T'], { encoding: 'utf8' });
      return stdout.trim() === 'idle';
    });
  } catch (error) {
    const logs = await Promise.all(
      ['munge.log', 'slurmctld.log', 'slurmd.log'].map((name) => readFile(at(name), 'utf8').catch(() => '')),
    );
    t.log(`${error}\n${logs.join('\n')}`);
    return undefined;
  }
  return node;
}
