// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
// of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

//! A long-lived stack walker: a processor starts it as a child and asks it to walk one minidump
//! after another. See docs/developer/stackwalker.md.

mod arguments;
mod cache;
mod compression;
mod crash_symbols;
mod heap;
mod limits;
mod messages;
mod protocol;
mod store;
mod symbols;
#[cfg(test)]
mod testing;
mod walk;

use std::env;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::process::ExitCode;
use std::time::Duration;

use arguments::{Command, Options};
use protocol::{Answer, Conversation, Request};
use symbols::Symbols;

/// Address space that the program takes before it holds anything: code and the stacks of threads.
const BASE_MEMORY: usize = 48 * 1024 * 1024;

#[global_allocator]
static ALLOCATOR: heap::CountingAllocator = heap::CountingAllocator;

fn main() -> ExitCode {
    let result = match arguments::parse(env::args_os().skip(1)) {
        Ok(Command::Help) => {
            print!("{}", arguments::HELP);
            Ok(())
        }
        Ok(Command::Version) => {
            println!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        Ok(Command::Serve(options)) => serve(options).map_err(|reason| reason.to_string()),
        Err(reason) => Err(reason),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{}: {reason}", env!("CARGO_PKG_NAME"));
            ExitCode::FAILURE
        }
    }
}

/// Answers requests until the input ends.
fn serve(options: Options) -> io::Result<()> {
    heap::use_one_arena();
    limits::limit_memory(options.memory_limit)?;
    limits::end_with_parent()?;
    messages::collect();
    let store = store::SymbolStore::new(options.symbols_paths, options.cache_paths);
    // Ordering what was read takes memory besides it, and so does the walk.
    let ceiling = options.memory_limit.saturating_sub(BASE_MEMORY) / 4 * 3;
    let mut symbols = Symbols::new(store, options.symbol_budget, ceiling);
    let stdin = BufReader::new(io::stdin());
    let mut conversation = Conversation::new(stdin, BufWriter::new(io::stdout()));
    let limits = walk::Limits {
        max_output: options.max_output,
        // What is left of the time is for the walk.
        reading: Duration::from_secs(options.deadline.into()) / 4 * 3,
        may_ask: options.ask,
    };
    while let Some(request) = conversation.request()? {
        limits::set_alarm(options.deadline);
        answer(&request, &mut symbols, &limits, &mut conversation)?;
        limits::set_alarm(0);
    }
    Ok(())
}

fn answer<I: BufRead + Send, O: Write + Send>(
    request: &Request,
    symbols: &mut Symbols,
    limits: &walk::Limits,
    conversation: &mut Conversation<I, O>,
) -> io::Result<()> {
    let walked = walk::walk(request, symbols, limits, conversation);
    symbols.settle();
    heap::release_free_pages();
    let (status, output) = match &walked.output {
        Ok(output) => ("OK", output.as_slice()),
        Err(status) => (*status, &[][..]),
    };
    let answer = Answer {
        id: request.id,
        status,
        output_bytes: output.len(),
        log: &messages::take(),
        symbols: walked.symbols,
        figures: symbols.figures(),
    };
    conversation.answer(&answer, output)
}
