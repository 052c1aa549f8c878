//! The macros of `run`, which re-exports and documents them.

mod coded;
mod options;

use proc_macro::TokenStream;
use syn::{parse_macro_input, DeriveInput, ItemStruct};

/// Implements `run::Coded`: see `run::Coded`.
#[proc_macro_derive(Coded, attributes(code, detail))]
pub fn derive_coded(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    coded::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Declares the options of a verb: see `run::Options`.
#[proc_macro_attribute]
pub fn options(attributes: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemStruct);
    options::expand(&attributes.into(), item)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
