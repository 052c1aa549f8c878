//! The error for invalid options.

use std::fmt;

use serde::Serialize;

use crate::Coded;

/// The problem of one option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OptionProblem {
    /// Path of the option in camelCase, such as `recipe.loss.dice`; empty for the options as a whole.
    pub option: String,
    /// Expected and found value.
    pub problem: String,
}

/// Invalid options of a verb. All verbs use this error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Coded)]
#[error("{}", Listed(problems))]
#[code(Options)]
pub struct OptionError {
    /// All problems; at least one.
    pub problems: Vec<OptionProblem>,
}

/// Result of reading or checking options.
pub type OptionResult<T> = Result<T, OptionError>;

impl OptionError {
    /// An error for one invalid option.
    pub fn new(option: impl Into<String>, problem: impl Into<String>) -> Self {
        let (option, problem) = (option.into(), problem.into());
        Self {
            problems: vec![OptionProblem { option, problem }],
        }
    }

    /// An error for an option with an unexpected value.
    pub fn expected(
        option: impl Into<String>,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Self::new(option, format!("expected {expected}, got {found}"))
    }
}

/// Formats problems as a list.
struct Listed<'a>(&'a [OptionProblem]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, OptionProblem { option, problem }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            match option.as_str() {
                "" => write!(f, "{separator}{problem}")?,
                _ => write!(f, "{separator}{option}: {problem}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_and_details_list_every_problem() {
        let mut error = OptionError::expected("epochs", "a whole number", "\"x\"");
        error
            .problems
            .extend(OptionError::new("", "nothing fits").problems);
        assert_eq!(
            error.to_string(),
            "epochs: expected a whole number, got \"x\"; nothing fits"
        );
        assert_eq!(error.code(), "ERR_OPTIONS");
        assert_eq!(error.details()["problems"][0]["option"], "epochs");
    }
}
