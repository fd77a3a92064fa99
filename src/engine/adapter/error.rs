//! Errors of a manifest, each with file, line and field.

use std::fmt;
use toml::de::{DeTable, DeValue};

/// What is wrong with a manifest, and where.
///
/// Printed as `FILE:LINE: FIELD: MESSAGE`, then `, did you mean …?` where a hint is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// The file's name as given to the parser.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The path of the field, such as `product.fields.price[0].css`; empty at the top.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// A known word that looks like the one written.
    pub hint: Option<String>,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, ", did you mean `{hint}`?")?;
        }
        Ok(())
    }
}

impl std::error::Error for ManifestError {}

/// Finds lines and field paths in one manifest.
pub(super) struct Locator<'a> {
    pub file: &'a str,
    pub text: &'a str,
}

impl Locator<'_> {
    /// An error of the TOML reader or of one of our field types.
    pub fn toml(&self, error: &toml::de::Error) -> ManifestError {
        let span = error.span().unwrap_or(0..0);
        let mut message = error.message().trim();
        let hint = suggestion(message);
        if hint.is_some() {
            // The whole list of words would hide the one that is meant.
            message = message.split(", expected").next().unwrap_or(message);
        }
        ManifestError {
            file: self.file.to_owned(),
            line: self.line(span.start),
            field: self.path(span.start, span.end),
            message: message.replace('\n', " "),
            hint,
        }
    }

    /// An error about the field at `path`, found after reading.
    pub fn at(&self, path: &[&str], message: impl Into<String>) -> ManifestError {
        let offset = DeTable::parse(self.text).map_or(0, |table| {
            let mut offset = 0;
            let mut table = Some(table.get_ref());
            for step in path {
                let Some((key, value)) = table.and_then(|t| t.get_key_value(*step)) else {
                    break;
                };
                offset = key.span().start;
                table = value.get_ref().as_table();
            }
            offset
        });
        ManifestError {
            file: self.file.to_owned(),
            line: self.line(offset),
            field: path.join("."),
            message: message.into(),
            hint: None,
        }
    }

    fn line(&self, offset: usize) -> usize {
        // What ends too early ends on its last line, not on the one after it.
        let text = self.text.strip_suffix('\n').unwrap_or(self.text);
        let before = text.as_bytes().iter().take(offset);
        1 + before.filter(|b| **b == b'\n').count()
    }

    /// The innermost field whose key or value covers `start..end`.
    fn path(&self, start: usize, end: usize) -> String {
        let mut path = String::new();
        if let Ok(table) = DeTable::parse(self.text) {
            descend_table(table.get_ref(), start, end, &mut path);
        }
        path
    }
}

fn covers(span: &std::ops::Range<usize>, start: usize, end: usize) -> bool {
    span.start <= start && end <= span.end
}

fn descend_table(table: &DeTable<'_>, start: usize, end: usize, path: &mut String) {
    for (key, value) in table {
        let on_key = covers(&key.span(), start, end);
        if on_key || covers(&value.span(), start, end) || holds(value.get_ref(), start, end) {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(key.get_ref());
            if !on_key {
                descend(value.get_ref(), start, end, path);
            }
            return;
        }
    }
}

fn descend(value: &DeValue<'_>, start: usize, end: usize, path: &mut String) {
    match value {
        DeValue::Table(table) => descend_table(table, start, end, path),
        DeValue::Array(array) => {
            for (index, item) in array.iter().enumerate() {
                if covers(&item.span(), start, end) || holds(item.get_ref(), start, end) {
                    path.push_str(&format!("[{index}]"));
                    descend(item.get_ref(), start, end, path);
                    return;
                }
            }
        }
        _ => {}
    }
}

/// Whether a table written as `[a.b]` holds the place: its own span is only its header.
fn holds(value: &DeValue<'_>, start: usize, end: usize) -> bool {
    match value {
        DeValue::Table(table) => table.iter().any(|(key, value)| {
            covers(&key.span(), start, end)
                || covers(&value.span(), start, end)
                || holds(value.get_ref(), start, end)
        }),
        DeValue::Array(array) => array
            .iter()
            .any(|v| covers(&v.span(), start, end) || holds(v.get_ref(), start, end)),
        _ => false,
    }
}

/// The expected word nearest to the unknown one in serde's message
/// ("unknown field `selecter`, expected one of `css`, …").
fn suggestion(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown ")?;
    let mut quoted = rest.split('`').skip(1).step_by(2);
    let written = quoted.next()?;
    nearest(written, quoted)
}

/// The candidate most like `written`, if one is near enough to be a slip.
pub(super) fn nearest<'a>(
    written: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<String> {
    candidates
        .map(|c| (strsim::jaro_winkler(written, c), c))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c.to_owned())
}
