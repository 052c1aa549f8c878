//! Common start of planning and preprocessing.

use run::{CaseLoop, Context, Event};
use serde_json::json;

use crate::task_cases::TaskCases;
use crate::{Error, Options};

/// A task with its options and its loop over cases.
pub struct Session<'a> {
    /// Folders and cases of the task.
    pub task: TaskCases,
    /// The verb's options.
    pub options: &'a Options,
    /// Loop over cases, with its workers, memory budget and event sink.
    pub cases: CaseLoop<'a>,
}

impl<'a> Session<'a> {
    /// Checks the options, finds the task, and reports the start of `verb`.
    pub fn start(verb: &'static str, options: &'a Options, context: &'a Context) -> Result<Self, Error> {
        run::validate(options)?;
        let folders = options.folders.resolve(context);
        let task = TaskCases::find(&options.task, &folders)?;
        let cases = CaseLoop::new(context)?.with_memory_budget(options.memory_bytes());
        let settings = json!({
            "task": task.name, "cases": task.cases.len(), "configurations": options.configurations,
            "preprocessed": task.preprocessed, "memoryBudget": cases.memory_budget(), "workers": context.workers(),
        });
        context.emit(Event::Started { verb, settings });
        Ok(Self { task, options, cases })
    }
}
