//! The text within a compressed file, as it is read. A file that ends too early is an error, not a shorter text.

use std::fs::File;
use std::io::{self, BufRead, BufReader};

use bedplate_kinds::Compression;
use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};

const BUFFER: usize = 64 * 1024;
/// What a file may ask of the memory to be unpacked: `xz -9` needs 65 MiB, `zstd --ultra -22` a window of 128 MiB.
const MOST_MEMORY: u64 = 256 << 20;
const LARGEST_WINDOW_LOG: u32 = 27;

pub(super) fn text(file: File, with: Compression) -> io::Result<Box<dyn BufRead>> {
    let file = BufReader::with_capacity(BUFFER, file);
    Ok(match with {
        Compression::None => Box::new(file),
        Compression::Gzip => Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(file))),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(file)?;
            decoder.window_log_max(LARGEST_WINDOW_LOG)?;
            Box::new(BufReader::with_capacity(BUFFER, decoder))
        }
        Compression::Bzip2 => Box::new(BufReader::with_capacity(BUFFER, MultiBzDecoder::new(file))),
        Compression::Xz => {
            let stream = Stream::new_stream_decoder(MOST_MEMORY, CONCATENATED).map_err(io::Error::other)?;
            Box::new(BufReader::with_capacity(BUFFER, XzDecoder::new_stream(file, stream)))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, Write};

    use super::*;

    fn packed(text: &[u8], with: Compression) -> Vec<u8> {
        let level = flate2::Compression::fast();
        match with {
            Compression::None => text.to_vec(),
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
            Compression::Zstd => zstd::encode_all(text, 1).unwrap(),
            Compression::Bzip2 => {
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
            Compression::Xz => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
        }
    }

    fn read(bytes: &[u8], with: Compression) -> io::Result<Vec<u8>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        let mut found = Vec::new();
        text(file, with)?.read_to_end(&mut found).map(|_| found)
    }

    #[test]
    fn every_codec_comes_back_also_in_parts_and_a_cut_file_is_an_error() {
        let long: Vec<u8> = (0..100_000_u32).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        for with in [Compression::Gzip, Compression::Zstd, Compression::Bzip2, Compression::Xz] {
            let one = packed(&long, with);
            assert_eq!(read(&one, with).unwrap(), long, "{with:?}");
            assert_eq!(read(&[one.clone(), one.clone()].concat(), with).unwrap().len(), 2 * long.len(), "{with:?}");
            for cut in [one.len() / 2, one.len() - 1, 1] {
                assert!(read(&one[..cut], with).is_err(), "{with:?} cut at {cut}");
            }
            assert!(read(b"n,s\n1,a\n", with).is_err(), "{with:?}");
        }
    }
}
