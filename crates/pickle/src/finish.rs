//! Conversion of the machine's nodes to a tree of values.

use std::collections::HashMap;

use crate::array::byte_count;
use crate::gather::gather;
use crate::limits::Budget;
use crate::node::{ArrayNode, DTypeNode, Global, Id, Node, TensorNode};
use crate::storages::Storages;
use crate::tensor::Tensor;
use crate::value::Dict;
use crate::{Error, NdArray, Value};

/// Builds values from nodes within a budget. Each reference becomes a copy.
pub(crate) struct Finisher<'n, 'a, 's> {
    nodes: &'n [Node<'a>],
    budget: Budget,
    storages: Option<&'s mut dyn Storages>,
}

impl<'n, 'a, 's> Finisher<'n, 'a, 's> {
    pub(crate) fn new(nodes: &'n [Node<'a>], budget: Budget, storages: Option<&'s mut dyn Storages>) -> Self {
        Self {
            nodes,
            budget,
            storages,
        }
    }

    /// Returns the value of a node at nesting depth `depth`.
    pub(crate) fn value(&mut self, id: Id, depth: usize) -> Result<Value, Error> {
        // Also stops at self-references, which pickles allow and trees cannot hold.
        if depth > self.budget.depth() {
            return Err(Error::Limit {
                what: "nested containers",
                limit: self.budget.depth() as u64,
            });
        }
        self.budget.nodes(1)?;
        let nodes = self.nodes;
        Ok(match &nodes[id as usize] {
            Node::None => Value::None,
            Node::Bool(b) => Value::Bool(*b),
            Node::Int(i) => Value::Int(*i),
            Node::BigInt(bytes) => Value::BigInt(self.copy(bytes)?),
            Node::Float(f) => Value::Float(*f),
            Node::Str(text) => {
                self.budget.bytes(text.len() as u64)?;
                Value::Str(text.to_string())
            }
            Node::Raw(bytes) => match String::from_utf8(self.copy(bytes)?) {
                Ok(text) => Value::Str(text),
                Err(e) => Value::Bytes(e.into_bytes()),
            },
            Node::Bytes(bytes) => Value::Bytes(self.copy(bytes)?),
            Node::ByteArray(bytes) => Value::ByteArray(self.copy(bytes)?),
            Node::List(items) => Value::List(self.values(items, depth)?),
            Node::Tuple(items) => Value::Tuple(self.values(items, depth)?),
            Node::Set(items) => Value::Set(self.values(items, depth)?),
            Node::FrozenSet(items) => Value::FrozenSet(self.values(items, depth)?),
            Node::Dict(kind, entries) => {
                Value::Dict(Dict::from_unique(kind.clone(), self.entries(entries, depth)?))
            }
            Node::DType(dtype) => Value::Str(dtype.code.clone()),
            Node::Array(array) => self.array(array, depth)?,
            Node::Scalar(dtype, data) => match dtype.is_object() {
                true => self.value(*data, depth + 1)?,
                false => Value::Scalar(self.numbers(dtype, &[], false, *data)?),
            },
            Node::Tensor(tensor) => Value::Tensor(self.tensor(tensor)?),
            Node::Global(Global::Name(name)) => Value::Str((*name).to_owned()),
            Node::Global(_) | Node::EmptyArray | Node::Storage(_) => {
                return Err(Error::malformed(
                    0,
                    "expected a value, found a class, an unfinished array or a bare storage",
                ));
            }
        })
    }

    fn copy(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        self.budget.bytes(bytes.len() as u64)?;
        Ok(bytes.to_vec())
    }

    fn values(&mut self, items: &[Id], depth: usize) -> Result<Vec<Value>, Error> {
        items.iter().map(|&id| self.value(id, depth + 1)).collect()
    }

    /// Returns entries with unique keys. As in Python, a later value replaces an earlier one at its position.
    fn entries(&mut self, entries: &[(Id, Id)], depth: usize) -> Result<Vec<(Value, Value)>, Error> {
        let mut out: Vec<(Value, Value)> = Vec::new();
        let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
        for &(key, value) in entries {
            let key = self.value(key, depth + 1)?;
            let value = self.value(value, depth + 1)?;
            let mut identity = Vec::new();
            if !key_bytes(&key, &mut identity) {
                return Err(Error::malformed(
                    0,
                    format!("a {} is the key of a dictionary", key.type_name()),
                ));
            }
            match places.get(&identity) {
                Some(&at) => out[at].1 = value,
                None => {
                    places.insert(identity, out.len());
                    out.push((key, value));
                }
            }
        }
        Ok(out)
    }

    fn array(&mut self, array: &ArrayNode, depth: usize) -> Result<Value, Error> {
        if !array.dtype.is_object() {
            return Ok(Value::Array(self.numbers(
                &array.dtype,
                &array.shape,
                array.fortran,
                array.data,
            )?));
        }
        let nodes = self.nodes;
        match &nodes[array.data as usize] {
            Node::List(items) if byte_count(&array.shape, 1) == Some(items.len()) && !array.fortran => Ok(
                Value::ObjectArray(array.shape.clone(), self.values(items, depth)?),
            ),
            _ => Err(Error::malformed(
                0,
                format!("object array of shape {:?} without its items", array.shape),
            )),
        }
    }

    fn numbers(
        &mut self,
        dtype: &DTypeNode,
        shape: &[usize],
        fortran: bool,
        data: Id,
    ) -> Result<NdArray, Error> {
        let kind = dtype.resolve()?;
        let nodes = self.nodes;
        let bytes = match &nodes[data as usize] {
            Node::Bytes(b) | Node::ByteArray(b) | Node::Raw(b) => self.copy(b)?,
            Node::Str(text) => {
                // Pickles of Python 2, read by tools that decode them, hold the bytes as Latin-1 text.
                let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
                let bytes = bytes.ok_or_else(|| {
                    Error::malformed(0, "array data is text with characters outside Latin-1")
                })?;
                self.budget.bytes(bytes.len() as u64)?;
                bytes
            }
            _ => return Err(Error::malformed(0, "array data is not bytes")),
        };
        let mut array = NdArray::new(kind, shape.to_vec(), bytes)?;
        if fortran && shape.len() > 1 {
            self.budget.bytes(array.data().len() as u64)?;
            array = from_fortran(&array)?;
        }
        if dtype.big_endian && kind.swap_unit() > 1 {
            let mut bytes = array.data().to_vec();
            bytes.chunks_exact_mut(kind.swap_unit()).for_each(<[u8]>::reverse);
            array = NdArray::new(kind, shape.to_vec(), bytes)?;
        }
        Ok(array)
    }

    fn tensor(&mut self, tensor: &TensorNode) -> Result<Tensor, Error> {
        let storages = self
            .storages
            .as_mut()
            .ok_or_else(|| Error::malformed(0, "tensor outside a checkpoint"))?;
        let data = storages.load(&tensor.storage, &mut self.budget)?;
        gather(tensor, &data, &mut self.budget)
    }
}

