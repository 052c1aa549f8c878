/** Jobs of `--engine slurm` on a cluster with Slurm's own daemons give the bytes of runs on one machine. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  cancelJobs,
  evaluate,
  type JobTask,
  listJobs,
  planAndPreprocess,
  predict,
  resubmitJobs,
  type SubmitResult,
  submit,
  train,
} from '../ts/index.js';
import { packageRoot } from '../ts/version.js';
import { contents, differences } from './contents.js';
import { cli, noise, type Shape, workspace, writeNifti, writeTask } from './made-up.js';
import { freePort } from './port.js';
import {
  facts,
  hasPending,
  missingSlurm,
  processWith,
  slurm,
  startCluster,
  startNow,
  until,
} from './slurm-cluster.js';

const clusterTest = missingSlurm === undefined ? test.serial : test.serial.skip;
if (missingSlurm !== undefined) console.log(`the tests on a cluster are skipped: ${missingSlurm}`);

const SHAPE: Shape = [20, 20, 20];
const CASES = ['a', 'b', 'c', 'd', 'e'];

function submitted(t: ExecutionContext, result: SubmitResult): SubmitResult & { kind: 'submitted' } {
  if (result.kind !== 'submitted') throw t.fail('nothing was submitted');
  return result;
}

async function tasks(folder: string): Promise<JobTask[]> {
  return (await listJobs(folder)).flatMap(({ jobs }) => jobs.flatMap((job) => job.tasks));
}

/** Waits until every task has ended, and starts those at once that are queued again. */
async function end(t: ExecutionContext, folder: string): Promise<JobTask[]> {
  return until(`the jobs of ${folder} end`, async () => {
    const now = await tasks(folder);
    for (const { id, slurm: state } of now) {
      if (state === 'PENDING' && facts(t, id).Reason === 'BeginTime') startNow(t, id);
    }
    return now.some(({ state }) => state === 'waiting' || state === 'running') ? undefined : now;
  });
}

