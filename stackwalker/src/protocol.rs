// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
// of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

//! The conversation with the parent: one line of JSON asks; one line of JSON, followed by the
//! bytes of the stack walk's JSON and a newline, answers. docs/developer/stackwalker.md has it.

use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::symbols::Figures;

/// The longest line of a request, in bytes: two paths and their JSON.
const MAX_REQUEST: u64 = 64 * 1024;

/// One minidump to walk.
#[derive(Debug, Deserialize, PartialEq)]
pub struct Request {
    /// Comes back in the answer.
    pub id: u64,
    pub minidump: PathBuf,
    /// The raw crash's annotations as a JSON object.
    #[serde(default)]
    pub annotations: Option<PathBuf>,
}

/// What came of a request. The output follows it.
#[derive(Serialize)]
pub struct Answer<'a> {
    pub id: u64,
    /// "OK", or the name of the error.
    pub status: &'a str,
    /// Bytes of JSON that follow; 0 unless the status is "OK".
    pub output_bytes: usize,
    /// Messages, one a line.
    pub log: &'a str,
    #[serde(flatten)]
    pub figures: Figures,
}

/// The next request; none at the end of the input.
pub fn read_request(input: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut line = Vec::new();
    input.take(MAX_REQUEST).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&line).map(Some).map_err(io::Error::from)
}

pub fn write_answer(out: &mut impl Write, answer: &Answer, output: &[u8]) -> io::Result<()> {
    serde_json::to_writer(&mut *out, answer)?;
    out.write_all(b"\n")?;
    out.write_all(output)?;
    out.write_all(b"\n")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_line_by_line() {
        let mut input = &b"{\"id\":1,\"minidump\":\"/a\"}\n{\"id\":2,\"minidump\":\"/b\",\"annotations\":\"/c\"}\n"[..];
        let first = read_request(&mut input).unwrap().unwrap();
        assert_eq!((first.id, first.annotations), (1, None));
        let second = read_request(&mut input).unwrap().unwrap();
        assert_eq!(second.annotations, Some(PathBuf::from("/c")));
        assert_eq!(read_request(&mut input).unwrap(), None);
    }

    #[test]
    fn a_line_that_is_no_request_is_an_error() {
        assert!(read_request(&mut &b"walk this\n"[..]).is_err());
        let endless = vec![b'x'; 1 << 20];
        assert!(read_request(&mut &endless[..]).is_err());
    }
}
