//! `#[derive(Coded)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    parenthesized, Attribute, Data, DeriveInput, Error, Expr, Field, Fields, Ident, LitStr, MetaNameValue,
    Result, Token,
};

/// The `#[code(…)]` attribute of a variant or struct.
enum Code {
    /// A variant of `run::Code`.
    Named(Ident),
    /// The variant for I/O errors without a code of their own.
    Io(Ident),
    /// Code and details of the inner error.
    Transparent,
}

/// The form of a field in the details.
enum Detail {
    Json(String),
    Text(String),
    Flat,
    Hidden,
}

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    let mut codes = Vec::new();
    let mut details = Vec::new();
    match &input.data {
        Data::Enum(data) => {
            for variant in &data.variants {
                let ident = &variant.ident;
                let path = quote!(Self::#ident);
                let (code, detail_arm) = arms(&path, &variant.attrs, &variant.fields, variant.span())?;
                codes.push(code);
                details.push(detail_arm);
            }
        }
        Data::Struct(data) => {
            let (code, detail_arm) = arms(&quote!(Self), &input.attrs, &data.fields, name.span())?;
            codes.push(code);
            details.push(detail_arm);
        }
        Data::Union(_) => return Err(Error::new(name.span(), "an error is an enum or a struct")),
    }
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::run::Coded for #name #arguments #bounds {
            fn code(&self) -> &'static str {
                match self { #(#codes)* }
            }

            fn details(&self) -> ::run::derive::Value {
                match self { #(#details)* }
            }
        }
    })
}

