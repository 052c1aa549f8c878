//! Reader of pickles.

use std::io::Read;
use std::path::Path;

use crate::finish::Finisher;
use crate::limits::Budget;
use crate::machine::Machine;
use crate::{Error, Limits, Value};

/// Reads one pickle of protocol 0 to 5. As in Python, bytes after its end are ignored.
///
/// Nothing is executed. Only known names are accepted: containers, numpy arrays, scalars and dtypes. Any
/// other name gives [`Error::UnknownGlobal`]. Time and memory stay within `limits`.
///
/// # Errors
/// [`Error::Truncated`], [`Error::Malformed`], [`Error::Opcode`], [`Error::UnknownGlobal`], [`Error::Limit`],
/// [`Error::Unsupported`].
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Value, Error> {
    read_prefix(bytes, limits).map(|(value, _)| value)
}

/// Reads a pickle file within [`Limits::default`].
///
/// # Errors
/// [`Error::Io`], or [`Error::File`] with the file's path and an error of [`read`].
pub fn read_file(path: &Path) -> Result<Value, Error> {
    let limits = Limits::default();
    let io = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    limits.check_input(length).map_err(|e| e.in_file(path))?;
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(limits.input).read_to_end(&mut bytes).map_err(io)?;
    read(&bytes, &limits).map_err(|e| e.in_file(path))
}

/// Reads the pickle at the start of `bytes`. Also returns its length in bytes.
pub(crate) fn read_prefix(bytes: &[u8], limits: &Limits) -> Result<(Value, usize), Error> {
    limits.check_input(bytes.len() as u64)?;
    let budget = Budget::new(limits, bytes.len() as u64);
    let mut machine = Machine::new(bytes, budget.clone(), false);
    let top = machine.run()?;
    let value = Finisher::new(&machine.nodes, budget, None).value(top, 0)?;
    Ok((value, machine.at))
}