clusterTest(
  'a chain from raw data to an evaluation, with a node that fails and a time limit, gives the bytes of one machine',
  async (t) => {
    t.timeout(20 * 60_000);
    const { root, folders } = await workspace(t);
    const node = await startCluster(t);
    if (node === undefined) return t.pass();
    const shapes = Object.fromEntries(CASES.map((name) => [name, SHAPE]));
    const raw = await writeTask(folders.rawDataBase, 'Task701_Small', shapes);
    const images = join(root, 'images');
    for (const name of CASES) await writeNifti(join(images, `${name}_0000.nii`), SHAPE, noise);
    const jobsFolder = join(root, 'jobs of "A" & \'B\' 100%');
    const model = join(root, 'model $HOME');
    const output = join(root, "predic'tions");
    const cascade = { task: '701', configurations: ['3d_fullres' as const], ...folders };
    const training = {
      ...{ task: '701', configuration: '3d_fullres' as const, outputFolder: model },
      ...{ patchSize: [16, 16, 16], batchSize: 2, epochs: 12, iterations: 4, validationIterations: 1 },
      ...{ precision: 'float32' as const, workers: 1, saveEvery: 1, preprocessed: folders.preprocessed },
    };
    const prediction = {
      input: images,
      output,
      model,
      folds: [0, 1],
      workers: 1,
      precision: 'float32' as const,
    };
    const evaluation = { referenceDir: join(raw, 'labelsTr'), predictionDir: output, labels: [1] };

    const first = submitted(t, await submit('preprocess', cascade, { shards: 3, jobsFolder }));
    t.deepEqual(
      first.jobs.map(({ name, tasks: numbers }) => [name, numbers.length]),
      [
        ['1-plan', 3],
        ['2-plan', 1],
        ['3-preprocess', 3],
      ].map(([name, n]) => [String(name).replace('1-plan', '1-crop'), n]),
    );
    const second = submitted(
      t,
      await submit(
        'train',
        { ...training, folds: [0, 1, 2] },
        { jobsFolder, atOnce: 2, time: '30m', dependency: `afterok:${first.id}` },
      ),
    );
    const third = submitted(
      t,
      await submit('predict', prediction, { jobsFolder, shards: 2, dependency: `afterok:${second.id}` }),
    );
    const fourth = submitted(
      t,
      await submit('evaluate', evaluation, { jobsFolder, shards: 2, dependency: `afterok:${third.id}` }),
    );
    t.deepEqual(
      fourth.jobs.map(({ name }) => name),
      ['1-evaluate', '2-merge'],
    );

    const log = (fold: number) => readFile(join(second.folder, `train-${fold}.log`), 'utf8').catch(() => '');
    const epochs = async (fold: number) =>
      (await log(fold)).split('\n').filter((line) => /epoch .* loss /.test(line)).length;
    /** Waits until a fold has finished more epochs, and stops its process, so that it waits for the test. */
    const freeze = async (fold: number): Promise<number> => {
      const before = await epochs(fold);
      await until(`fold ${fold} trains`, async () => (await epochs(fold)) > before);
      const pid = await until(`fold ${fold} runs`, () => processWith('train', `--fold ${fold}`, model));
      process.kill(pid, 'SIGSTOP');
      return pid;
    };

    // Two folds run; the third waits. Then the node fails.
    await Promise.all([freeze(0), freeze(1)]);
    t.deepEqual(
      (await tasks(second.folder)).map(({ state }) => state),
      ['running', 'running', 'waiting'],
    );
    slurm(t, 'scontrol', 'update', `NodeName=${node}`, 'State=DOWN', 'Reason=test');
    await until('the folds are queued again', async () =>
      (await tasks(second.folder)).every(({ state }) => state === 'waiting'),
    );
    await until('the processes end', async () => (await processWith('train', '--fold', model)) === undefined);
    slurm(t, 'scontrol', 'update', `NodeName=${node}`, 'State=RESUME');

    // Fold 0 continues, and meets its time limit.
    const [again] = await Promise.all([
      freeze(0),
      until('fold 0 is queued', () => facts(t, `${second.id}_0`).Reason === 'BeginTime').then(() =>
        startNow(t, `${second.id}_0`),
      ),
    ]);
    const { Restarts } = facts(t, `${second.id}_0`);
    t.true(Number(Restarts) >= 1);
    slurm(t, 'scontrol', 'update', `JobId=${second.id}_0`, 'TimeLimit=1');
    await until('the signal before the time limit', () => hasPending(again, constants.signals.SIGUSR1));
    process.kill(again, 'SIGCONT');
    await until('fold 0 is queued again', () => facts(t, `${second.id}_0`).Restarts !== Restarts);
    t.regex(await log(0), /saved in .*model_latest/);
    slurm(t, 'scontrol', 'update', `JobId=${second.id}_0`, 'TimeLimit=30');

    for (const part of [first, second, third, fourth]) {
      const ended = await end(t, part.folder);
      const text = ended.map((task) => JSON.stringify(task)).join('\n');
      t.true(
        ended.every(({ state, exitCode }) => state === 'done' && exitCode === 0),
        text,
      );
    }

    const made = [folders.preprocessed, model, output];
    const found = [];
    for (const folder of made) {
      found.push(await contents(folder));
      await rename(folder, `${folder} of Slurm`);
    }
    await rm(join(folders.rawDataBase, 'nnUNet_cropped_data'), { recursive: true });
    await planAndPreprocess(cascade).result;
    for (const fold of [0, 1, 2]) await train({ ...training, fold }).result;
    await predict(prediction).result;
    await evaluate(evaluation).result;
    for (const [i, folder] of made.entries())
      t.deepEqual(differences(found[i] ?? {}, await contents(folder)), [], folder);
  },
);

