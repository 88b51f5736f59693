// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
// of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

//! Walks the stacks of one minidump and writes rust-minidump's JSON.

use std::future::Future;
use std::io::{self, Write};
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use log::error;
use minidump::Minidump;
use minidump_processor::{ProcessorOptions, process_minidump_with_options};

use crate::crash_symbols::CrashSymbols;
use crate::protocol::{Parent, Request};
use crate::symbols::{ModuleSymbols, Symbols};

/// Stack of the thread that walks, in bytes: hostile JSON and deep structures are walked on it.
const STACK_SIZE: usize = 16 * 1024 * 1024;

/// The walk's status when the parent does not give what it was asked for.
const CONVERSATION_ENDED: &str = "ConversationEnded";

/// What one walk may take.
pub struct Limits {
    /// Bytes of its JSON.
    pub max_output: usize,
    /// Time in which symbols are read; zero is no limit.
    pub reading: Duration,
    /// Whether the parent may be asked for symbols.
    pub may_ask: bool,
}

/// What a walk gave.
pub struct Walked {
    /// The JSON, or the name of what went wrong.
    pub output: Result<Vec<u8>, &'static str>,
    pub symbols: Vec<ModuleSymbols>,
}

/// Walks one minidump.
///
/// Each walk has a thread of its own: rust-minidump keeps the pointer width of the last dump in a
/// thread-local variable, and a panic ends the thread and nothing else.
pub fn walk<'a>(
    request: &Request,
    symbols: &'a mut Symbols,
    limits: &Limits,
    parent: &'a mut (dyn Parent + 'a),
) -> Walked {
    let parent = limits.may_ask.then_some(parent);
    let provider = CrashSymbols::new(symbols, limits.reading, parent);
    let output = thread::scope(|scope| {
        thread::Builder::new()
            .name("walk".into())
            .stack_size(STACK_SIZE)
            .spawn_scoped(scope, || walk_here(request, &provider, limits.max_output))
            .map_err(|reason| {
                error!("NoThread - {reason}");
                "NoThread"
            })?
            .join()
            .unwrap_or(Err("Panic"))
    });
    Walked { output, symbols: provider.told() }
}

fn walk_here(
    request: &Request,
    provider: &CrashSymbols,
    max_output: usize,
) -> Result<Vec<u8>, &'static str> {
    let dump = Minidump::read_path(&request.minidump).map_err(|reason| {
        error!("{} - Error reading dump: {reason}", reason.name());
        reason.name()
    })?;
    let mut options = ProcessorOptions::stable_basic();
    options.evil_json = request.annotations.as_deref().map(Path::new);
    let walking = process_minidump_with_options(&dump, provider, options);
    let state = block_on(walking, provider)
        .map_err(|reason| {
            error!("{CONVERSATION_ENDED} - {reason}");
            CONVERSATION_ENDED
        })?
        .map_err(|reason| {
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

/// Runs a future to its end on this thread. What it waits for are symbols that the parent was asked
/// for: whenever it can get no further, the next answer is awaited.
fn block_on<F: Future>(future: F, provider: &CrashSymbols) -> io::Result<F::Output> {
    // Each answer is followed by a poll, and wakers of parts of the future are woken by it.
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return Ok(output),
            Poll::Pending => provider.receive()?,
        }
    }
}
