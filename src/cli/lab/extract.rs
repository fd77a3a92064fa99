//! `emptor lab extract`: product pages to offers.

use super::input::{bytes, complain, open, tame};
use crate::cli::context::print_line;
use crate::engine::extract::{Page, read_page};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use url::Url;

/// A page larger than this is not read.
const MAX_PAGE: u64 = 16 << 20;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The page; `-` reads standard input
    #[arg(required_unless_present = "manifest", conflicts_with = "manifest")]
    file: Option<PathBuf>,
    /// The address the page was fetched from
    #[arg(long, conflicts_with = "manifest")]
    url: Option<Url>,
    /// JSON Lines {"id","url","file"}, files relative to this one
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
}

/// Reads one page, or every page of a manifest.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    if let Some(manifest) = &args.manifest {
        let input = match open(manifest) {
            Ok(file) => file,
            Err(e) => {
                complain(e);
                return ExitCode::FAILURE;
            }
        };
        let folder = manifest.parent().unwrap_or(Path::new("."));
        return super::json_lines(input, |line| answer(line, folder));
    }
    let file = args.file.as_deref().unwrap_or(Path::new("-"));
    match bytes(file, MAX_PAGE) {
        Ok(body) => {
            let id = json!(file.to_string_lossy());
            print_line(&tame(extract(&id, &body, args.url.as_ref()).to_string()));
            ExitCode::SUCCESS
        }
        Err(e) => {
            complain(e);
            ExitCode::FAILURE
        }
    }
}

fn answer(line: &Value, folder: &Path) -> Result<Value, String> {
    let file = line
        .get("file")
        .and_then(Value::as_str)
        .ok_or("`file` is missing")?;
    let url = match line.get("url") {
        None | Some(Value::Null) => None,
        Some(Value::String(s)) => Some(Url::parse(s).map_err(|e| format!("`url`: {e}"))?),
        Some(_) => return Err("`url` is not a text".into()),
    };
    let body = bytes(&folder.join(file), MAX_PAGE)?;
    let id = line.get("id").cloned().unwrap_or(Value::Null);
    Ok(extract(&id, &body, url.as_ref()))
}

fn extract(id: &Value, body: &[u8], url: Option<&Url>) -> Value {
    let extraction = read_page(&Page {
        body,
        content_type: None,
        url,
    });
    json!({
        "id": id,
        "verdict": extraction.verdict,
        "title": extraction.title,
        "reason": extraction.reason,
        "offers": extraction.offers,
    })
}
