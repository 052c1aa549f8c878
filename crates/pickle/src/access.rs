//! Typed access to a [`Value`], with errors that name the key.

use crate::{Dict, Error, Value};

impl Value {
    /// Returns the dictionary, or `None` for other values.
    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Self::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// Returns the value of a string key, if this is a dictionary with that key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_dict()?.get(key)
    }

    /// Returns the items of a list, tuple or set.
    pub fn as_items(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) | Self::Tuple(items) | Self::Set(items) | Self::FrozenSet(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a `bool`, a numpy boolean, or the integers 0 and 1 as a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            other => match other.as_i64()? {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            },
        }
    }

    /// Returns an integer, numpy integer or boolean. Whole floats are accepted, because Python code mixes
    /// both.
    pub fn as_i64(&self) -> Option<i64> {
        let whole = |f: f64| (f.fract() == 0.0 && f.abs() < 9e15).then_some(f as i64);
        match self {
            Self::Int(i) => Some(*i),
            Self::Bool(b) => Some(i64::from(*b)),
            Self::Float(f) => whole(*f),
            Self::Scalar(a) => a
                .to_i64()
                .map_or_else(|| whole(*a.to_f64()?.first()?), |v| v.first().copied()),
            _ => None,
        }
    }

    /// Returns any real number as float64.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(f) => Some(*f),
            Self::Int(i) => Some(*i as f64),
            Self::Bool(b) => Some(f64::from(u8::from(*b))),
            Self::Scalar(a) => a.to_f64()?.first().copied(),
            Self::BigInt(bytes) => {
                let top = bytes.last().copied().unwrap_or(0) as i8;
                let low = bytes.iter().rev().skip(1);
                Some(low.fold(f64::from(top), |sum, &b| sum * 256.0 + f64::from(b)))
            }
            _ => None,
        }
    }

    /// Returns the numbers of a list, tuple or array.
    pub fn to_f64s(&self) -> Option<Vec<f64>> {
        match self {
            Self::Array(a) => a.to_f64(),
            Self::ObjectArray(_, items) => items.iter().map(Self::as_f64).collect(),
            other => other.as_items()?.iter().map(Self::as_f64).collect(),
        }
    }

    /// Returns the integers of a list, tuple or array. Whole floats are accepted.
    pub fn to_i64s(&self) -> Option<Vec<i64>> {
        match self {
            Self::Array(a) => match a.to_i64() {
                Some(integers) => Some(integers),
                None => a.to_f64()?.into_iter().map(|f| Self::Float(f).as_i64()).collect(),
            },
            Self::ObjectArray(_, items) => items.iter().map(Self::as_i64).collect(),
            other => other.as_items()?.iter().map(Self::as_i64).collect(),
        }
    }

    /// Returns the strings of a list, tuple or string array.
    pub fn to_strings(&self) -> Option<Vec<String>> {
        match self {
            Self::Array(a) => a.to_strings(),
            Self::ObjectArray(_, items) => items.iter().map(|v| v.as_str().map(str::to_owned)).collect(),
            other => other
                .as_items()?
                .iter()
                .map(|v| v.as_str().map(str::to_owned))
                .collect(),
        }
    }

    /// Returns the result of `read` for this value. If that is `None`, returns an error with `key` and
    /// `expected`.
    pub fn expect_as<'a, T>(
        &'a self,
        key: &str,
        expected: &'static str,
        read: impl FnOnce(&'a Self) -> Option<T>,
    ) -> Result<T, Error> {
        read(self).ok_or_else(|| Error::Type {
            key: key.to_owned(),
            expected,
            found: self.type_name(),
        })
    }
}

impl Dict {
    /// Returns the value of a required key.
    pub fn require(&self, key: &str) -> Result<&Value, Error> {
        self.get(key)
            .ok_or_else(|| Error::MissingKey { key: key.to_owned() })
    }

    /// Returns the result of `read` for the value of a required key.
    pub fn require_as<'a, T>(
        &'a self,
        key: &str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<T, Error> {
        self.require(key)?.expect_as(key, expected, read)
    }
}
