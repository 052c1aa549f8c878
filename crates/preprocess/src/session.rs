//! What planning and preprocessing begin with.

use run::{CaseLoop, Context, Event};
use serde_json::json;

use crate::task_cases::TaskCases;
use crate::{Error, Options};

/// A task, and what works on it.
pub struct Session<'a> {
    /// Its folders and cases.
    pub task: TaskCases,
    /// The verb's options.
    pub options: &'a Options,
    /// Workers, memory, and where events go.
    pub cases: CaseLoop<'a>,
}

impl<'a> Session<'a> {
    /// Checks the options, finds the task, and tells that `verb` has started.
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
