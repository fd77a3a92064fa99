//! What every command needs: paths, options, the daemon, and a way to print.

use super::client::{Client, ClientError};
use super::format::{Locale, fold};
use crate::agent::api::types::{Done, Unlock};
use crate::agent::api::{ApiError, Code};
use crate::agent::config::Config;
use crate::agent::paths::Paths;
use crate::model::Currency;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Something failed.
    Failed = 1,
    /// Wrong usage.
    Usage = 2,
    /// The vault is locked.
    Locked = 3,
    /// The daemon cannot be reached.
    Unreachable = 4,
    /// There is no such thing.
    NotFound = 5,
}

/// An error as the person sees it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CliError {
    /// What went wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// How the program ends.
    pub exit: Exit,
}

impl CliError {
    /// An error that ends with `exit`.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            exit,
        }
    }

    /// Something failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Wrong usage.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Prints it and gives the exit code.
    pub fn report(&self) -> ExitCode {
        aside(format_args!("error: {}\n", self.message));
        if let Some(hint) = &self.hint {
            aside(format_args!("hint: {hint}\n"));
        }
        ExitCode::from(self.exit as u8)
    }
}

impl From<ClientError> for CliError {
    fn from(e: ClientError) -> Self {
        match e {
            ClientError::Api(e) => {
                let exit = match e.code {
                    Code::Invalid => Exit::Usage,
                    Code::Locked => Exit::Locked,
                    Code::NotFound => Exit::NotFound,
                    Code::Conflict | Code::WrongSecret | Code::Failed => Exit::Failed,
                };
                Self {
                    message: e.error.to_string(),
                    hint: e.hint,
                    exit,
                }
            }
            ClientError::Unreachable(_) => Self::new(Exit::Unreachable, e.to_string())
                .hint("run `emptor doctor` to see what is wrong"),
            ClientError::Protocol(_) => Self::failed(e.to_string())
                .hint("the daemon may be of another version: `emptor daemon stop` and try again"),
        }
    }
}

/// The result of a command.
pub type Result<T = ()> = std::result::Result<T, CliError>;

/// Text is folded to no fewer columns: below them lines of one word each say nothing.
const NARROWEST: usize = 40;

/// Options that every command takes.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// Never start the daemon
    #[arg(long, global = true)]
    pub no_spawn: bool,
    /// Read the passphrase from this file instead of the terminal
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "EMPTOR_PASSPHRASE_FILE"
    )]
    pub passphrase_file: Option<PathBuf>,
}

/// Writes to the error output. Where that is closed, too, nobody is left to be told.
pub fn aside(text: std::fmt::Arguments<'_>) {
    let mut out = std::io::stderr().lock();
    let _ = out.write_fmt(text).and_then(|()| out.flush());
}

/// Prints a line. A closed pipe ends the program quietly: a reader such as `head` has seen
/// enough. Where the line cannot be written otherwise, that is an error.
pub fn print_line(text: &str) {
    print_all(format!("{text}\n").as_bytes());
}

/// Prints bytes as they are, with the same manners.
pub fn print_all(bytes: &[u8]) {
    if let Err(e) = write_out(bytes) {
        give_up(&e);
    }
}

fn write_out(bytes: &[u8]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush())
}

/// Ends the program because its output cannot be written, quietly if the reader left.
pub fn give_up(error: &std::io::Error) -> ! {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    aside(format_args!("error: cannot write the output: {error}\n"));
    std::process::exit(Exit::Failed as i32)
}

/// What a command works with.
#[derive(Debug)]
pub struct Context {
    /// The common options.
    pub global: Global,
    /// Where things are.
    pub paths: Paths,
    /// How amounts and days are written.
    pub locale: Locale,
    /// The person's currency.
    pub home: Currency,
    /// The person's time zone.
    pub zone: TimeZone,
    /// The name of that locale; for the daemon, which writes sentences.
    language: String,
    /// Whether colours may be used on standard output.
    pub colour: bool,
    /// The columns of the terminal that text is folded to; none where no terminal reads it.
    pub columns: Option<usize>,
    /// Cancelled when nobody reads the output any more, by whoever has to tidy up then.
    /// Without it the program ends at once.
    pub unread: Option<CancellationToken>,
    client: Option<Client>,
}

impl Context {
    /// From the options and the environment.
    ///
    /// # Errors
    /// Where no home directory can be found.
    pub fn new(global: Global) -> Result<Self> {
        let paths = Paths::from_env().map_err(|e| CliError::failed(e.to_string()))?;
        Ok(Self::at(global, paths))
    }

