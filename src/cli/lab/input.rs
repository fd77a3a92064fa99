//! What the engines read: files and standard input, bounded in size and in waiting.

use crate::cli::context::aside;
use crate::model::text::is_hidden;
use std::fmt::{Display, Write};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The most of an error that is shown, in characters: names in it are foreign.
const MAX_MESSAGE: usize = 1_000;

/// Opens a file. A pipe counts as one, once somebody writes to it.
///
/// # Errors
/// In words, with the file's name.
pub fn open(path: &Path) -> Result<File, String> {
    open_any(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}

/// All of a file, or of standard input for `-`, if it has at most `limit` bytes.
///
/// # Errors
/// In words, with the file's name.
pub fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let stdin = path == Path::new("-");
    let read = || {
        let mut out = Vec::new();
        if stdin {
            io::stdin().lock().take(limit + 1).read_to_end(&mut out)?;
        } else {
            let file = open_any(path)?;
            if file.metadata()?.len() > limit {
                return Err(too_large(limit));
            }
            file.take(limit + 1).read_to_end(&mut out)?;
        }
        if out.len() as u64 > limit {
            return Err(too_large(limit));
        }
        Ok(out)
    };
    read().map_err(|e| format!("cannot read {}: {e}", name(path)))
}

/// What to call a file in an error.
#[must_use]
pub fn name(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

fn too_large(limit: u64) -> io::Error {
    io::Error::other(format!("it is larger than {} MiB", limit >> 20))
}

#[cfg(unix)]
fn open_any(path: &Path) -> io::Result<File> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::{OFlags, fcntl_setfl};
    use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};

    /// How long nobody may write to a pipe.
    const PATIENCE: Timespec = Timespec {
        tv_sec: 3,
        tv_nsec: 0,
    };
    // Without the flag, opening a pipe waits for a writer, who may never come.
    let file = File::options()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::Error::other("it is a directory; name a file in it"));
    }
    if kind.is_fifo() {
        let mut wait = [PollFd::new(&file, PollFlags::IN)];
        if poll(&mut wait, Some(&PATIENCE))? == 0 {
            return Err(io::Error::other("it is a pipe that nobody writes to"));
        }
    }
    fcntl_setfl(&file, OFlags::empty())?;
    Ok(file)
}

#[cfg(not(unix))]
fn open_any(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Prints an error. What could steer a terminal is written as `\u{…}`, and of a very long
/// text the middle is left out.
pub fn complain(error: impl Display) {
    let text: Vec<char> = error.to_string().chars().collect();
    let mut safe = String::with_capacity(text.len().min(2 * MAX_MESSAGE));
    let cut = text.len() > MAX_MESSAGE;
    let head = if cut { MAX_MESSAGE / 2 } else { text.len() };
    let tail = if cut { MAX_MESSAGE / 2 } else { 0 };
    let mut show = |part: &[char]| {
        for c in part {
            if is_hidden(*c) {
                safe.extend(c.escape_unicode());
            } else {
                safe.push(*c);
            }
        }
    };
    show(&text[..head]);
    if cut {
        show(&[' ', '…', ' ']);
    }
    show(&text[text.len() - tail..]);
    aside(format_args!("error: {safe}\n"));
}

/// JSON with what could steer a terminal written as `\uXXXX`, which says the same.
/// Controls below a space are written so already.
#[must_use]
pub fn tame(json: String) -> String {
    if json.is_ascii() || !json.chars().any(is_hidden) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Why a line is no JSON of the kind wanted, with its column.
#[must_use]
pub fn json_error(error: &serde_json::Error, line: &[u8]) -> String {
    let text = error.to_string();
    let column = error.column();
    let place = format!(" at line {} column {column}", error.line());
    let problem = match text.strip_suffix(&place) {
        Some(problem) => format!("column {column}: {problem}"),
        None => text,
    };
    if error.is_data() {
        return problem;
    }
    let odd = odd_number(line, column);
    format!("not JSON, {problem}{odd}")
}

/// Says so where an error's place holds a number that JSON has not, but that some programs
/// write all the same.
#[must_use]
pub fn odd_number(line: &[u8], column: usize) -> String {
    let rest = line.get(column.saturating_sub(1)..).unwrap_or_default();
    let odd = ["NaN", "Infinity"].into_iter();
    let odd = odd.filter(|word| rest.starts_with(word.as_bytes()));
    odd.map(|word| format!(": {word} is no number")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn tame_json_says_the_same_and_steers_nothing() {
        let wild = json!({"a\u{9b}31m": "x\u{1b}[2J\u{202e}y\u{e0041}é", "b": 1});
        let tamed = tame(wild.to_string());
        assert!(!tamed.chars().any(is_hidden), "{tamed}");
        let read: Value = serde_json::from_str(&tamed).expect("JSON");
        assert_eq!(read, wild);
    }

    #[test]
    fn an_error_of_a_line_names_its_column_once() {
        let read = |line: &str| {
            let error = serde_json::from_str::<Vec<f64>>(line).expect_err("no numbers");
            json_error(&error, line.as_bytes())
        };
        assert_eq!(read("[1,]"), "not JSON, column 4: trailing comma");
        assert_eq!(
            read("[1,NaN]"),
            "not JSON, column 4: expected value: NaN is no number"
        );
        assert_eq!(
            read("[-Infinity]"),
            "not JSON, column 3: invalid number: Infinity is no number"
        );
        assert_eq!(
            read("[true]"),
            "column 5: invalid type: boolean `true`, expected f64"
        );
    }
}
