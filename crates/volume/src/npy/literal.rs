//! Parser for Python literals in npy headers.

use std::fmt;

/// A value of the header's dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    Bool(bool),
    Text(String),
    Tuple(Vec<usize>),
    /// A list of a structured type, kept as text.
    List(String),
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Tuple(axes) => write!(f, "{axes:?}"),
            Self::List(text) => f.write_str(text),
        }
    }
}

/// Parses `{'key': value, ...}`.
pub(super) fn dictionary(text: &str) -> Result<Vec<(String, Literal)>, String> {
    let mut cursor = Cursor { rest: text };
    let mut entries = Vec::new();
    cursor.expect('{')?;
    while !cursor.take('}') {
        let key = cursor.text()?;
        cursor.expect(':')?;
        entries.push((key, cursor.value()?));
        if !cursor.take(',') {
            cursor.expect('}')?;
            break;
        }
    }
    Ok(entries)
}

struct Cursor<'a> {
    rest: &'a str,
}

impl Cursor<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.rest = &self.rest[wanted.len_utf8()..];
        }
        found
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.take(wanted) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("'{wanted}'")))
        }
    }

    fn unexpected(&self, wanted: &str) -> String {
        let near: String = self.rest.chars().take(20).collect();
        format!("expected {wanted} in its header, found '{near}'")
    }

    fn text(&mut self) -> Result<String, String> {
        let quote = match self.peek() {
            Some(quote @ ('\'' | '"')) => quote,
            _ => return Err(self.unexpected("a string")),
        };
        let body = &self.rest[1..];
        let end = body
            .find(quote)
            .ok_or_else(|| self.unexpected("a closing quote"))?;
        self.rest = &body[end + 1..];
        Ok(body[..end].to_owned())
    }

    fn value(&mut self) -> Result<Literal, String> {
        match self.peek() {
            Some('\'' | '"') => self.text().map(Literal::Text),
            Some('(') => self.tuple(),
            Some('[') => self.list(),
            _ => {
                for (word, value) in [("True", true), ("False", false)] {
                    if let Some(rest) = self.rest.strip_prefix(word) {
                        self.rest = rest;
                        return Ok(Literal::Bool(value));
                    }
                }
                Err(self.unexpected("a string, a tuple, True or False"))
            }
        }
    }

    fn tuple(&mut self) -> Result<Literal, String> {
        self.expect('(')?;
        let mut axes = Vec::new();
        while !self.take(')') {
            self.peek();
            let end = self
                .rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(self.rest.len());
            let axis = self.rest[..end]
                .parse()
                .map_err(|_| self.unexpected("the length of an axis"))?;
            axes.push(axis);
            self.rest = &self.rest[end..];
            // Python 2 wrote long integers as 3L.
            self.take('L');
            if !self.take(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(Literal::Tuple(axes))
    }

    /// Returns the text up to the closing bracket. numpy's types contain no brackets inside strings.
    fn list(&mut self) -> Result<Literal, String> {
        let mut depth = 0_usize;
        for (position, c) in self.rest.char_indices() {
            match c {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let (list, rest) = self.rest.split_at(position + 1);
                let literal = Literal::List(list.to_owned());
                self.rest = rest;
                return Ok(literal);
            }
        }
        Err(self.unexpected("a closing bracket"))
    }
}
