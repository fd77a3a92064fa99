//! Reading a body: decoded as it arrives, within limits on size, ratio and time.

use super::Limits;
use super::error::FetchError;
use brotli_decompressor::DecompressorWriter;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::{self, Write};

/// Window of the decoder's own buffer.
const BROTLI_BUFFER: usize = 16 << 10;

/// Where decoded bytes go; it refuses more than the limits allow.
struct Sink {
    out: Vec<u8>,
    /// Bytes that came over the wire so far.
    wire: usize,
    decoded: usize,
    ratio: usize,
    ratio_from: usize,
    /// Which limit broke, because `io::Error` cannot carry it through the decoders.
    broken: Option<Broken>,
}

#[derive(Clone, Copy)]
enum Broken {
    Size,
    Ratio,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let size = self.out.len().saturating_add(bytes.len());
        if size > self.ratio_from && size / self.ratio.max(1) > self.wire {
            self.broken = Some(Broken::Ratio);
        } else if size > self.decoded {
            self.broken = Some(Broken::Size);
        }
        if self.broken.is_some() {
            return Err(io::Error::other("limit"));
        }
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Coding {
    Identity(Sink),
    Gzip(MultiGzDecoder<Sink>),
    /// `deflate` until its first byte says which of the two forms it is.
    Deflate(Sink),
    Zlib(ZlibDecoder<Sink>),
    Raw(DeflateDecoder<Sink>),
    Brotli(Box<DecompressorWriter<Sink>>),
}

/// Decodes one body.
pub struct Decoder {
    /// `None` only while `deflate` turns into one of its two forms.
    coding: Option<Coding>,
    wire: usize,
    limits: Limits,
}

impl Decoder {
    /// A decoder for a `Content-Encoding` field.
    ///
    /// # Errors
    /// [`FetchError::Coding`] for codings not asked for, and for several at once.
    pub fn new(encoding: Option<&str>, limits: &Limits) -> Result<Self, FetchError> {
        let sink = Sink {
            out: Vec::new(),
            wire: 0,
            decoded: limits.decoded,
            ratio: limits.ratio,
            ratio_from: limits.ratio_from,
            broken: None,
        };
        let name = encoding.unwrap_or_default().trim().to_ascii_lowercase();
        let coding = match name.as_str() {
            "" | "identity" => Coding::Identity(sink),
            "gzip" | "x-gzip" => Coding::Gzip(MultiGzDecoder::new(sink)),
            "deflate" => Coding::Deflate(sink),
            "br" => Coding::Brotli(Box::new(DecompressorWriter::new(sink, BROTLI_BUFFER))),
            _ => {
                let name: String = name.chars().take(40).collect();
                return Err(FetchError::Coding(format!("unknown coding {name:?}")));
            }
        };
        Ok(Self {
            coding: Some(coding),
            wire: 0,
            limits: limits.clone(),
        })
    }

    /// Takes the next bytes from the wire.
    ///
    /// # Errors
    /// When a limit breaks or the bytes are not of this coding.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        self.wire = self.wire.saturating_add(bytes.len());
        if self.wire > self.limits.compressed {
            return Err(FetchError::TooLarge {
                what: "on the wire",
                limit: self.limits.compressed,
            });
        }
        if let (Some(Coding::Deflate(_)), Some(first)) = (&self.coding, bytes.first())
            && let Some(Coding::Deflate(sink)) = self.coding.take()
        {
            // RFC 9110 means zlib (8 in the low bits, RFC 1950); some servers send the
            // bare stream, for which such a first byte would make no sense.
            let zlib = first & 0x0f == 8 && first >> 4 <= 7;
            self.coding = Some(if zlib {
                Coding::Zlib(ZlibDecoder::new(sink))
            } else {
                Coding::Raw(DeflateDecoder::new(sink))
            });
        }
        let wire = self.wire;
        let Some(coding) = &mut self.coding else {
            return Ok(());
        };
        coding.sink().wire = wire;
        let done = match coding {
            Coding::Identity(sink) | Coding::Deflate(sink) => sink.write_all(bytes),
            Coding::Gzip(d) => d.write_all(bytes),
            Coding::Zlib(d) => d.write_all(bytes),
            Coding::Raw(d) => d.write_all(bytes),
            Coding::Brotli(d) => d.write_all(bytes),
        };
        let broken = coding.sink().broken;
        done.map_err(|e| self.explain(broken, &e))
    }

