//! Options of jobs on a cluster with Slurm.

use std::path::PathBuf;

use run::{OptionError, OptionResult, Options};

use crate::duration::parse_duration;

/// Options of the jobs that `--engine slurm` and `submit` hand to Slurm.
#[run::options]
pub struct SlurmOptions {
    /// Partition of the cluster.
    #[schemars(length(min = 1))]
    pub partition: Option<String>,
    /// Account that is charged.
    #[schemars(length(min = 1))]
    pub account: Option<String>,
    /// Generic resources of a task, such as `gpu:1`.
    #[schemars(length(min = 1))]
    pub gres: Option<String>,
    /// Cores of a task. The verb uses as many threads, unless `workers` is given.
    #[schemars(range(min = 1))]
    pub cpus: Option<usize>,
    /// Memory of a task in Slurm's form, such as `32G`. `default` leaves it to the cluster. Without it, the memory is
    /// estimated from headers and plans, and left to the cluster where that is not possible yet.
    #[schemars(
        regex(pattern = r"^(\d+[KMGTkmgt]?|default)$"),
        extend("x-expected" = "memory in Slurm's form, such as 32G or 500M, or default")
    )]
    pub mem: Option<String>,
    /// Time limit of a task, such as `24h` or `1d12h`. Two minutes before it a task is told to stop. What can continue is
    /// then queued again, and continues.
    #[schemars(
        regex(pattern = r"^(\d+[dhms])+$"),
        extend("x-expected" = "a time such as 23h, 90m or 1h30m")
    )]
    pub time: Option<String>,
    /// Further flags of `sbatch`, such as `--constraint=a100`; with `=`, one text each.
    #[schemars(length(min = 1), inner(regex(pattern = r"^--[a-zA-Z][^\n]*$")))]
    pub sbatch: Option<Vec<String>>,
    /// Number of tasks among which the cases are divided.
    #[default(1)]
    #[schemars(range(min = 1))]
    pub shards: usize,
    /// Maximum number of tasks that run at once.
    #[schemars(range(min = 1))]
    pub at_once: Option<usize>,
    /// Condition of the start in Slurm's form, such as `afterok:1234`.
    #[schemars(
        regex(pattern = r"^[a-z]+[a-zA-Z0-9:_+,?]*$"),
        extend("x-expected" = "a dependency in Slurm's form, such as afterok:1234")
    )]
    pub dependency: Option<String>,
    /// Folder of scripts, logs and exit codes, with a folder for each submission.
    #[default("nnunet-diag-jobs".into())]
    #[schemars(length(min = 1))]
    pub jobs_folder: PathBuf,
    /// Shows the scripts and submits nothing.
    #[default]
    pub dry_run: bool,
}

impl Options for SlurmOptions {
    fn check(&self) -> OptionResult<()> {
        match &self.time {
            Some(text) if parse_duration(text).is_none() => {
                let expected = "a time such as 23h, 90m or 1h30m";
                Err(OptionError::expected("time", expected, format!("{text:?}")))
            }
            _ => Ok(()),
        }
    }
}