clusterTest('failed tasks alone are submitted again, and cancelled ones end', async (t) => {
  t.timeout(10 * 60_000);
  const { root, folders } = await workspace(t);
  if ((await startCluster(t)) === undefined) return t.pass();
  const shapes = Object.fromEntries(CASES.map((name) => [name, SHAPE]));
  await writeTask(folders.rawDataBase, 'Task702_Broken', shapes);
  const common = { task: '702', configurations: ['3d_fullres' as const], ...folders };
  await planAndPreprocess(common).result;
  const stage = join(folders.preprocessed, 'Task702_Broken', 'nnUNetData_plans_v2.1_stage0');
  const whole = await readFile(join(stage, 'b.npz'));
  await writeFile(join(stage, 'b.npz'), 'broken');
  const jobsFolder = join(root, 'jobs');
  const { folder } = submitted(t, await submit('weightmaps', { folder: stage }, { jobsFolder, shards: 5 }));
  const states = (await end(t, folder)).map(({ state, exitCode }) => [state, exitCode]);
  t.deepEqual(states, [
    ['done', 0],
    ['failed', 1],
    ['done', 0],
    ['done', 0],
    ['done', 0],
  ]);
  t.is((await cli(['jobs', 'show', jobsFolder])).code, 1);

  await writeFile(join(stage, 'b.npz'), whole);
  const again = await resubmitJobs(folder);
  t.deepEqual(
    again.map((id) => id.split('_')[1]),
    ['2'],
  );
  t.true((await end(t, folder)).every(({ state }) => state === 'done'));
  t.true(existsSync(join(stage, 'b_weightmap.npy')));
  t.deepEqual(await resubmitJobs(folder), []);
  const shown = await cli(['jobs', 'follow', jobsFolder]);
  t.is(shown.code, 0);
  t.regex(shown.out, /weightmaps +2 +\d+_2 +done +COMPLETED +0/);

  // A running training that is cancelled saves, and does not start again.
  const long = submitted(
    t,
    await submit(
      'train',
      {
        ...{ task: '702', configuration: '3d_fullres', outputFolder: join(root, 'model'), workers: 1 },
        ...{ patchSize: [16, 16, 16], batchSize: 2, epochs: 100_000, iterations: 2, validationIterations: 1 },
        ...{ precision: 'float32', preprocessed: folders.preprocessed },
      },
      { jobsFolder },
    ),
  );
  await until('the training runs', async () => /epoch/.test((await tasks(long.folder))[0]?.lastLine ?? ''));
  t.deepEqual(await cancelJobs(long.folder), [`${long.id}_0`]);
  const [stopped] = await until('the training ends', async () => {
    const now = await tasks(long.folder);
    return now[0]?.state === 'running' ? undefined : now;
  });
  t.deepEqual([stopped?.state, stopped?.exitCode], ['cancelled', 85]);
  t.true(existsSync(join(root, 'model', 'fold_0', 'model_latest.model')));
  t.deepEqual([facts(t, `${long.id}_0`).JobState, facts(t, `${long.id}_0`).Restarts], ['CANCELLED', '0']);

  // A partition that is down: the jobs wait until they are cancelled.
  slurm(t, 'scontrol', 'update', 'PartitionName=all', 'State=DOWN');
  const held = submitted(t, await submit('weightmaps', { folder: stage }, { jobsFolder, shards: 2 }));
  t.deepEqual(
    (await tasks(held.folder)).map(({ state }) => state),
    ['waiting', 'waiting'],
  );
  t.is((await cancelJobs(held.folder)).length, 2);
  await until('the tasks are cancelled', async () =>
    (await tasks(held.folder)).every(({ state }) => state === 'cancelled'),
  );
});

/** A training that never ends by itself, on the whole node. */
function endless(root: string, preprocessed: string) {
  return {
    ...{ task: '703', configuration: '3d_fullres' as const, outputFolder: join(root, 'model'), workers: 1 },
    ...{ patchSize: [16, 16, 16], batchSize: 2, epochs: 100_000, iterations: 2, validationIterations: 1 },
    ...{ precision: 'float32' as const, preprocessed },
  };
}

for (const grace of [0, 60]) {
  clusterTest(
    `a training that a job of higher priority preempts saves, waits and continues, with ${grace} s of grace`,
    async (t) => {
      t.timeout(10 * 60_000);
      const { root, folders } = await workspace(t);
      const cluster = await startCluster(t, {
        settings: { PreemptType: 'preempt/partition_prio', PreemptMode: 'REQUEUE' },
        partitions: [`low PriorityTier=1 GraceTime=${grace}`, 'high PriorityTier=10'],
      });
      if (cluster === undefined) return t.pass();
      const shapes = Object.fromEntries(CASES.map((name) => [name, SHAPE]));
      await writeTask(folders.rawDataBase, 'Task703_Preempted', shapes);
      await planAndPreprocess({ task: '703', configurations: ['3d_fullres'], ...folders }).result;
      const scratch = join(root, 'scratch');
      const options = { ...endless(root, folders.preprocessed), scratch };
      const slurmOptions = { jobsFolder: join(root, 'jobs'), partition: 'low', cpus: 2 };
      const { folder, id } = submitted(t, await submit('train', options, slurmOptions));
      const log = () => readFile(join(folder, 'train-0.log'), 'utf8').catch(() => '');
      await until('the training runs', async () => /epoch .* loss /.test(await log()));
      slurm(t, 'sbatch', '--partition=high', '--cpus-per-task=2', '--output=/dev/null', '--wrap=sleep 3');
      await until('the training is queued again', () => Number(facts(t, `${id}_0`).Restarts) === 1);
      // Slurm counts the restart when it sends SIGTERM.
      await until('the training saves', async () => /saved in .*model_latest/.test(await log()));
      t.true(existsSync(join(root, 'model', 'fold_0', 'model_latest.model')));
      await until('the training waits', async () => (await tasks(folder))[0]?.state === 'waiting');
      const before = (await log()).length;
      await until('the training continues', async () => {
        const { JobState, Reason } = facts(t, `${id}_0`);
        if (JobState === 'PENDING' && Reason === 'BeginTime') startNow(t, `${id}_0`);
        return /epoch .* loss /.test((await log()).slice(before));
      });
      t.deepEqual(await cancelJobs(folder), [`${id}_0`]);
      await until('the training ends', async () => (await tasks(folder))[0]?.state === 'cancelled');
      await until('the process ends', async () => (await processWith('train', root)) === undefined);
      t.deepEqual([facts(t, `${id}_0`).Restarts, await readdir(scratch)], ['1', []]);
    },
  );
}

