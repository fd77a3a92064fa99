//! The command line's side of the daemon's API: HTTP/1.1 over the unix socket.

use crate::agent::api::{ApiError, Code};
use crate::agent::paths::Paths;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{ACCEPT_LANGUAGE, HeaderValue};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::net::UnixStream;

/// Why the daemon was not reached, or what it answered.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens and starting one was forbidden or failed.
    #[error("the emptor daemon does not answer: {0}")]
    Unreachable(String),
    /// The daemon said no.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The answer cannot be read.
    #[error("the daemon's answer cannot be read: {0}")]
    Protocol(String),
}

/// A connection to the daemon.
#[derive(Debug)]
pub struct Client {
    sender: hyper::client::conn::http1::SendRequest<Full<Bytes>>,
    language: Option<HeaderValue>,
}

impl Client {
    /// Connects, starting a daemon first if none runs and `spawn` allows it.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`]
    pub async fn connect(paths: &Paths, spawn: bool) -> Result<Self, ClientError> {
        match UnixStream::connect(&paths.socket).await {
            Ok(stream) => return Self::over(stream).await,
            Err(e) if !spawn => {
                return Err(ClientError::Unreachable(format!(
                    "{e} ({}); start one with `emptor daemon start`",
                    paths.socket.display()
                )));
            }
            Err(_) => start_daemon(paths)?,
        }
        let begin = Instant::now();
        loop {
            match UnixStream::connect(&paths.socket).await {
                Ok(stream) => return Self::over(stream).await,
                Err(e) if begin.elapsed() > Duration::from_secs(10) => {
                    return Err(ClientError::Unreachable(format!(
                        "it was started but did not open {} ({e}); see {}",
                        paths.socket.display(),
                        paths.log.display()
                    )));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    async fn over(stream: UnixStream) -> Result<Self, ClientError> {
        // A passphrase goes over this socket: it must be the person's own daemon.
        let peer = stream
            .peer_cred()
            .map_err(|e| ClientError::Unreachable(e.to_string()))?;
        if peer.uid() != rustix::process::geteuid().as_raw() {
            return Err(ClientError::Unreachable(
                "the socket belongs to another user".into(),
            ));
        }
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| ClientError::Unreachable(e.to_string()))?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            language: None,
        })
    }

    /// From now on amounts and days in sentences are written as in a locale.
    pub fn speak(&mut self, locale: &str) {
        self.language = HeaderValue::from_str(locale).ok().filter(|l| !l.is_empty());
    }

    /// Sends a request and reads the JSON answer.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn call<T: DeserializeOwned>(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, ClientError> {
        let protocol = |e: &dyn std::fmt::Display| ClientError::Protocol(e.to_string());
        let bytes = match body {
            Some(b) => serde_json::to_vec(b).map_err(|e| protocol(&e))?,
            None => Vec::new(),
        };
        let mut request = hyper::Request::builder()
            .method(method)
            .uri(path)
            .header("host", "emptor")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(bytes)))
            .map_err(|e| protocol(&e))?;
        if let Some(language) = &self.language {
            let headers = request.headers_mut();
            headers.insert(ACCEPT_LANGUAGE, language.clone());
        }
        let unreachable = |e: hyper::Error| ClientError::Unreachable(e.to_string());
        self.sender.ready().await.map_err(unreachable)?;
        let response = self
            .sender
            .send_request(request)
            .await
            .map_err(|e| ClientError::Unreachable(e.to_string()))?;
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(|e| ClientError::Unreachable(e.to_string()))?
            .to_bytes();
        if !status.is_success() {
            let error = serde_json::from_slice(&body).unwrap_or_else(|_| {
                ApiError::new(
                    Code::Failed,
                    format!("{status}: {}", String::from_utf8_lossy(&body)),
                )
            });
            return Err(error.into());
        }
        serde_json::from_slice(&body).map_err(|e| protocol(&e))
    }

    /// Reads.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, ClientError> {
        self.call("GET", path, None::<&()>).await
    }

    /// Changes.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.call("POST", path, Some(body)).await
    }

    /// Removes.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn delete<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, ClientError> {
        self.call("DELETE", path, None::<&()>).await
    }
}

/// Starts `emptor daemon run` on its own, with its output in the log file.
fn start_daemon(paths: &Paths) -> Result<(), ClientError> {
    use std::process::{Command, Stdio};
    let fail = |e: std::io::Error| ClientError::Unreachable(format!("cannot start it: {e}"));
    let exe = std::env::current_exe().map_err(fail)?;
    let dir = paths.log.parent().unwrap_or_else(|| Path::new("."));
    crate::agent::paths::private_dir(dir).map_err(fail)?;
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&paths.log)
        .map_err(fail)?;
    let errors = log.try_clone().map_err(fail)?;
    Command::new(exe)
        .args(["daemon", "run", "--detached"])
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(fail)?;
    Ok(())
}

/// Percent-encodes one part of a path or query.
#[must_use]
pub fn encode(part: &str) -> String {
    url::form_urlencoded::byte_serialize(part.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}
