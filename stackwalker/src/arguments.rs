// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
// of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

pub const HELP: &str = "\
Walks the stacks of minidumps; keeps parsed symbols between them.

Reads requests from standard input and answers on standard output, a line of JSON each:
  {\"id\": 1, \"minidump\": \"/path/to.dmp\", \"annotations\": \"/path/to.json\"}

Options:
  --symbols-path FOLDER  symbols in Breakpad's layout: .sym, .sym.gz or .sym.zst (may be repeated)
  --cache-path FOLDER    the same, after those; the time of a file's last use is kept up to date
  --ask                  ask on standard output, during a walk, for symbols that are not there
  --symbol-budget BYTES  parsed symbols to keep in memory (default: 1 GiB)
  --memory-limit BYTES   address space of this process (default: 4 GiB)
  --max-output BYTES     largest JSON of one stack walk (default: 64 MiB)
  --deadline SECONDS     longest walk; this process ends itself then (default: 0, none)
  --version              print the version
  --help                 print this
";

/// What to do, from the command line.
#[derive(Debug, PartialEq)]
pub enum Command {
    Help,
    Version,
    Serve(Options),
}

#[derive(Debug, PartialEq)]
pub struct Options {
    pub symbols_paths: Vec<PathBuf>,
    pub cache_paths: Vec<PathBuf>,
    /// Whether the parent gets symbols that are asked for.
    pub ask: bool,
    /// Bytes.
    pub symbol_budget: usize,
    /// Bytes.
    pub memory_limit: usize,
    /// Bytes.
    pub max_output: usize,
    /// Seconds; 0 is none.
    pub deadline: u32,
}

const MIB: usize = 1024 * 1024;

impl Default for Options {
    fn default() -> Self {
        Options {
            symbols_paths: Vec::new(),
            cache_paths: Vec::new(),
            ask: false,
            symbol_budget: 1024 * MIB,
            memory_limit: 4096 * MIB,
            max_output: 64 * MIB,
            deadline: 0,
        }
    }
}

/// Reads the arguments that follow the program's name. An error is a sentence for the user.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut options = Options::default();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let name = argument.to_string_lossy().into_owned();
        let mut value = || arguments.next().ok_or_else(|| format!("{name} needs a value"));
        match name.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--version" | "-V" => return Ok(Command::Version),
            "--symbols-path" => options.symbols_paths.push(value()?.into()),
            "--cache-path" => options.cache_paths.push(value()?.into()),
            "--ask" => options.ask = true,
            "--symbol-budget" => options.symbol_budget = number(&name, value()?)?,
            "--memory-limit" => options.memory_limit = number(&name, value()?)?,
            "--max-output" => options.max_output = number(&name, value()?)?,
            "--deadline" => options.deadline = number(&name, value()?)?,
            _ => return Err(format!("unknown argument {name:?}; see --help")),
        }
    }
    if options.symbol_budget >= options.memory_limit {
        return Err("--symbol-budget must be smaller than --memory-limit".into());
    }
    Ok(Command::Serve(options))
}

fn number<T: std::str::FromStr>(name: &str, value: OsString) -> Result<T, String> {
    let value = value.to_string_lossy();
    value.parse().map_err(|_| format!("{name} takes a whole number, not {value:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Command, String> {
        parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn without_arguments_it_serves_with_defaults() {
        assert_eq!(parsed(&[]), Ok(Command::Serve(Options::default())));
    }

    #[test]
    fn symbol_folders_keep_their_order() {
        let command = parsed(&["--symbols-path", "/b", "--symbols-path", "/a", "--deadline", "9"]);
        let Ok(Command::Serve(options)) = command else { panic!("{command:?}") };
        assert_eq!(options.symbols_paths, [PathBuf::from("/b"), PathBuf::from("/a")]);
        assert_eq!((options.deadline, options.ask), (9, false));
    }

    #[test]
    fn folders_of_a_cache_and_asking_are_for_symbols_of_servers() {
        let command = parsed(&["--cache-path", "/c", "--ask"]);
        let Ok(Command::Serve(options)) = command else { panic!("{command:?}") };
        assert_eq!((options.cache_paths, options.ask), (vec![PathBuf::from("/c")], true));
    }

    #[test]
    fn a_bad_argument_is_named_in_the_error() {
        assert!(parsed(&["--symbol-budget", "1G"]).unwrap_err().contains("--symbol-budget"));
        assert!(parsed(&["--deadline"]).unwrap_err().contains("--deadline"));
        assert!(parsed(&["--wat"]).unwrap_err().contains("--wat"));
        assert!(parsed(&["--memory-limit", "5"]).unwrap_err().contains("--memory-limit"));
    }
}
