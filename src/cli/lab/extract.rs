//! `emptor lab extract`: product pages to offers.

use crate::engine::extract::{Page, read_page};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Read, Write};
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
        let input = match File::open(manifest) {
            Ok(file) => file,
            Err(e) => {
                eprintln!("error: cannot open {}: {e}", manifest.display());
                return ExitCode::FAILURE;
            }
        };
        let folder = manifest.parent().unwrap_or(Path::new("."));
        return super::json_lines(input, |line| answer(line, folder));
    }
    let file = args.file.as_deref().unwrap_or(Path::new("-"));
    let read = if file == Path::new("-") {
        read_limited(io::stdin().lock())
    } else {
        File::open(file).and_then(read_limited)
    };
    match read {
        Ok(body) => {
            let id = json!(file.to_string_lossy());
            let done = writeln!(io::stdout(), "{}", extract(&id, &body, args.url.as_ref()));
            ExitCode::from(u8::from(done.is_err()))
        }
        Err(e) => {
            eprintln!("error: cannot read {}: {e}", file.display());
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
    let path = folder.join(file);
    let body = File::open(&path)
        .and_then(read_limited)
        .map_err(|e| format!("cannot read {file}: {e}"))?;
    let id = line.get("id").cloned().unwrap_or(Value::Null);
    Ok(extract(&id, &body, url.as_ref()))
}

fn read_limited(input: impl Read) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    input.take(MAX_PAGE + 1).read_to_end(&mut body)?;
    if body.len() as u64 > MAX_PAGE {
        return Err(io::Error::other("the page is larger than 16 MiB"));
    }
    Ok(body)
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
