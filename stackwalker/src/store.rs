// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
// of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

//! Finds symbol files in folders of the Breakpad layout, `<debug file>/<debug id>/<name>.sym`,
//! plain or gzipped (`.sym.gz`), and parses them.

use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use breakpad_symbols::breakpad_sym_lookup;
use flate2::read::MultiGzDecoder;
use minidump::Module;
use minidump_unwind::{SymbolError, SymbolFile};

/// Bytes read from a symbol file at a time; memory is looked after between two reads.
const READ_SIZE: usize = 256 * 1024;

/// The longest file name that file systems take.
const MAX_NAME: usize = 255;

/// What tells one content of a file from the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// A symbol file on disk.
#[derive(Debug)]
pub struct Located {
    pub path: PathBuf,
    pub identity: Identity,
}

/// The folders in which symbols are looked for, in their order.
pub struct SymbolStore {
    folders: Vec<PathBuf>,
}

impl SymbolStore {
    pub fn new(folders: Vec<PathBuf>) -> Self {
        SymbolStore { folders }
    }

    pub fn is_empty(&self) -> bool {
        self.folders.is_empty()
    }

    /// The symbol file of a module, from the first folder that has one.
    pub fn locate(&self, module: &(dyn Module + Sync)) -> Option<Located> {
        let relative = relative_path(module)?;
        let zipped = format!("{relative}.gz");
        self.folders
            .iter()
            .flat_map(|folder| [folder.join(&relative), folder.join(&zipped)])
            .find_map(located)
    }
}

fn located(path: PathBuf) -> Option<Located> {
    let metadata = fs::metadata(&path).ok()?;
    // A named pipe would block whoever opens it.
    metadata.is_file().then(|| Located { identity: Identity::of(&metadata), path })
}

/// Where a module's symbols lie below a folder; none if its names, which come from the minidump,
/// would lead out of the folder.
fn relative_path(module: &(dyn Module + Sync)) -> Option<String> {
    let relative = breakpad_sym_lookup(module)?.cache_rel;
    let parts: Vec<&str> = relative.split('/').collect();
    (parts.len() == 3 && parts.iter().all(|part| is_file_name(part))).then_some(relative)
}

fn is_file_name(part: &str) -> bool {
    !matches!(part, "" | "." | "..")
        && part.len() <= MAX_NAME
        && !part.contains(|c: char| c == '\\' || c.is_control())
}

/// Parses a symbol file. The gate is asked before each read of a piece; its error ends the parse.
pub fn parse(path: &Path, gate: impl FnMut() -> io::Result<()>) -> Result<SymbolFile, SymbolError> {
    let file = File::open(path)?;
    let source: Box<dyn Read> = if path.extension().is_some_and(|extension| extension == "gz") {
        Box::new(MultiGzDecoder::new(file_reader(file)))
    } else {
        Box::new(file)
    };
    SymbolFile::parse(BufReader::with_capacity(READ_SIZE, Gated { source, gate }), |_| ())
}

fn file_reader(file: File) -> BufReader<File> {
    BufReader::with_capacity(READ_SIZE, file)
}

struct Gated<F> {
    source: Box<dyn Read>,
    gate: F,
}

impl<F: FnMut() -> io::Result<()>> Read for Gated<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (self.gate)()?;
        self.source.read(buffer)
    }
}