    /// With everything at given places.
    #[must_use]
    pub fn at(global: Global, paths: Paths) -> Self {
        // A broken configuration must not keep `doctor` from saying so.
        let config = Config::load(&paths.config).unwrap_or_default();
        let colour = std::io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self {
            global,
            paths,
            locale: config.locale(),
            home: config.person.currency,
            zone: config.time_zone(),
            // Never empty: without a language the daemon writes for documents.
            language: Some(config.locale_name())
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "C".to_owned()),
            colour,
            columns: console::Term::stdout()
                .size_checked()
                .map(|(_, columns)| usize::from(columns).max(NARROWEST)),
            unread: None,
            client: None,
        }
    }

    /// The daemon, started if need be.
    ///
    /// # Errors
    /// [`Exit::Unreachable`]
    pub async fn client(&mut self) -> Result<&mut Client> {
        if self.client.is_none() {
            let mut client = Client::connect(&self.paths, !self.global.no_spawn).await?;
            if !self.global.json {
                client.speak(&self.language);
            }
            self.client = Some(client);
        }
        self.client
            .as_mut()
            .ok_or_else(|| CliError::failed("no connection"))
    }

    /// Calls the daemon; if the vault is locked, asks for the passphrase and tries again.
    ///
    /// # Errors
    /// Whatever the daemon says.
    pub async fn call<T: DeserializeOwned>(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T> {
        match self.client().await?.call(method, path, body).await {
            Err(ClientError::Api(ApiError {
                code: Code::Locked,
                error,
                hint,
            })) => {
                if hint.as_deref().is_some_and(|h| h.contains("emptor init")) {
                    return Err(ClientError::Api(ApiError {
                        code: Code::Locked,
                        error,
                        hint,
                    })
                    .into());
                }
                let passphrase = self.passphrase("Passphrase: ")?;
                self.unlock(&Unlock {
                    passphrase: Some(passphrase.to_string()),
                    recovery_code: None,
                    key_file: None,
                })
                .await?;
                Ok(self.client().await?.call(method, path, body).await?)
            }
            other => Ok(other?),
        }
    }

    /// Reads.
    ///
    /// # Errors
    /// Whatever the daemon says.
    pub async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T> {
        self.call("GET", path, None::<&()>).await
    }

    /// Changes.
    ///
    /// # Errors
    /// Whatever the daemon says.
    pub async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T> {
        self.call("POST", path, Some(body)).await
    }

    /// Removes.
    ///
    /// # Errors
    /// Whatever the daemon says.
    pub async fn delete<T: DeserializeOwned>(&mut self, path: &str) -> Result<T> {
        self.call("DELETE", path, None::<&()>).await
    }

    /// Opens the vault with a secret.
    ///
    /// # Errors
    /// A wrong secret, or whatever the daemon says.
    pub async fn unlock(&mut self, secret: &Unlock) -> Result<Done> {
        Ok(self.client().await?.post("/v1/unlock", secret).await?)
    }

    /// The passphrase: from the file given, else from the terminal.
    ///
    /// # Errors
    /// [`Exit::Locked`] where there is neither.
    pub fn passphrase(&self, prompt: &str) -> Result<Zeroizing<String>> {
        if let Some(path) = &self.global.passphrase_file {
            let text = std::fs::read_to_string(path).map_err(|e| {
                CliError::failed(format!(
                    "cannot read the passphrase file {}: {e}",
                    path.display()
                ))
            })?;
            let text = Zeroizing::new(text);
            return Ok(Zeroizing::new(
                text.trim_end_matches(['\r', '\n']).to_owned(),
            ));
        }
        if !std::io::stdin().is_terminal() {
            return Err(CliError::new(Exit::Locked, "the vault is locked")
                .hint("run `emptor unlock` in a terminal, or give --passphrase-file FILE"));
        }
        rpassword::prompt_password(prompt)
            .map(Zeroizing::new)
            .map_err(|e| CliError::failed(format!("cannot read the passphrase: {e}")))
    }

    /// Asks a yes-or-no question; no terminal means no.
    #[must_use]
    pub fn confirm(&self, question: &str) -> bool {
        if !std::io::stdin().is_terminal() {
            return false;
        }
        aside(format_args!("{question} [y/N] "));
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).is_ok()
            && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    /// Prints a document as JSON, or calls `text` to print it for a person.
    ///
    /// # Errors
    /// None at present; commands end with it.
    pub fn show<T: Serialize>(&self, value: &T, text: impl FnOnce(&Self, &T)) -> Result {
        if self.global.json {
            let json =
                serde_json::to_string_pretty(value).map_err(|e| CliError::failed(e.to_string()))?;
            self.verbatim(&json);
        } else {
            text(self, value);
        }
        Ok(())
    }

    /// Prints a line for a person, folded to the terminal.
    pub fn line(&self, text: &str) {
        let Some(columns) = self.columns else {
            return self.verbatim(text);
        };
        for line in text.split('\n') {
            self.verbatim(&fold(line, columns));
        }
    }

    /// Prints a document as it is. A closed pipe ends the program quietly.
    pub fn verbatim(&self, text: &str) {
        let written = write_out(format!("{text}\n").as_bytes());
        match (written, &self.unread) {
            (Ok(()), _) => {}
            (Err(e), Some(unread)) if e.kind() == std::io::ErrorKind::BrokenPipe => unread.cancel(),
            (Err(e), _) => give_up(&e),
        }
    }

    /// Bold on a terminal.
    #[must_use]
    pub fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }
    /// Dim on a terminal.
    #[must_use]
    pub fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }
    /// Green on a terminal.
    #[must_use]
    pub fn green(&self, text: &str) -> String {
        self.paint("32", text)
    }
    /// Yellow on a terminal.
    #[must_use]
    pub fn yellow(&self, text: &str) -> String {
        self.paint("33", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
