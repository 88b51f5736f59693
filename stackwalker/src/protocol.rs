// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
// of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

//! The conversation with the parent: one line of JSON asks; one line of JSON, followed by the
//! bytes of the stack walk's JSON and a newline, answers. In between, the walk may ask the parent for
//! symbols. docs/developer/stackwalker.md has it.

use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::symbols::{Figures, ModuleSymbols, Status};

/// The longest line that is read, in bytes: two paths and their JSON.
const MAX_LINE: u64 = 64 * 1024;

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

/// Symbols that the parent is asked for.
#[derive(Serialize)]
struct Want<'a> {
    /// The module's base address, which names it within the crash.
    want: u64,
    /// Where its symbols lie below a folder or a server's address: three plain names.
    symbols: &'a str,
}

/// What became of symbols that the parent was asked for.
#[derive(Debug, Deserialize, PartialEq)]
pub struct Given {
    pub want: u64,
    /// The file, in a folder of the cache.
    pub file: Option<PathBuf>,
    /// Why there is none.
    pub status: Option<Status>,
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
    /// What became of the symbols of each module that a stack needed.
    pub symbols: Vec<ModuleSymbols>,
    #[serde(flatten)]
    pub figures: Figures,
}

/// Both ends of the conversation.
pub struct Conversation<I, O> {
    input: I,
    out: O,
    /// Symbols asked for that the parent has not answered yet.
    open: usize,
}

/// A parent that may be asked for symbols during a walk.
pub trait Parent: Send {
    fn want(&mut self, module: u64, symbols: &str) -> io::Result<()>;
    /// Waits for the next answer to any question; none if there is no question open.
    fn given(&mut self) -> io::Result<Option<Given>>;
}

impl<I: BufRead + Send, O: Write + Send> Conversation<I, O> {
    pub fn new(input: I, out: O) -> Self {
        Conversation { input, out, open: 0 }
    }

    /// The next request; none at the end of the input.
    pub fn request(&mut self) -> io::Result<Option<Request>> {
        read_line(&mut self.input)
    }

    pub fn answer(&mut self, answer: &Answer, output: &[u8]) -> io::Result<()> {
        // A walk that panicked leaves answers behind, which are no requests.
        while self.given()?.is_some() {}
        serde_json::to_writer(&mut self.out, answer)?;
        self.out.write_all(b"\n")?;
        self.out.write_all(output)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}

impl<I: BufRead + Send, O: Write + Send> Parent for Conversation<I, O> {
    fn want(&mut self, module: u64, symbols: &str) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, &Want { want: module, symbols })?;
        self.out.write_all(b"\n")?;
        self.out.flush()?;
        self.open += 1;
        Ok(())
    }

    fn given(&mut self) -> io::Result<Option<Given>> {
        if self.open == 0 {
            return Ok(None);
        }
        self.open -= 1;
        read_line(&mut self.input)
    }
}

fn read_line<T: DeserializeOwned>(input: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    input.take(MAX_LINE).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&line).map(Some).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_line_by_line() {
        let input = &b"{\"id\":1,\"minidump\":\"/a\"}\n{\"id\":2,\"minidump\":\"/b\",\"annotations\":\"/c\"}\n"[..];
        let mut conversation = Conversation::new(input, Vec::new());
        let first = conversation.request().unwrap().unwrap();
        assert_eq!((first.id, first.annotations), (1, None));
        let second = conversation.request().unwrap().unwrap();
        assert_eq!(second.annotations, Some(PathBuf::from("/c")));
        assert_eq!(conversation.request().unwrap(), None);
    }

    #[test]
    fn a_line_that_is_no_request_is_an_error() {
        assert!(refuses(b"walk this\n"));
        let endless = vec![b'x'; 1 << 20];
        assert!(refuses(&endless));
    }

    fn refuses(input: &[u8]) -> bool {
        Conversation::new(input, Vec::new()).request().is_err()
    }

    #[test]
    fn symbols_are_asked_for_and_given() {
        let input = &b"{\"want\":5,\"file\":\"/c/x\"}\n{\"want\":4,\"status\":\"too_slow\"}\n"[..];
        let mut conversation = Conversation::new(input, Vec::new());
        assert_eq!(conversation.given().unwrap(), None, "nothing was asked");
        conversation.want(4, "a/B/a.sym").unwrap();
        conversation.want(5, "b/B/b.sym").unwrap();
        assert!(conversation.out.starts_with(b"{\"want\":4,\"symbols\":\"a/B/a.sym\"}\n"));
        let given = conversation.given().unwrap().unwrap();
        assert_eq!((given.want, given.file), (5, Some(PathBuf::from("/c/x"))));
        assert_eq!(conversation.given().unwrap().unwrap().status, Some(Status::TooSlow));
        assert_eq!(conversation.given().unwrap(), None);
    }

    #[test]
    fn answers_left_over_by_a_walk_are_not_taken_for_requests() {
        let input = &b"{\"want\":1}\n{\"id\":2,\"minidump\":\"/b\"}\n"[..];
        let mut conversation = Conversation::new(input, Vec::new());
        conversation.want(1, "a/B/a.sym").unwrap();
        let figures = Figures::default();
        let answer =
            Answer { id: 1, status: "Panic", output_bytes: 0, log: "", symbols: vec![], figures };
        conversation.answer(&answer, b"").unwrap();
        assert_eq!(conversation.request().unwrap().unwrap().id, 2);
    }
}
