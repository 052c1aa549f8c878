//! Defines a fuzz target by the name of its reader.

pub use {hostile, libfuzzer_sys};

/// Defines the fuzz target of the reader of this name.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        $crate::libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
            let reader = $crate::hostile::find($name).expect("a target has the name of a reader");
            (reader.read)(bytes);
        });
    };
}