/// Writes bytes that are equal for equal keys. Returns false for values that Python cannot hash.
fn key_bytes(key: &Value, out: &mut Vec<u8>) -> bool {
    let mut tagged = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend((bytes.len() as u64).to_le_bytes());
        out.extend_from_slice(bytes);
        true
    };
    match key {
        Value::None => tagged(0, &[]),
        Value::Bool(b) => tagged(1, &[u8::from(*b)]),
        Value::Int(i) => tagged(2, &i.to_le_bytes()),
        Value::BigInt(bytes) => tagged(3, bytes),
        Value::Float(f) => tagged(4, &f.to_le_bytes()),
        Value::Str(text) => tagged(5, text.as_bytes()),
        Value::Bytes(bytes) => tagged(6, bytes),
        Value::Scalar(a) => tagged(7, a.dtype().code().as_bytes()) && tagged(7, a.data()),
        Value::Tuple(items) | Value::FrozenSet(items) => {
            tagged(8, &(items.len() as u64).to_le_bytes()) && items.iter().all(|item| key_bytes(item, out))
        }
        _ => false,
    }
}

/// Reorders an array from Fortran order to C order.
fn from_fortran(array: &NdArray) -> Result<NdArray, Error> {
    let (shape, size) = (array.shape().to_vec(), array.dtype().item_size());
    let mut strides = Vec::with_capacity(shape.len());
    let mut step = size;
    for &length in &shape {
        strides.push(step);
        step *= length.max(1);
    }
    let mut out = Vec::with_capacity(array.data().len());
    let mut index = vec![0usize; shape.len()];
    for _ in 0..array.len() {
        let at: usize = index.iter().zip(&strides).map(|(i, s)| i * s).sum();
        out.extend_from_slice(&array.data()[at..at + size]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    NdArray::new(array.dtype(), shape, out)
}
