// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
// of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

//! Symbol files as they lie on disk: plain, gzipped, or compressed with zstd.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// Bytes read from a file at a time.
const READ_SIZE: usize = 256 * 1024;

/// What is put behind the name of a symbol file, in the order in which the forms are looked for.
pub const SUFFIXES: [&str; 3] = ["", ".gz", ".zst"];

/// The content of a file, unpacked as its name's last suffix says.
pub fn unpacked(file: File, suffix: Option<&str>) -> io::Result<Box<dyn Read>> {
    let buffered = |file| BufReader::with_capacity(READ_SIZE, file);
    Ok(match suffix {
        Some("gz") => Box::new(MultiGzDecoder::new(buffered(file))),
        Some("zst") => Box::new(ZstdFrames::new(buffered(file))?),
        _ => Box::new(file),
    })
}

type Frame = StreamingDecoder<BufReader<File>, FrameDecoder>;

/// The content of a zstd file: one frame after another.
struct ZstdFrames {
    frame: Option<Frame>,
}

impl ZstdFrames {
    fn new(source: BufReader<File>) -> io::Result<Self> {
        Ok(ZstdFrames { frame: Some(frame(source)?) })
    }
}

/// A window larger than 128 MiB, which would be held in memory, is refused.
fn frame(source: BufReader<File>) -> io::Result<Frame> {
    StreamingDecoder::new(source).map_err(invalid)
}

fn check_sum(decoder: &FrameDecoder) -> io::Result<()> {
    match (decoder.get_checksum_from_data(), decoder.get_calculated_checksum()) {
        (Some(told), Some(found)) if told != found => Err(invalid("the zstd checksum is wrong")),
        _ => Ok(()),
    }
}

fn invalid(reason: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_string())
}

impl Read for ZstdFrames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(current) = &mut self.frame {
            let count = current.read(buffer).map_err(invalid)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            if let Some(ended) = self.frame.take() {
                check_sum(&ended.decoder)?;
                let mut source = ended.into_inner();
                if !source.fill_buf()?.is_empty() {
                    self.frame = Some(frame(source)?);
                }
            }
        }
        Ok(0)
    }
}
