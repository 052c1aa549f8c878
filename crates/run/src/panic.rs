//! Panics as errors: a bug in one case must neither end the process nor lose its location.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// A panic: a bug in this package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, crate::Coded)]
#[error("internal error: {words}. This is a bug in nnunet-diag; please report it with this message.")]
#[code(Internal)]
pub struct Panicked {
    /// Message and location of the panic.
    #[detail(name = "panic")]
    pub words: String,
}

/// Runs `work`; a panic becomes an error.
///
/// # Errors
/// [`Panicked`]. Data that `work` was changing may be inconsistent and must be dropped.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| Panicked {
        words: words(payload.as_ref()),
    })
}

fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Coded;

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        assert_eq!(catch(|| 7), Ok(7));
        let error = catch(|| panic!("case {}", 3)).unwrap_err();
        assert_eq!((error.code(), error.words.as_str()), ("ERR_INTERNAL", "case 3"));
        assert_eq!(catch(|| panic!("plain")).unwrap_err().words, "plain");
    }
}
