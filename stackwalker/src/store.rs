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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;
    use crate::testing::{DEBUG_ID, TestFolder, module, symbol_path, symbols};

    fn store(folders: &[&TestFolder]) -> SymbolStore {
        SymbolStore::new(folders.iter().map(|folder| folder.path().to_owned()).collect())
    }

    fn gzipped(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn hostile_names_never_lead_out_of_the_folder() {
        let long = "x".repeat(300);
        let names = [
            "..",
            ".",
            "/",
            "",
            "../..",
            "..\\..",
            "a/..",
            "\\..\\",
            "/etc/passwd",
            "../../passwd",
            "a\0b",
            "a\nb",
            "C:\\windows\\..",
            "../",
            "..pdb",
            ".pdb",
            &long,
        ];
        for name in names {
            for part in relative_path(&module(name)).iter().flat_map(|path| path.split('/')) {
                assert!(is_file_name(part), "{name:?} gave {part:?}");
            }
        }
    }

    #[test]
    fn a_file_beside_the_folder_is_not_found_through_dots() {
        let outside = TestFolder::new();
        // Where a module called ".." would be looked for by a store that trusts it.
        outside.write(&format!("{DEBUG_ID}/...sym"), symbols(1).as_bytes());
        let inside = outside.path().join("symbols");
        fs::create_dir(&inside).unwrap();
        assert!(inside.join("..").join(DEBUG_ID).join("...sym").exists());
        assert!(SymbolStore::new(vec![inside]).locate(&module("..")).is_none());
    }

    #[test]
    fn only_the_last_part_of_a_path_counts() {
        let folder = TestFolder::new();
        let path = folder.write(&symbol_path("passwd"), b"");
        for name in ["../../etc/passwd", "/etc/passwd", "C:\\x\\passwd"] {
            assert_eq!(store(&[&folder]).locate(&module(name)).unwrap().path, path);
        }
    }

    #[test]
    fn the_first_folder_that_has_the_file_wins() {
        let (empty, first, second) = (TestFolder::new(), TestFolder::new(), TestFolder::new());
        let path = first.write(&format!("{}.gz", symbol_path("app")), &gzipped(b"x"));
        second.write(&symbol_path("app"), b"x");
        let found = store(&[&empty, &first, &second]).locate(&module("app")).unwrap();
        assert_eq!(found.path, path);
        assert!(store(&[&empty]).locate(&module("app")).is_none());
    }

    #[test]
    fn a_folder_or_a_pipe_in_the_place_of_a_file_is_no_symbol_file() {
        let folder = TestFolder::new();
        fs::create_dir_all(folder.path().join(symbol_path("app"))).unwrap();
        assert!(store(&[&folder]).locate(&module("app")).is_none());
        let pipe = folder.write(&symbol_path("pipe"), b"");
        fs::remove_file(&pipe).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success() && pipe.exists());
        assert!(store(&[&folder]).locate(&module("pipe")).is_none());
    }

    #[test]
    fn gzipped_symbols_are_the_same_as_plain_ones() {
        let folder = TestFolder::new();
        let text = symbols(5000);
        let (start, end) = text.as_bytes().split_at(text.len() / 2);
        let plain = parse(&folder.write("a.sym", text.as_bytes()), || Ok(())).unwrap();
        let zipped = folder.write("a.sym.gz", &gzipped(text.as_bytes()));
        assert_eq!(parse(&zipped, || Ok(())).unwrap(), plain);
        // Several gzip members in a row are one file.
        let members = folder.write("b.sym.gz", &[gzipped(start), gzipped(end)].concat());
        assert_eq!(parse(&members, || Ok(())).unwrap(), plain);
    }

    #[test]
    fn a_broken_gzip_file_is_an_error() {
        let folder = TestFolder::new();
        let mut content = gzipped(symbols(5000).as_bytes());
        content.truncate(content.len() / 2);
        assert!(parse(&folder.write("a.sym.gz", &content), || Ok(())).is_err());
        assert!(parse(&folder.write("b.sym.gz", b"not gzip"), || Ok(())).is_err());
    }

    #[test]
    fn the_gate_ends_a_parse() {
        let folder = TestFolder::new();
        let path = folder.write("a.sym", symbols(50_000).as_bytes());
        let mut reads = 0;
        let result = parse(&path, || {
            reads += 1;
            if reads > 2 { Err(io::ErrorKind::OutOfMemory.into()) } else { Ok(()) }
        });
        assert!(matches!(result, Err(SymbolError::LoadError(_))));
        assert_eq!(reads, 3);
    }
}
