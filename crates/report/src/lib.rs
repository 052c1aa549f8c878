//! Reports: a model, a task or predictions as one HTML file.

pub mod data;
