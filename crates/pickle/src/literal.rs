//! Instructions that contain a value, and their decoding.

use std::borrow::Cow;

use crate::machine::Machine;
use crate::node::Node;
use crate::opcode as op;
use crate::text::{self, Number};
use crate::Error;

impl<'a> Machine<'a> {
    /// Pushes the value after a literal's instruction.
    pub(crate) fn literal(&mut self, opcode: u8) -> Result<(), Error> {
        match opcode {
            op::NONE => self.push(Node::None)?,
            op::NEWTRUE => self.push(Node::Bool(true))?,
            op::NEWFALSE => self.push(Node::Bool(false))?,
            op::INT | op::LONG => self.decimal(opcode)?,
            op::BININT => {
                let value = i32::from_le_bytes(self.array()?);
                self.push(Node::Int(i64::from(value)))?;
            }
            op::BININT1 | op::BININT2 => {
                let value = self.length(if opcode == op::BININT1 { 1 } else { 2 })?;
                self.push(Node::Int(value as i64))?;
            }
            op::LONG1 | op::LONG4 => {
                let bytes = self.counted(if opcode == op::LONG1 { 1 } else { 4 })?;
                self.budget.bytes(bytes.len() as u64)?;
                self.push_number(text::long(bytes))?;
            }
            op::FLOAT => {
                let value = self
                    .line_text()?
                    .parse()
                    .map_err(|_| self.malformed("expected a number"))?;
                self.push(Node::Float(value))?;
            }
            op::BINFLOAT => {
                let value = f64::from_be_bytes(self.array()?);
                self.push(Node::Float(value))?;
            }
            op::STRING => {
                let line = self.line()?;
                let bytes = text::quoted(line).ok_or_else(|| self.malformed("invalid quoted string"))?;
                self.push(Node::Raw(Cow::Owned(bytes)))?;
            }
            op::BINSTRING | op::SHORT_BINSTRING => {
                let bytes = self.counted(if opcode == op::BINSTRING { 4 } else { 1 })?;
                self.push(Node::Raw(Cow::Borrowed(bytes)))?;
            }
            op::UNICODE => {
                let line = self.line()?;
                let text = text::raw_unicode(line).ok_or_else(|| self.malformed("invalid unicode escape"))?;
                self.push(Node::Str(Cow::Owned(text)))?;
            }
            op::SHORT_BINUNICODE | op::BINUNICODE | op::BINUNICODE8 => {
                let width = [(op::SHORT_BINUNICODE, 1), (op::BINUNICODE, 4)]
                    .iter()
                    .find(|w| w.0 == opcode);
                let bytes = self.counted(width.map_or(8, |w| w.1))?;
                let text = std::str::from_utf8(bytes).map_err(|_| self.malformed("string is not UTF-8"))?;
                self.push(Node::Str(Cow::Borrowed(text)))?;
            }
            op::SHORT_BINBYTES | op::BINBYTES | op::BINBYTES8 => {
                let width = [(op::SHORT_BINBYTES, 1), (op::BINBYTES, 4)]
                    .iter()
                    .find(|w| w.0 == opcode);
                let bytes = self.counted(width.map_or(8, |w| w.1))?;
                self.push(Node::Bytes(Cow::Borrowed(bytes)))?;
            }
            op::BYTEARRAY8 => {
                let bytes = self.counted(8)?;
                self.push(Node::ByteArray(Cow::Borrowed(bytes)))?;
            }
            // The extension registry and out-of-band buffers require a Python process.
            _ => {
                return Err(Error::Opcode {
                    offset: self.at.saturating_sub(1),
                    opcode,
                })
            }
        }
        Ok(())
    }

    pub(crate) fn truncated(&self, needed: u64) -> Error {
        Error::Truncated {
            offset: self.at,
            expected: needed,
            found: self.input.len() - self.at,
        }
    }

    pub(crate) fn take(&mut self, count: u64) -> Result<&'a [u8], Error> {
        let end = usize::try_from(count).ok().and_then(|n| self.at.checked_add(n));
        let bytes = end
            .and_then(|end| self.input.get(self.at..end))
            .ok_or_else(|| self.truncated(count))?;
        self.at += bytes.len();
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N as u64)?);
        Ok(out)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Reads an unsigned number of 1, 2, 4 or 8 bytes.
    pub(crate) fn length(&mut self, width: u64) -> Result<u64, Error> {
        Ok(self
            .take(width)?
            .iter()
            .rev()
            .fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    fn counted(&mut self, width: u64) -> Result<&'a [u8], Error> {
        let count = self.length(width)?;
        self.take(count)
    }

    /// Returns the bytes up to the next line feed, and skips the line feed.
    fn line(&mut self) -> Result<&'a [u8], Error> {
        let rest = &self.input[self.at..];
        let end = rest
            .iter()
            .position(|&b| b == b'\n')
            .ok_or_else(|| self.truncated(rest.len() as u64 + 1))?;
        self.at += end + 1;
        Ok(rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]))
    }

    pub(crate) fn line_text(&mut self) -> Result<&'a str, Error> {
        let line = self.line()?;
        std::str::from_utf8(line).map_err(|_| self.malformed("text is not UTF-8"))
    }

    fn decimal(&mut self, opcode: u8) -> Result<(), Error> {
        let line = self.line_text()?;
        match (opcode, line) {
            (op::INT, "00") => self.push(Node::Bool(false)),
            (op::INT, "01") => self.push(Node::Bool(true)),
            _ => {
                let digits = line.strip_suffix('L').unwrap_or(line);
                let number = text::integer(digits).ok_or_else(|| self.malformed("expected an integer"))?;
                self.push_number(number)
            }
        }
    }

    fn push_number(&mut self, number: Number) -> Result<(), Error> {
        self.push(match number {
            Number::Small(value) => Node::Int(value),
            Number::Big(bytes) => Node::BigInt(bytes),
        })
    }
}
