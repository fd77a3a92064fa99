//! A web server that does what it is told, also what no server should.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Request {
    pub at: Instant,
    pub method: String,
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

/// What to send back.
pub enum Script {
    /// These bytes.
    Send(Vec<u8>),
    /// These bytes, then `chunk` every `pause` until the other side leaves.
    Drip(Vec<u8>, Vec<u8>, Duration),
    /// Nothing at all.
    Silence,
}

type Handler = dyn Fn(&Request) -> Script + Send + Sync;

/// A server on loopback; it ends with the test's runtime.
#[derive(Clone)]
pub struct Server {
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<Request>>>,
    connections: Arc<Mutex<u32>>,
    sent: Arc<Mutex<u64>>,
}

impl Server {
    pub async fn start(handler: impl Fn(&Request) -> Script + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", handler)
            .await
            .expect("loopback")
    }

    pub async fn start_at(
        address: &str,
        handler: impl Fn(&Request) -> Script + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let server = Self {
            address: listener.local_addr()?,
            log: Arc::default(),
            connections: Arc::default(),
            sent: Arc::default(),
        };
        let (this, handler): (_, Arc<Handler>) = (server.clone(), Arc::new(handler));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *this.connections.lock().expect("lock") += 1;
                let (this, handler) = (this.clone(), Arc::clone(&handler));
                tokio::spawn(async move {
                    // The other side may leave at any time.
                    let _ = this.serve(stream, &*handler).await;
                });
            }
        });
        Ok(server)
    }

    async fn serve(&self, mut stream: TcpStream, handler: &Handler) -> std::io::Result<()> {
        let Some(request) = read_request(&mut stream).await? else {
            return Ok(());
        };
        self.log.lock().expect("lock").push(request.clone());
        match handler(&request) {
            Script::Send(bytes) => self.send(&mut stream, &bytes).await?,
            Script::Drip(head, chunk, pause) => {
                self.send(&mut stream, &head).await?;
                loop {
                    tokio::time::sleep(pause).await;
                    self.send(&mut stream, &chunk).await?;
                }
            }
            Script::Silence => tokio::time::sleep(Duration::from_secs(3600)).await,
        }
        stream.shutdown().await
    }

    async fn send(&self, stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
        stream.write_all(bytes).await?;
        *self.sent.lock().expect("lock") += bytes.len() as u64;
        Ok(())
    }

    pub fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address)
            .parse()
            .expect("URL")
    }

    /// As listed in `allow_private`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// How many times somebody connected.
    pub fn connections(&self) -> u32 {
        *self.connections.lock().expect("lock")
    }

    /// Bytes written so far.
    pub fn sent(&self) -> u64 {
        *self.sent.lock().expect("lock")
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.log.lock().expect("lock").clone()
    }

    /// The paths asked for, in order.
    pub fn paths(&self) -> Vec<String> {
        self.requests().into_iter().map(|r| r.path).collect()
    }
}

async fn read_request(stream: &mut TcpStream) -> std::io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end;
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await? {
            0 => return Ok(None),
            n => bytes.extend_from_slice(&buffer[..n]),
        }
    };
    let at = Instant::now();
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines
        .next()
        .unwrap_or_default()
        .split(' ')
        .map(str::to_owned);
    let headers: HashMap<String, String> = lines
        .filter_map(|l| l.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .and_then(|l| l.parse().ok())
        .unwrap_or(0);
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await? {
            0 => break,
            n => body.extend_from_slice(&buffer[..n]),
        }
    }
    Ok(Some(Request {
        at,
        method: first.next().unwrap_or_default(),
        path: first.next().unwrap_or_default(),
        headers,
        body,
    }))
}

/// A whole answer.
pub fn answer(status: u16, fields: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n");
    for (name, value) in fields {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let mut out = out.into_bytes();
    out.extend_from_slice(body);
    out
}

/// An answer to a page request; robots.txt is not there.
pub fn page(request: &Request, status: u16, fields: &[(&str, &str)], body: &[u8]) -> Script {
    Script::Send(if request.path == "/robots.txt" {
        answer(404, &[], b"")
    } else {
        answer(status, fields, body)
    })
}
