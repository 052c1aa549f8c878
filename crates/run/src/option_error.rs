//! Options that cannot be used.

use std::fmt;

use serde::Serialize;

use crate::Coded;

/// What is wrong with one option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OptionProblem {
    /// Path of the option in camelCase, such as `recipe.loss.dice`; empty for the options as a whole.
    pub option: String,
    /// What was expected and what was found.
    pub problem: String,
}

/// Options that a verb cannot be run with: the one error for all of them, whoever finds it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Coded)]
#[error("{}", Listed(problems))]
#[code(Options)]
pub struct OptionError {
    /// Every problem found; at least one.
    pub problems: Vec<OptionProblem>,
}

/// Result of reading or checking options.
pub type OptionResult<T> = Result<T, OptionError>;

impl OptionError {
    /// One option that cannot be used as it is.
    pub fn new(option: impl Into<String>, problem: impl Into<String>) -> Self {
        let (option, problem) = (option.into(), problem.into());
        Self {
            problems: vec![OptionProblem { option, problem }],
        }
    }

    /// An option with a value that is not the expected one.
    pub fn expected(
        option: impl Into<String>,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Self::new(option, format!("expected {expected}, got {found}"))
    }
}

/// Problems one after the other.
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
    fn every_problem_is_named_in_message_and_details() {
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
