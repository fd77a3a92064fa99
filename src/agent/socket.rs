//! The unix socket: a 0700 directory, a 0600 socket, and the peer's user id checked on
//! every connection. Directory modes alone have failed people before.

use super::paths::private_dir;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};

/// Why the daemon cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Another daemon answers there.
    #[error("another emptor daemon is running on {0}")]
    AlreadyRunning(PathBuf),
    /// The directory is not the person's alone.
    #[error("{0} must be a directory of yours that nobody else can enter")]
    Unsafe(PathBuf),
    /// Anything else.
    #[error("cannot listen on {path}: {source}")]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A listener that serves nobody but the person who runs it.
#[derive(Debug)]
pub struct PrivateListener {
    inner: UnixListener,
    path: PathBuf,
    uid: u32,
    // Held for as long as the daemon lives: two starts at once cannot both pass.
    _lock: std::fs::File,
}

impl PrivateListener {
    /// Binds `path`, taking over a socket file that nobody answers on.
    ///
    /// # Errors
    /// [`SocketError`]
    pub async fn bind(path: &Path) -> Result<Self, SocketError> {
        let io_error = |source| SocketError::Io {
            path: path.to_owned(),
            source,
        };
        let dir = path.parent().unwrap_or_else(|| Path::new("."));
        let uid = rustix::process::geteuid().as_raw();
        private_dir(dir).map_err(io_error)?;
        let meta = std::fs::symlink_metadata(dir).map_err(io_error)?;
        if !meta.is_dir() || meta.uid() != uid || meta.mode() & 0o077 != 0 {
            return Err(SocketError::Unsafe(dir.to_owned()));
        }
        let lock = std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.with_extension("lock"))
            .map_err(io_error)?;
        if rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(SocketError::AlreadyRunning(path.to_owned()));
        }
        match std::fs::symlink_metadata(path) {
            Ok(meta) if meta.file_type().is_socket() => {
                if UnixStream::connect(path).await.is_ok() {
                    return Err(SocketError::AlreadyRunning(path.to_owned()));
                }
                std::fs::remove_file(path).map_err(io_error)?;
            }
            Ok(_) => return Err(SocketError::Unsafe(path.to_owned())),
            Err(_) => {}
        }
        let inner = UnixListener::bind(path).map_err(io_error)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(io_error)?;
        Ok(Self {
            inner,
            path: path.to_owned(),
            uid,
            _lock: lock,
        })
    }
}

impl Drop for PrivateListener {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl axum::serve::Listener for PrivateListener {
    type Io = UnixStream;
    type Addr = tokio::net::unix::SocketAddr;

    async fn accept(&mut self) -> (UnixStream, Self::Addr) {
        loop {
            match self.inner.accept().await {
                Ok((stream, address)) => match stream.peer_cred() {
                    Ok(peer) if peer.uid() == self.uid => return (stream, address),
                    Ok(peer) => tracing::warn!("refused a connection of user id {}", peer.uid()),
                    Err(e) => tracing::warn!("refused a connection without credentials: {e}"),
                },
                Err(e) => {
                    tracing::warn!("cannot accept a connection: {e}");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.inner.local_addr()
    }
}
