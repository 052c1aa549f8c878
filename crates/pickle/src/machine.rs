//! The pickle stack machine. It only builds nodes and never calls a named object.

use std::collections::HashMap;

use crate::limits::Budget;
use crate::node::{Global, Id, Node};
use crate::opcode as op;
use crate::value::DictKind;
use crate::Error;

/// State of the machine for one pickle.
pub(crate) struct Machine<'a> {
    pub(crate) input: &'a [u8],
    pub(crate) at: usize,
    pub(crate) nodes: Vec<Node<'a>>,
    pub(crate) budget: Budget,
    /// Whether persistent identifiers (torch storages) are allowed.
    persistent: bool,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(input: &'a [u8], budget: Budget, persistent: bool) -> Self {
        Self {
            input,
            at: 0,
            nodes: Vec::new(),
            budget,
            persistent,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
        }
    }

    /// Runs to the STOP instruction and returns the value at the top of the stack. Afterwards `at` is after
    /// STOP.
    pub(crate) fn run(&mut self) -> Result<Id, Error> {
        loop {
            let opcode = self.take(1)?[0];
            if opcode == op::STOP {
                return self.pop();
            }
            self.step(opcode)?;
        }
    }

    fn step(&mut self, opcode: u8) -> Result<(), Error> {
        match opcode {
            op::PROTO => {
                let version = self.take(1)?[0];
                if version > 5 {
                    return Err(self.malformed(format!("pickle protocol is {version}; expected 0 to 5")));
                }
            }
            op::FRAME => {
                let length = self.u64()?;
                if length > (self.input.len() - self.at) as u64 {
                    return Err(self.truncated(length));
                }
            }
            op::MARK => self.marks.push(self.stack.len()),
            op::POP => {
                // Python's POP also drops a mark at the top.
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop()?;
                }
            }
            op::POP_MARK => drop(self.pop_mark()?),
            op::DUP => {
                let top = self.top()?;
                self.stack.push(top);
            }
            op::EMPTY_LIST => self.push(Node::List(Vec::new()))?,
            op::EMPTY_TUPLE => self.push(Node::Tuple(Vec::new()))?,
            op::EMPTY_DICT => self.push(Node::Dict(DictKind::Plain, Vec::new()))?,
            op::EMPTY_SET => self.push(Node::Set(Vec::new()))?,
            op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => {
                let items = self.pop_many(usize::from(opcode - op::TUPLE1) + 1)?;
                self.push(Node::Tuple(items))?;
            }
            op::TUPLE => {
                let items = self.pop_mark()?;
                self.push(Node::Tuple(items))?;
            }
            op::LIST => {
                let items = self.pop_mark()?;
                self.push(Node::List(items))?;
            }
            op::FROZENSET => {
                let items = self.pop_mark()?;
                self.push(Node::FrozenSet(items))?;
            }
            op::DICT => {
                let items = self.pop_mark()?;
                let pairs = self.pairs(&items)?;
                self.push(Node::Dict(DictKind::Plain, pairs))?;
            }
            op::APPEND => {
                let item = self.pop()?;
                self.extend(&[item])?;
            }
            op::APPENDS | op::ADDITEMS => {
                let items = self.pop_mark()?;
                self.extend(&items)?;
            }
            op::SETITEM => {
                let items = self.pop_many(2)?;
                self.set_items(&items)?;
            }
            op::SETITEMS => {
                let items = self.pop_mark()?;
                self.set_items(&items)?;
            }
            op::GLOBAL => {
                let (module, name) = (self.line_text()?, self.line_text()?);
                self.push_global(module, name)?;
            }
            op::STACK_GLOBAL => {
                let names = self.pop_many(2)?;
                let text = |id: Id| match &self.nodes[id as usize] {
                    Node::Str(s) => Some(s.to_string()),
                    _ => None,
                };
                match (text(names[0]), text(names[1])) {
                    (Some(module), Some(name)) => self.push_global(&module, &name)?,
                    _ => return Err(self.malformed("the name of a global is not a string")),
                }
            }
            op::INST => {
                let (module, name) = (self.line_text()?, self.line_text()?);
                let arguments = self.pop_mark()?;
                self.push_global(module, name)?;
                let callee = self.pop()?;
                self.call(callee, &arguments)?;
            }
            op::OBJ => {
                let items = self.pop_mark()?;
                let (callee, arguments) = items
                    .split_first()
                    .ok_or_else(|| self.malformed("object without a class"))?;
                self.call(*callee, arguments)?;
            }
            op::REDUCE | op::NEWOBJ => {
                let items = self.pop_many(2)?;
                let arguments = self.tuple(items[1])?.to_vec();
                self.budget.nodes(arguments.len())?;
                self.call(items[0], &arguments)?;
            }
            op::NEWOBJ_EX => {
                let items = self.pop_many(3)?;
                if !matches!(&self.nodes[items[2] as usize], Node::Dict(_, pairs) if pairs.is_empty()) {
                    return Err(self.malformed("keyword arguments are not supported"));
                }
                let arguments = self.tuple(items[1])?.to_vec();
                self.budget.nodes(arguments.len())?;
                self.call(items[0], &arguments)?;
            }
            op::BUILD => {
                let state = self.pop()?;
                let target = self.top()?;
                self.build(target, state)?;
            }
            op::BINPERSID if self.persistent => {
                let id = self.pop()?;
                self.persistent_storage(id)?;
            }
            op::PERSID | op::BINPERSID => {
                return Err(self.malformed("a persistent reference; only torch checkpoints may contain one"));
            }
            op::GET => {
                let key = self
                    .line_text()?
                    .parse()
                    .map_err(|_| self.malformed("invalid memo key"))?;
                self.recall(key)?;
            }
            op::BINGET | op::LONG_BINGET => {
                let key = self.length(if opcode == op::BINGET { 1 } else { 4 })?;
                self.recall(key)?;
            }
            op::PUT => {
                let key = self
                    .line_text()?
                    .parse()
                    .map_err(|_| self.malformed("invalid memo key"))?;
                self.remember(key)?;
            }
            op::BINPUT | op::LONG_BINPUT => {
                let key = self.length(if opcode == op::BINPUT { 1 } else { 4 })?;
                self.remember(key)?;
            }
            op::MEMOIZE => self.remember(self.memo.len() as u64)?,
            _ => self.literal(opcode)?,
        }
        Ok(())
    }

    pub(crate) fn malformed(&self, what: impl Into<String>) -> Error {
        Error::malformed(self.at, what)
    }

    pub(crate) fn push(&mut self, node: Node<'a>) -> Result<(), Error> {
        self.budget.nodes(1)?;
        let id = Id::try_from(self.nodes.len()).map_err(|_| self.malformed("too many values"))?;
        self.nodes.push(node);
        self.stack.push(id);
        Ok(())
    }

    fn push_global(&mut self, module: &str, name: &str) -> Result<(), Error> {
        let global = Global::find(module, name).ok_or_else(|| Error::UnknownGlobal {
            offset: self.at,
            module: module.to_owned(),
            name: name.to_owned(),
        })?;
        self.push(Node::Global(global))
    }

    /// Only values above the last mark may be popped.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<Id, Error> {
        let above = &self.stack[self.floor().min(self.stack.len())..];
        above
            .last()
            .copied()
            .ok_or_else(|| self.malformed("the stack is empty"))
    }

    fn pop(&mut self) -> Result<Id, Error> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Id>, Error> {
        match self.stack.len().checked_sub(count) {
            Some(start) if start >= self.floor() => Ok(self.stack.split_off(start)),
            _ => Err(self.malformed("the stack is empty")),
        }
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>, Error> {
        let mark = self
            .marks
            .pop()
            .ok_or_else(|| self.malformed("no mark on the stack"))?;
        Ok(self.stack.split_off(mark))
    }

    fn recall(&mut self, key: u64) -> Result<(), Error> {
        let id = self
            .memo
            .get(&key)
            .ok_or_else(|| self.malformed(format!("memo {key} was never set")))?;
        self.stack.push(*id);
        Ok(())
    }

    fn remember(&mut self, key: u64) -> Result<(), Error> {
        self.budget.nodes(1)?;
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    pub(crate) fn tuple(&self, id: Id) -> Result<&[Id], Error> {
        match &self.nodes[id as usize] {
            Node::Tuple(items) => Ok(items),
            _ => Err(self.malformed("arguments are not a tuple")),
        }
    }

    pub(crate) fn pairs(&self, items: &[Id]) -> Result<Vec<(Id, Id)>, Error> {
        if !items.len().is_multiple_of(2) {
            return Err(self.malformed("a key without a value"));
        }
        Ok(items.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
    }

    fn extend(&mut self, items: &[Id]) -> Result<(), Error> {
        let target = self.top()?;
        match &mut self.nodes[target as usize] {
            Node::List(list) | Node::Set(list) => list.extend_from_slice(items),
            _ => return Err(self.malformed("items added to an object that is neither a list nor a set")),
        }
        Ok(())
    }

    fn set_items(&mut self, items: &[Id]) -> Result<(), Error> {
        let pairs = self.pairs(items)?;
        let target = self.top()?;
        match &mut self.nodes[target as usize] {
            Node::Dict(_, entries) => entries.extend(pairs),
            _ => return Err(self.malformed("keys set on an object that is not a dictionary")),
        }
        Ok(())
    }
}
