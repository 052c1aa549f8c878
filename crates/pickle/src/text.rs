//! Text literals of protocol 0.

/// An integer of any size, in decimal.
pub(crate) enum Number {
    Small(i64),
    /// Two's complement, little endian.
    Big(Vec<u8>),
}

/// Maximum number of digits. As in Python, longer numbers are rejected, because the time is quadratic in the
/// length.
const MOST_DIGITS: usize = 640;

/// Parses the decimal argument of `LONG` and `INT`.
pub(crate) fn integer(text: &str) -> Option<Number> {
    if let Ok(small) = text.parse() {
        return Some(Number::Small(small));
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if digits.is_empty() || digits.len() > MOST_DIGITS || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut bytes: Vec<u8> = Vec::new();
    for digit in digits.bytes() {
        let mut carry = u32::from(digit - b'0');
        for byte in &mut bytes {
            carry += u32::from(*byte) * 10;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            bytes.push(carry as u8);
        }
    }
    bytes.push(0);
    if negative {
        let mut carry = true;
        for byte in &mut bytes {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    Some(Number::Big(shortest(bytes)))
}

/// Removes bytes that only repeat the sign, so that equal numbers have equal bytes.
fn shortest(mut bytes: Vec<u8>) -> Vec<u8> {
    while let [.., second, last] = bytes[..] {
        let sign = if second & 0x80 != 0 { 0xff } else { 0 };
        if last != sign {
            break;
        }
        bytes.pop();
    }
    bytes
}

/// Converts two's complement, little endian, to a 64-bit integer if it fits.
pub(crate) fn long(bytes: &[u8]) -> Number {
    let fill = if bytes.last().is_some_and(|b| b & 0x80 != 0) {
        0xff
    } else {
        0
    };
    let mut low = [fill; 8];
    for (to, from) in low.iter_mut().zip(bytes) {
        *to = *from;
    }
    let small = i64::from_le_bytes(low);
    let fits = bytes.len() <= 8 || (bytes[8..].iter().all(|&b| b == fill) && (small < 0) == (fill != 0));
    if fits {
        Number::Small(small)
    } else {
        Number::Big(shortest(bytes.to_vec()))
    }
}

/// Decodes Python 2's `repr` of a byte string: quotes and backslash escapes.
pub(crate) fn quoted(text: &[u8]) -> Option<Vec<u8>> {
    let (&first, rest) = text.split_first()?;
    let (&last, body) = rest.split_last()?;
    if first != last || !matches!(first, b'\'' | b'"') {
        return None;
    }
    let mut out = Vec::with_capacity(body.len());
    let mut bytes = body.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let plain = match bytes.next()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'a' => 7,
            b'b' => 8,
            b'v' => 11,
            b'f' => 12,
            b'x' => {
                let (high, low) = (hex(bytes.next()?)?, hex(bytes.next()?)?);
                (high << 4 | low) as u8
            }
            digit @ b'0'..=b'7' => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    match bytes.peek() {
                        Some(&next @ b'0'..=b'7') => {
                            value = value * 8 + u32::from(next - b'0');
                            bytes.next();
                        }
                        _ => break,
                    }
                }
                value as u8
            }
            other @ (b'\\' | b'\'' | b'"') => other,
            other => {
                out.push(b'\\');
                other
            }
        };
        out.push(plain);
    }
    Some(out)
}

/// Decodes Python's `raw-unicode-escape`: Latin-1 with `\uXXXX` and `\UXXXXXXXX`.
pub(crate) fn raw_unicode(text: &[u8]) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let digits = match text.get(at..at + 2) {
            Some(b"\\u") => 4,
            Some(b"\\U") => 8,
            _ => 0,
        };
        if digits == 0 {
            out.push(char::from(byte));
            at += 1;
        } else {
            let code = text.get(at + 2..at + 2 + digits)?;
            let value = code.iter().try_fold(0u32, |n, &b| Some(n << 4 | hex(b)?))?;
            out.push(char::from_u32(value)?);
            at += 2 + digits;
        }
    }
    Some(out)
}

fn hex(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn big(text: &str) -> Vec<u8> {
        match integer(text) {
            Some(Number::Big(bytes)) => bytes,
            _ => panic!("{text} is not big"),
        }
    }

    #[test]
    fn decimal_above_64_bits_becomes_bytes() {
        // torch's legacy magic number, as Python prints it.
        assert_eq!(
            big("119547037146038801333356"),
            [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
        );
        assert_eq!(
            big("-9223372036854775809"),
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff]
        );
        assert!(integer("12x").is_none() && integer("").is_none() && integer("-").is_none());
    }

    #[test]
    fn longs_are_sign_extended_and_shortened() {
        let small = |bytes: &[u8]| match long(bytes) {
            Number::Small(i) => Some(i),
            Number::Big(_) => None,
        };
        assert_eq!(small(&[]), Some(0));
        assert_eq!(small(&[0xff]), Some(-1));
        assert_eq!(small(&[0xff, 0]), Some(255));
        assert_eq!(small(&[0, 0, 0, 0, 0, 0, 0, 0x80, 0xff]), Some(i64::MIN));
        assert_eq!(small(&[0, 0, 0, 0, 0, 0, 0, 0x80, 0]), None);
    }

    #[test]
    fn escapes_of_protocol_0_are_decoded() {
        assert_eq!(quoted(br"'a\'\x41\101\n\q'").unwrap(), b"a'AA\n\\q");
        assert!(quoted(b"'a\"").is_none() && quoted(b"'").is_none() && quoted(br"'\x4'").is_none());
        assert_eq!(raw_unicode(b"\xe9\\u00df\\U0001f600").unwrap(), "éß\u{1f600}");
        assert!(raw_unicode(b"\\uD8").is_none());
    }
}
