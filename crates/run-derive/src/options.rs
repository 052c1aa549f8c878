//! `#[options]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Error, Expr, Fields, Ident, ItemStruct, Meta, Path, PathArguments, Result, Type};

/// A field of an option struct.
struct Option_ {
    ident: Ident,
    ty: Type,
    /// The default value; `None` for a required option.
    default: Option<TokenStream>,
}

/// Adds derives, serde attributes, and a constructor with the required options.
pub(crate) fn expand(attributes: &TokenStream, mut item: ItemStruct) -> Result<TokenStream> {
    if !attributes.is_empty() {
        return Err(Error::new_spanned(attributes, "#[options] takes no arguments"));
    }
    let Fields::Named(fields) = &mut item.fields else {
        return Err(Error::new_spanned(&item, "#[options] needs named fields"));
    };
    let name = item.ident.clone();
    let mut functions = Vec::new();
    let mut options = Vec::new();
    for field in &mut fields.named {
        let Some(ident) = field.ident.clone() else {
            continue;
        };
        let default = take_default(&mut field.attrs, &field.ty)?;
        let flat = has_serde(&field.attrs, "flatten")?;
        if let (Some(value), false) = (&default, flat) {
            let function = format_ident!("default_{}", ident);
            let ty = &field.ty;
            functions.push(quote! {
                fn #function() -> #ty { #value }
            });
            let path = format!("{name}::{function}");
            field.attrs.push(syn::parse_quote!(#[serde(default = #path)]));
        }
        options.push(Option_ {
            ident,
            ty: field.ty.clone(),
            default,
        });
    }
    let required: Vec<_> = options.iter().filter(|o| o.default.is_none()).collect();
    let parameters = required
        .iter()
        .map(|Option_ { ident, ty, .. }| quote!(#ident: impl Into<#ty>));
    let values = options
        .iter()
        .map(|Option_ { ident, default, .. }| match default {
            None => quote!(#ident: #ident.into()),
            Some(value) => quote!(#ident: #value),
        });
    let default_impl = required.is_empty().then(|| {
        quote! {
            impl Default for #name {
                fn default() -> Self { Self::new() }
            }
        }
    });
    Ok(quote! {
        #[derive(Clone, Debug, PartialEq, ::serde::Serialize, ::serde::Deserialize, ::schemars::JsonSchema)]
        #[serde(rename_all = "camelCase")]
        #item

        impl #name {
            /// Makes options from the required ones; all others have their defaults.
            #[must_use]
            pub fn new(#(#parameters),*) -> Self {
                Self { #(#values),* }
            }

            #(#functions)*
        }

        #default_impl
    })
}

/// Removes `#[default]` or `#[default(value)]` and returns its value. An `Option` without it defaults to
/// `None`.
fn take_default(attributes: &mut Vec<Attribute>, ty: &Type) -> Result<Option<TokenStream>> {
    let at = attributes.iter().position(|a| a.path().is_ident("default"));
    let Some(at) = at else {
        return Ok(is_option(ty).then(|| quote!(None)));
    };
    let attribute = attributes.remove(at);
    Ok(Some(match attribute.meta {
        Meta::Path(_) => quote!(::core::default::Default::default()),
        _ => {
            let value: Expr = attribute.parse_args()?;
            quote!(#value)
        }
    }))
}

fn has_serde(attributes: &[Attribute], word: &str) -> Result<bool> {
    let mut found = false;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("serde")) {
        attribute.parse_nested_meta(|meta| {
            found |= meta.path.is_ident(word);
            if meta.input.peek(syn::Token![=]) {
                meta.value()?.parse::<Expr>()?;
            }
            Ok(())
        })?;
    }
    Ok(found)
}

fn is_option(ty: &Type) -> bool {
    let last = |path: &Path| path.segments.last().cloned();
    match ty {
        Type::Path(path) => last(&path.path)
            .is_some_and(|s| s.ident == "Option" && matches!(s.arguments, PathArguments::AngleBracketed(_))),
        _ => false,
    }
}