clusterTest('scontrol requeue of a running training saves and continues', async (t) => {
  t.timeout(10 * 60_000);
  const { root, folders } = await workspace(t);
  if ((await startCluster(t)) === undefined) return t.pass();
  const shapes = Object.fromEntries(CASES.map((name) => [name, SHAPE]));
  await writeTask(folders.rawDataBase, 'Task703_Requeued', shapes);
  await planAndPreprocess({ task: '703', configurations: ['3d_fullres'], ...folders }).result;
  const jobsFolder = join(root, 'jobs');
  const { folder, id } = submitted(
    t,
    await submit('train', endless(root, folders.preprocessed), { jobsFolder }),
  );
  const log = () => readFile(join(folder, 'train-0.log'), 'utf8').catch(() => '');
  await until('the training runs', async () => /epoch .* loss /.test(await log()));
  slurm(t, 'scontrol', 'requeue', `${id}_0`);
  await until('the training saves', async () => /saved in .*model_latest/.test(await log()));
  const before = (await log()).length;
  await until('the training continues', async () => {
    const { JobState, Reason } = facts(t, `${id}_0`);
    if (JobState === 'PENDING' && Reason === 'BeginTime') startNow(t, `${id}_0`);
    return /epoch .* loss /.test((await log()).slice(before));
  });
  t.is(facts(t, `${id}_0`).Restarts, '1');
  await cancelJobs(folder);
  await until('the training ends', async () => (await tasks(folder))[0]?.state === 'cancelled');
});

clusterTest('srun starts the ranks of a training', async (t) => {
  t.timeout(10 * 60_000);
  const { root, folders } = await workspace(t);
  if ((await startCluster(t)) === undefined) return t.pass();
  const shapes = Object.fromEntries(CASES.map((name) => [name, SHAPE]));
  await writeTask(folders.rawDataBase, 'Task704_Ranks', shapes);
  await planAndPreprocess({ task: '704', configurations: ['3d_fullres'], ...folders }).result;
  // As in docs/how-to/clusters.md.
  const main = join(packageRoot, 'dist', 'ts', 'cli', 'main.js');
  const argv = [
    ...['train', '704', '-c', '3d_fullres', '-f', '0', '--continue', '--preprocessed', folders.preprocessed],
    ...['--patch-size', '16x16x16', '--batch-size', '2', '--epochs', '1', '--iterations', '2'],
    ...[
      '--validation-iterations',
      '1',
      '--no-validate',
      '--output-folder',
      join(root, 'model'),
      '--workers',
      '2',
    ],
  ];
  const ranks = `RANK=$SLURM_PROCID WORLD_SIZE=$SLURM_NTASKS LOCAL_RANK=$SLURM_LOCALID \
    LOCAL_WORLD_SIZE=$SLURM_NTASKS_PER_NODE exec "$0" "$@"`;
  const step = ['--ntasks=2', '--ntasks-per-node=2', 'bash', '-c', ranks, process.execPath, main, ...argv];
  const { status, stderr } = spawnSync('srun', step, {
    encoding: 'utf8',
    env: { ...process.env, MASTER_ADDR: '127.0.0.1', MASTER_PORT: String(await freePort()) },
  });
  t.is(status, 0, stderr);
  const debug = JSON.parse(await readFile(join(root, 'model', 'fold_0', 'debug.json'), 'utf8'));
  t.is(debug.world_size, '2');
});

clusterTest('what Slurm refuses is an error with its words, and leaves no job behind', async (t) => {
  const { root } = await workspace(t);
  if ((await startCluster(t)) === undefined) return t.pass();
  await mkdir(join(root, 'cases'));
  const jobsFolder = join(root, 'jobs');
  const options = { folder: join(root, 'cases') };
  const error = await t.throwsAsync(submit('weightmaps', options, { jobsFolder, partition: 'nowhere' }));
  t.like(error, { code: 'ERR_SLURM' });
  t.regex(error?.message ?? '', /sbatch failed: .*invalid partition/i);
  t.is(slurm(t, 'squeue', '--noheader'), '');
});
