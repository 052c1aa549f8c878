//! N-API addon `core`: all functions that do not need libtorch.
#![allow(
    missing_docs,
    reason = "a private binding: the TypeScript facade owns names and documentation"
)]

mod curves;
mod distance;
mod elf;
mod libraries;
mod preview;
mod process;
mod report;
mod scores;
mod verbs;
mod volumes;