    /// The decoded body.
    ///
    /// # Errors
    /// When the stream ends too early, or a limit breaks on its last bytes.
    pub fn finish(mut self) -> Result<Vec<u8>, FetchError> {
        if self.wire == 0 {
            return Ok(Vec::new());
        }
        let Some(mut coding) = self.coding.take() else {
            return Ok(Vec::new());
        };
        let done = match &mut coding {
            Coding::Identity(_) | Coding::Deflate(_) => Ok(()),
            Coding::Gzip(d) => d.try_finish(),
            Coding::Zlib(d) => d.try_finish(),
            Coding::Raw(d) => d.try_finish(),
            Coding::Brotli(d) => d.close(),
        };
        match done {
            Ok(()) => Ok(std::mem::take(&mut coding.sink().out)),
            Err(e) => {
                let broken = coding.sink().broken;
                Err(self.explain(broken, &e))
            }
        }
    }

    fn explain(&self, broken: Option<Broken>, error: &io::Error) -> FetchError {
        match broken {
            Some(Broken::Size) => FetchError::TooLarge {
                what: "unpacked",
                limit: self.limits.decoded,
            },
            Some(Broken::Ratio) => FetchError::Bomb(self.limits.ratio),
            None => FetchError::Coding(error.to_string()),
        }
    }
}

impl Coding {
    fn sink(&mut self) -> &mut Sink {
        match self {
            Self::Identity(sink) | Self::Deflate(sink) => sink,
            Self::Gzip(d) => d.get_mut(),
            Self::Zlib(d) => d.get_mut(),
            Self::Raw(d) => d.get_mut(),
            Self::Brotli(d) => d.get_mut(),
        }
    }
}

/// Reads the whole body of a response.
///
/// # Errors
/// When it breaks a limit, breaks off, or trickles.
pub async fn read(
    response: &mut reqwest::Response,
    limits: &Limits,
    deadline: tokio::time::Instant,
) -> Result<Vec<u8>, FetchError> {
    if response
        .content_length()
        .is_some_and(|n| n > limits.compressed as u64)
    {
        return Err(FetchError::TooLarge {
            what: "announced",
            limit: limits.compressed,
        });
    }
    let encoding = {
        let mut fields = response.headers().get_all("content-encoding").iter();
        let first = fields.next().map(|v| v.to_str().unwrap_or("?").to_owned());
        if fields.next().is_some() {
            return Err(FetchError::Coding("several codings".to_owned()));
        }
        first
    };
    let mut decoder = Decoder::new(encoding.as_deref(), limits)?;
    let mut window_ends = tokio::time::Instant::now() + limits.rate_window;
    let mut in_window = 0_usize;
    loop {
        let chunk = match tokio::time::timeout_at(deadline.min(window_ends), response.chunk()).await
        {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => return decoder.finish(),
            Ok(Err(e)) => return Err(super::http::transport(response.url(), &e)),
            Err(_) if tokio::time::Instant::now() >= deadline => {
                return Err(FetchError::Timeout(limits.total, "whole answer"));
            }
            Err(_) => {
                if in_window < limits.rate_bytes {
                    return Err(FetchError::TooSlow {
                        bytes: limits.rate_bytes,
                        window: limits.rate_window,
                    });
                }
                in_window = 0;
                window_ends = tokio::time::Instant::now() + limits.rate_window;
                continue;
            }
        };
        in_window = in_window.saturating_add(chunk.len());
        decoder.push(&chunk)?;
        // Fast small chunks must not starve the check above.
        let now = tokio::time::Instant::now();
        if now >= deadline {
            return Err(FetchError::Timeout(limits.total, "whole answer"));
        }
        if now >= window_ends {
            if in_window < limits.rate_bytes {
                return Err(FetchError::TooSlow {
                    bytes: limits.rate_bytes,
                    window: limits.rate_window,
                });
            }
            in_window = 0;
            window_ends = now + limits.rate_window;
        }
    }
}

#[cfg(test)]
mod tests;
