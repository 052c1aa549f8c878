import type { Configuration } from '../generated/options.js';
import type { PlanSummary } from '../generated/summaries.js';
import { UsageError, type Values } from './argparse.js';
import { lacks } from './lacks.js';
import { type Options, type Step, shim, textOf } from './table.js';

const NAME = 'nnUNet_plan_and_preprocess';
const PLANNERS = { '3d': 'ExperimentPlanner3D_v21', '2d': 'ExperimentPlanner2D_v21' } as const;

export const planShim = shim<'preprocess'>({
  name: NAME,
  summary: 'crop, plan and preprocess tasks',
  verb: 'preprocess',
  notes: [
    'Finished cases are kept if their files and plans are unchanged; v1 preprocesses all cases again.',
    '-1 in a label means unlabelled only; v1’s rule: nnunet-diag preprocess --unlabelled merged.',
  ],
  args: [
    {
      names: ['-t', '--task_ids'],
      values: '+',
      type: 'int',
      required: true,
      meaning: 'numbers of the tasks',
      here: { used: 'task: one run for each' },
    },
    {
      names: ['-pl3d', '--planner3d'],
      values: 1,
      meaning: `planner of the 3D configurations (default: ${PLANNERS['3d']}), or None`,
      here: { used: 'configurations: without the 3D ones for None; other planners are refused' },
    },
    {
      names: ['-pl2d', '--planner2d'],
      values: 1,
      meaning: `planner of the 2D configuration (default: ${PLANNERS['2d']}), or None`,
      here: { used: 'configurations: without 2d for None; other planners are refused' },
    },
    {
      names: ['-no_pp'],
      values: 0,
      meaning: 'plans without preprocessing',
      here: { used: 'runs plan instead of preprocess' },
    },
    {
      names: ['-tl'],
      values: 1,
      type: 'int',
      meaning: 'processes for the low resolution (default: 8)',
      here: { used: 'workers: the larger one of -tl and -tf; the default is all cores' },
    },
    {
      names: ['-tf'],
      values: 1,
      type: 'int',
      meaning: 'processes for the full resolution (default: 8)',
      here: { used: 'workers: the larger one of -tl and -tf; the default is all cores' },
    },
    {
      names: ['--verify_dataset_integrity'],
      values: 0,
      meaning: 'checks the raw data first',
      here: { used: 'runs check first, and stops if it finds a problem' },
    },
    {
      names: ['-overwrite_plans'],
      values: 1,
      meaning: 'plans of another task, for pretrained weights',
      here: { refused: 'set --patch-size, --batch-size and --spacing of nnunet-diag preprocess instead' },
    },
    {
      names: ['-overwrite_plans_identifier'],
      values: 1,
      meaning: 'name of the plans of -overwrite_plans',
      here: { refused: 'set --patch-size, --batch-size and --spacing of nnunet-diag preprocess instead' },
    },
  ],
  steps: planSteps,
});

function planSteps(options: Options<'preprocess'>, given: Values): Step[] {
  const tasks = ((given.get('-t') ?? []) as readonly number[]).map(String);
  const threads = ['-tl', '-tf'].flatMap((name) => (given.has(name) ? [Number(given.get(name))] : []));
  const workers = threads.length > 0 ? { workers: Math.max(...threads) } : {};
  const wants = { '3d': planner(given, '3d'), '2d': planner(given, '2d') };
  if (!wants['3d'] && !wants['2d']) {
    throw new UsageError('-pl3d None and -pl2d None leave nothing to plan');
  }
  const checks = given.has('--verify_dataset_integrity')
    ? tasks.map((task): Step => ({ verb: 'check', options: { task, ...workers } }))
    : [];
  const plans = given.has('-no_pp');
  return [
    ...checks,
    ...tasks.map((task): Step => {
      const rest = { ...options, task, ...workers };
      if (wants['3d'] && wants['2d']) return { verb: plans ? 'plan' : 'preprocess', options: rest };
      const configurations: Configuration[] = wants['2d'] ? ['2d'] : ['3d_fullres'];
      const chosen = { ...rest, configurations };
      if (plans || wants['2d']) return { verb: plans ? 'plan' : 'preprocess', options: chosen };
      // Only the plans know whether there is a low resolution.
      return {
        verb: 'plan',
        options: chosen,
        next: (made) => [preprocessPlanned(made as PlanSummary, rest)],
      };
    }),
  ];
}

/** Whether configurations are planned. */
function planner(given: Values, dimension: keyof typeof PLANNERS): boolean {
  const known = PLANNERS[dimension];
  const name = textOf(given, dimension === '3d' ? '-pl3d' : '-pl2d', known);
  if (name === 'None' || name === known) return name === known;
  const todo = `use ${known}, and flags of nnunet-diag preprocess such as --spacing and --pooling`;
  throw lacks(NAME, `planner ${name}`, 'a class of Python', todo);
}

function preprocessPlanned({ configurations }: PlanSummary, options: Options<'preprocess'>): Step {
  const names = configurations.map((one) => one.configuration).filter((name) => name !== '2d');
  return { verb: 'preprocess', options: { ...options, configurations: names } };
}