/// The match arms of one variant: its code, and its details.
fn arms(
    path: &TokenStream,
    attributes: &[Attribute],
    fields: &Fields,
    span: proc_macro2::Span,
) -> Result<(TokenStream, TokenStream)> {
    let constants = constants_of(attributes)?;
    match code_of(attributes, span)? {
        Code::Named(code) => {
            let (pattern, details) = details(fields, None, &constants)?;
            Ok((
                quote!(#path { .. } => ::run::Code::#code.as_str(),),
                quote!(#path #pattern => { #details ::run::derive::into_json(details) }),
            ))
        }
        Code::Io(code) => {
            let (pattern, details) = details(fields, None, &constants)?;
            Ok((
                quote!(#path { source, .. } => ::run::Code::of_io(source, ::run::Code::#code).as_str(),),
                quote!(#path #pattern => { #details ::run::derive::into_json(details) }),
            ))
        }
        Code::Transparent => {
            let (member, source) = source_of(fields, span)?;
            let (pattern, details) = details(fields, Some(&member), &constants)?;
            let inner = match source {
                None => quote!({ 0: inner, .. }),
                Some(ident) => quote!({ #ident: inner, .. }),
            };
            Ok((
                quote!(#path #inner => { use ::run::Coded as _; inner.code() }),
                quote! { #path #pattern => {
                    #details
                    ::run::derive::extend(&mut details, { use ::run::Coded as _; inner.details() });
                    ::run::derive::into_json(details)
                } },
            ))
        }
    }
}

fn code_of(attributes: &[Attribute], span: proc_macro2::Span) -> Result<Code> {
    let Some(attribute) = attributes.iter().find(|a| a.path().is_ident("code")) else {
        return Err(Error::new(
            span,
            "expected #[code(Variant of run::Code)], #[code(io(Variant))] or #[code(transparent)]",
        ));
    };
    attribute.parse_args_with(|input: ParseStream| {
        let ident: Ident = input.parse()?;
        if ident == "io" {
            let inner;
            parenthesized!(inner in input);
            return Ok(Code::Io(inner.parse()?));
        }
        Ok(if ident == "transparent" {
            Code::Transparent
        } else {
            Code::Named(ident)
        })
    })
}

/// Details of every error of a variant: `#[detail(expected = [0, 1, 3])]` on the variant.
fn constants_of(attributes: &[Attribute]) -> Result<Vec<(String, Expr)>> {
    let mut constants = Vec::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("detail")) {
        let all = attribute.parse_args_with(Punctuated::<MetaNameValue, Token![,]>::parse_terminated)?;
        for fact in all {
            constants.push((camel(&fact.path.require_ident()?.to_string()), fact.value));
        }
    }
    Ok(constants)
}

/// The field that holds the inner error: the only one of a tuple, or the one named `source`.
fn source_of(fields: &Fields, span: proc_macro2::Span) -> Result<(String, Option<Ident>)> {
    match fields {
        Fields::Unnamed(unnamed) if unnamed.unnamed.len() == 1 => Ok(("0".to_owned(), None)),
        Fields::Named(_)
            if fields
                .iter()
                .any(|f| f.ident.as_ref().is_some_and(|i| i == "source")) =>
        {
            Ok(("source".to_owned(), Some(format_ident!("source"))))
        }
        _ => Err(Error::new(
            span,
            "a transparent error has one unnamed field, or one named `source`",
        )),
    }
}

/// The pattern that binds the fields, and the statements that add them to `details`.
fn details(
    fields: &Fields,
    inner: Option<&str>,
    constants: &[(String, Expr)],
) -> Result<(TokenStream, TokenStream)> {
    let mut bound = Vec::new();
    let mut statements: Vec<_> = constants
        .iter()
        .map(|(key, value)| quote!(::run::derive::insert(&mut details, #key, &#value);))
        .collect();
    if let Fields::Named(named) = fields {
        for field in &named.named {
            let Some(ident) = &field.ident else { continue };
            if inner == Some(ident.to_string().as_str()) {
                bound.push(quote!(#ident: inner));
                continue;
            }
            match detail_of(field, ident)? {
                Detail::Json(key) => {
                    bound.push(quote!(#ident));
                    statements.push(quote!(::run::derive::insert(&mut details, #key, #ident);));
                }
                Detail::Text(key) => {
                    bound.push(quote!(#ident));
                    statements.push(quote!(::run::derive::insert(&mut details, #key, &#ident.to_string());));
                }
                Detail::Flat => {
                    bound.push(quote!(#ident));
                    statements
                        .push(quote!(::run::derive::extend(&mut details, ::run::derive::json(#ident));));
                }
                Detail::Hidden => {}
            }
        }
    } else if inner.is_some() {
        bound.push(quote!(0: inner));
    }
    let mutability = (!statements.is_empty() || inner.is_some()).then(|| quote!(mut));
    Ok((
        quote!({ #(#bound,)* .. }),
        quote!(let #mutability details = ::run::derive::Details::new(); #(#statements)*),
    ))
}

/// A field becomes JSON under its camelCase name; `source` becomes text under `reason`. `#[detail(…)]`
/// changes this: `skip`, `text`, `flatten`, or a name.
fn detail_of(field: &Field, ident: &Ident) -> Result<Detail> {
    let name = camel(&ident.to_string());
    let Some(attribute) = field.attrs.iter().find(|a| a.path().is_ident("detail")) else {
        return Ok(if ident == "source" {
            Detail::Text("reason".to_owned())
        } else {
            Detail::Json(name)
        });
    };
    let mut detail = Detail::Json(name.clone());
    attribute.parse_nested_meta(|meta| {
        if meta.path.is_ident("skip") {
            detail = Detail::Hidden;
        } else if meta.path.is_ident("flatten") {
            detail = Detail::Flat;
        } else if meta.path.is_ident("text") {
            detail = Detail::Text(name.clone());
        } else if meta.path.is_ident("name") {
            let name: LitStr = meta.value()?.parse()?;
            detail = match detail {
                Detail::Text(_) => Detail::Text(name.value()),
                _ => Detail::Json(name.value()),
            };
        } else {
            return Err(meta.error("expected skip, text, flatten or name = \"…\""));
        }
        Ok(())
    })?;
    Ok(detail)
}

/// `first_case` → `firstCase`.
fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        name + &head.to_uppercase() + tail
    })
}
