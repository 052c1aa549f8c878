//! What planning and preprocessing begin with.

use run::{Context, Event};
use serde_json::json;

use crate::schedule::Crew;
use crate::task_cases::TaskCases;
use crate::{Error, Options};

/// A task, and what works on it.
pub struct Session<'a> {
    /// Its folders and cases.
    pub task: TaskCases,
    /// The verb's options.
    pub options: &'a Options,
    /// Workers, memory, and where events go.
    pub crew: Crew<'a>,
}

impl<'a> Session<'a> {
    /// Checks the options, finds the task, and tells that `verb` has started.
    pub fn start(verb: &'static str, options: &'a Options, context: &'a Context) -> Result<Self, Error> {
        run::validate(options)?;
        let folders = options.folders.resolve(context);
        let task = TaskCases::find(&options.task, &folders)?;
        let crew = Crew::new(options.memory_bytes(), context)?;
        let settings = json!({
            "task": task.name, "cases": task.cases.len(), "configurations": options.configurations,
            "preprocessed": task.preprocessed, "memoryBudget": crew.budget.total(), "workers": context.workers(),
        });
        context.emit(Event::Started { verb, settings });
        Ok(Self { task, options, crew })
    }
}
