use super::*;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

fn limits() -> Limits {
    Limits {
        compressed: 1 << 20,
        decoded: 4 << 20,
        ..Limits::default()
    }
}

/// Feeds a body in pieces of `step` bytes.
fn decode(coding: &str, bytes: &[u8], step: usize) -> Result<Vec<u8>, FetchError> {
    let mut decoder = Decoder::new(Some(coding), &limits())?;
    for piece in bytes.chunks(step) {
        decoder.push(piece)?;
    }
    decoder.finish()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).expect("memory");
    encoder.finish().expect("memory")
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).expect("memory");
    encoder.finish().expect("memory")
}

fn raw(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).expect("memory");
    encoder.finish().expect("memory")
}

/// A brotli stream written by hand (RFC 7932, section 9): uncompressed meta-blocks.
fn brotli(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    // WBITS 16 is the single bit 0; then per block: ISLAST 0, MNIBBLES 4 (00), MLEN-1
    // in 16 bits, ISUNCOMPRESSED 1, padding to the byte.
    for (i, block) in data.chunks(1 << 16).enumerate() {
        let length = u32::try_from(block.len() - 1).expect("small");
        let bits = (length << 3) | (1 << 19);
        let bits = if i == 0 { bits << 1 } else { bits };
        out.extend_from_slice(&bits.to_le_bytes()[..3]);
        out.extend_from_slice(block);
    }
    out.push(0b11);
    out
}

fn page() -> Vec<u8> {
    (0..20_000_u32)
        .map(|i| b"<p class=price>12,90 EUR</p>\n"[i as usize % 29])
        .collect()
}

#[test]
fn every_coding_in_pieces_of_any_size() {
    let page = page();
    let incompressible: Vec<u8> = (0..70_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    for data in [&page, &incompressible] {
        for step in [1, 7, 4096, usize::MAX] {
            for (coding, bytes) in [
                ("gzip", gzip(data)),
                ("X-GZIP", gzip(data)),
                ("deflate", zlib(data)),
                ("deflate", raw(data)),
                ("br", brotli(data)),
                ("identity", data.clone()),
                ("", data.clone()),
            ] {
                let out = decode(coding, &bytes, step.min(bytes.len()));
                assert!(
                    out.as_ref().is_ok_and(|o| o == data),
                    "{coding} by {step}: {out:?}"
                );
            }
        }
    }
}

#[test]
fn nothing_is_a_body_too() {
    for coding in ["gzip", "deflate", "br", ""] {
        assert_eq!(decode(coding, &[], 1).expect("empty"), Vec::<u8>::new());
    }
}

#[test]
fn a_body_that_breaks_off_is_an_error() {
    let data = page();
    for (coding, bytes) in [
        ("gzip", gzip(&data)),
        ("deflate", zlib(&data)),
        ("br", brotli(&data)),
    ] {
        let cut = &bytes[..bytes.len() * 2 / 3];
        let error = decode(coding, cut, 999).expect_err("cut");
        assert!(matches!(error, FetchError::Coding(_)), "{coding}: {error}");
        let error = decode(coding, b"\xff\xfe nonsense \xff\xff\xff", 3).expect_err("nonsense");
        assert!(matches!(error, FetchError::Coding(_)), "{coding}: {error}");
    }
}

#[test]
fn bombs_are_stopped_early() {
    let zeros = vec![0; 64 << 20];
    for (coding, bytes) in [
        ("gzip", gzip(&zeros)),
        ("deflate", zlib(&zeros)),
        ("deflate", raw(&zeros)),
    ] {
        let error = decode(coding, &bytes, 16 << 10).expect_err("bomb");
        assert!(matches!(error, FetchError::Bomb(100)), "{coding}: {error}");
    }
    let error = decode("br", &BROTLI_BOMB, 1).expect_err("bomb");
    assert!(matches!(error, FetchError::Bomb(100)), "{error}");
}

/// 16 MiB of zeros as `brotli.compress(bytes(16 << 20), quality=11)` packs them.
const BROTLI_BOMB: [u8; 27] = [
    0xcb, 0xff, 0xff, 0x3f, 0xf8, 0x27, 0x00, 0xe2, 0xb1, 0x40, 0x20, 0xf7, 0xfe, 0x8f, 0xff, 0xff,
    0x7f, 0xf0, 0x4f, 0x00, 0xc4, 0x61, 0x11, 0x80, 0xee, 0xfd, 0xdf,
];

#[test]
fn sizes_are_bounded_on_both_sides() {
    let noise: Vec<u8> = (0..(2_u32 << 20))
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8)
        .collect();
    let error = decode("", &noise, 4096).expect_err("too large");
    assert!(
        matches!(
            error,
            FetchError::TooLarge {
                limit: 1_048_576,
                ..
            }
        ),
        "{error}"
    );
    // Below the ratio, above the size: 8 MiB that shrink to about a twentieth.
    let text: Vec<u8> = (0..400_000_u32)
        .flat_map(|i| format!("<li>{:08}</li>\n", i.wrapping_mul(40_503) % 1000).into_bytes())
        .collect();
    let packed = gzip(&text);
    assert!(
        packed.len() < 1 << 20 && text.len() / packed.len() < 100,
        "{} of {}",
        packed.len(),
        text.len()
    );
    let error = decode("gzip", &packed, 4096).expect_err("too large");
    assert!(
        matches!(
            error,
            FetchError::TooLarge {
                what: "unpacked",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn small_pages_may_shrink_well() {
    // 60 KiB of one letter: ratio 500, and harmless.
    let page = vec![b'a'; 60 << 10];
    assert_eq!(decode("gzip", &gzip(&page), 10).expect("small"), page);
}

#[test]
fn unknown_codings_are_refused() {
    for coding in ["zstd", "gzip, gzip", "compress", "\u{1b}[2J"] {
        let error = Decoder::new(Some(coding), &limits())
            .err()
            .expect("unknown");
        assert!(
            matches!(&error, FetchError::Coding(why) if !why.contains('\u{1b}')),
            "{error}"
        );
    }
}
