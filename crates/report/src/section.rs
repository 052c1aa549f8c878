//! What a path gives: a section, and the cases to look at.

use evaluate::measure::CaseMetrics;
use run::{CaseFailure, Context, Event, Sink};
use std::sync::Arc;

use crate::data::{Fact, Section};
use crate::jobs::Job;
use crate::names::Names;

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What a run writes while it trains.
    Quick,
    /// Everything: predictions are measured.
    Full,
}

/// A section in the making.
pub(crate) struct Built {
    pub section: Section,
    /// Metrics of its cases, for comparisons.
    pub metrics: Vec<CaseMetrics>,
    pub names: Names,
    pub jobs: Vec<Job>,
    pub failures: Vec<CaseFailure>,
}

/// A fact.
pub(crate) fn fact(name: &str, value: impl ToString) -> Fact {
    Fact {
        name: name.to_owned(),
        value: value.to_string(),
    }
}

/// `4 × 5 × 6`.
pub(crate) fn times(values: &[impl ToString]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    values.join(" × ")
}

/// A number of at most four digits.
pub(crate) fn short(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 1000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 10.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// Passes the events of a verb that is a part of this one, without its start.
struct Part(Context);

impl Sink for Part {
    fn emit(&self, event: Event) {
        if !matches!(event, Event::Started { .. }) {
            self.0.emit(event);
        }
    }
}

/// The context of a verb that is a part of this one.
pub(crate) fn part(context: &Context) -> Context {
    Context::new(
        Arc::new(Part(context.clone())),
        context.cancel().clone(),
        context.workers(),
    )
}
