// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
// of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

//! Walks the stacks of one minidump and writes rust-minidump's JSON.

use std::future::Future;
use std::io::{self, Write};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use log::error;
use minidump::Minidump;
use minidump_processor::{ProcessorOptions, process_minidump_with_options};

use crate::protocol::Request;
use crate::symbols::{CrashSymbols, Symbols};

/// Stack of the thread that walks, in bytes: hostile JSON and deep structures are walked on it.
const STACK_SIZE: usize = 16 * 1024 * 1024;

/// Walks one minidump: the JSON, or the name of what went wrong.
///
/// Each walk has a thread of its own: rust-minidump keeps the pointer width of the last dump in a
/// thread-local variable, and a panic ends the thread and nothing else.
pub fn walk(
    request: &Request,
    symbols: &mut Symbols,
    max_output: usize,
) -> Result<Vec<u8>, &'static str> {
    thread::scope(|scope| {
        thread::Builder::new()
            .name("walk".into())
            .stack_size(STACK_SIZE)
            .spawn_scoped(scope, || walk_here(request, symbols, max_output))
            .map_err(|reason| {
                error!("NoThread - {reason}");
                "NoThread"
            })?
            .join()
            .unwrap_or(Err("Panic"))
    })
}

fn walk_here(
    request: &Request,
    symbols: &mut Symbols,
    max_output: usize,
) -> Result<Vec<u8>, &'static str> {
    let dump = Minidump::read_path(&request.minidump).map_err(|reason| {
        error!("{} - Error reading dump: {reason}", reason.name());
        reason.name()
    })?;
    let mut options = ProcessorOptions::stable_basic();
    options.evil_json = request.annotations.as_deref().map(Path::new);
    let provider = CrashSymbols::new(symbols);
    let state =
        block_on(process_minidump_with_options(&dump, &provider, options)).map_err(|reason| {
            error!("{} - Error processing dump: {reason}", reason.name());
            reason.name()
        })?;
    let mut output = Bounded { bytes: Vec::new(), limit: max_output };
    state.print_json(&mut output, false).map_err(|reason| {
        error!("OutputTooLarge - {reason}");
        "OutputTooLarge"
    })?;
    Ok(output.bytes)
}

/// A buffer that refuses to grow beyond its limit.
struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Bounded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + piece.len() > self.limit {
            let reason = format!("the JSON is larger than {} bytes", self.limit);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Unparker(Thread);

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end on this thread. Symbols are read without waiting for anything, so it
/// hardly ever parks.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unparker(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
