//! Where things are on disk.

use std::io;
use std::path::{Path, PathBuf};

/// The directories and files of one installation.
///
/// `EMPTOR_HOME` puts everything under one directory; otherwise the XDG base directories
/// (or the platform's own) are used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Paths {
    pub config: PathBuf,
    pub adapters: PathBuf,
    pub vault: PathBuf,
    pub anchor: PathBuf,
    pub socket: PathBuf,
    pub log: PathBuf,
}

/// Why no place was found.
#[derive(Debug, thiserror::Error)]
pub enum PathsError {
    /// Neither `EMPTOR_HOME` nor a home directory.
    #[error("no home directory: set EMPTOR_HOME to a directory of yours")]
    NoHome,
    /// Unix sockets have short names.
    #[error(
        "the socket path {0} is longer than the system allows: set EMPTOR_HOME to a shorter path"
    )]
    SocketTooLong(PathBuf),
}

impl Paths {
    /// From the environment.
    ///
    /// # Errors
    /// [`PathsError`]
    pub fn from_env() -> Result<Self, PathsError> {
        if let Some(home) = std::env::var_os("EMPTOR_HOME").filter(|h| !h.is_empty()) {
            let home = std::path::absolute(&home).unwrap_or_else(|_| home.into());
            return Self::under(&home);
        }
        let dirs = directories::ProjectDirs::from("", "", "emptor").ok_or(PathsError::NoHome)?;
        let state = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir());
        let run = dirs
            .runtime_dir()
            .map_or_else(|| state.join("run"), Path::to_path_buf);
        Self {
            config: dirs.config_dir().join("config.toml"),
            adapters: dirs.config_dir().join("adapters"),
            vault: dirs.data_dir().join("vault"),
            anchor: state.join("anchor"),
            socket: run.join("emptor.sock"),
            log: state.join("emptor.log"),
        }
        .checked()
    }

    /// Everything under one directory.
    ///
    /// # Errors
    /// [`PathsError::SocketTooLong`]
    pub fn under(home: &Path) -> Result<Self, PathsError> {
        Self {
            config: home.join("config.toml"),
            adapters: home.join("adapters"),
            vault: home.join("vault"),
            anchor: home.join("state").join("anchor"),
            socket: home.join("run").join("emptor.sock"),
            log: home.join("state").join("emptor.log"),
        }
        .checked()
    }

    fn checked(self) -> Result<Self, PathsError> {
        // sun_path is 108 bytes on Linux and 104 on macOS, with the final NUL.
        if self.socket.as_os_str().len() > 103 {
            return Err(PathsError::SocketTooLong(self.socket));
        }
        Ok(self)
    }
}

/// Makes a directory that only the person can enter, also when it was there before.
///
/// # Errors
/// Whatever the file system says.
pub fn private_dir(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}
