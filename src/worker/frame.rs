//! What goes over the pipe: a JSON header and raw bytes, both with their lengths in
//! front (two big-endian `u32`).

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read, Write};

/// The largest header. Replies are headers, so this bounds an answer.
pub const MAX_HEADER: usize = 16 << 20;
/// The largest body.
pub const MAX_BODY: usize = 32 << 20;

/// Length prefix of a frame.
pub const PREFIX: usize = 8;

fn odd(message: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.to_string())
}

/// A frame as bytes, without its body.
///
/// # Errors
/// When a part is larger than allowed.
pub fn head(header: &impl Serialize, body_len: usize) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(header).map_err(odd)?;
    if json.len() > MAX_HEADER || body_len > MAX_BODY {
        return Err(odd("frame too large"));
    }
    let length = |n| u32::try_from(n).map_err(odd);
    let mut out = Vec::with_capacity(PREFIX + json.len());
    out.extend_from_slice(&length(json.len())?.to_be_bytes());
    out.extend_from_slice(&length(body_len)?.to_be_bytes());
    out.extend_from_slice(&json);
    Ok(out)
}

/// The lengths of header and body.
///
/// # Errors
/// When one is larger than allowed: nothing is allocated for it.
pub fn lengths(prefix: [u8; PREFIX]) -> io::Result<(usize, usize)> {
    let [a, b, c, d, e, f, g, h] = prefix;
    let size = |bytes| usize::try_from(u32::from_be_bytes(bytes)).map_err(odd);
    let (header, body) = (size([a, b, c, d])?, size([e, f, g, h])?);
    if header > MAX_HEADER || body > MAX_BODY {
        return Err(odd("frame too large"));
    }
    Ok((header, body))
}

/// Parses a header.
///
/// # Errors
/// When it is not what it should be.
pub fn parse<T: DeserializeOwned>(header: &[u8]) -> io::Result<T> {
    serde_json::from_slice(header).map_err(odd)
}

/// Reads one frame; `None` at the end of the stream.
///
/// # Errors
/// When the stream breaks off or carries something else.
pub fn read<T: DeserializeOwned>(input: &mut impl Read) -> io::Result<Option<(T, Vec<u8>)>> {
    let mut prefix = [0; PREFIX];
    match input.read_exact(&mut prefix) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(e) => return Err(e),
    }
    let (header_len, body_len) = lengths(prefix)?;
    let mut header = vec![0; header_len];
    input.read_exact(&mut header)?;
    let mut body = vec![0; body_len];
    input.read_exact(&mut body)?;
    Ok(Some((parse(&header)?, body)))
}

/// Writes one frame without a body.
///
/// # Errors
/// When the stream is closed or the header too large.
pub fn write(output: &mut impl Write, header: &impl Serialize) -> io::Result<()> {
    output.write_all(&head(header, 0)?)?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn there_and_back() {
        let mut bytes = head(&"hello", 3).expect("small");
        bytes.extend_from_slice(b"abc");
        let mut input = bytes.as_slice();
        let frame = read::<String>(&mut input).expect("frame");
        assert_eq!(frame, Some(("hello".to_owned(), b"abc".to_vec())));
        assert_eq!(read::<String>(&mut input).expect("end"), None);
        bytes.pop();
        assert!(read::<String>(&mut bytes.as_slice()).is_err());
    }

    #[test]
    fn lies_about_the_length_allocate_nothing() {
        assert!(read::<String>(&mut [0xff; 8].as_slice()).is_err());
        assert!(head(&"x", MAX_BODY + 1).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(0_u8..4, 0..64)) {
            let _ = read::<String>(&mut bytes.as_slice());
        }
    }
}
