//! Runs adapters on stored pages and compares with what must come out.

use crate::engine::adapter::{self, Manifest, Page};
use crate::model::{Currency, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use url::Url;

/// Largest stored page, in bytes: the fetcher's limit.
const MAX_PAGE: u64 = 8 << 20;

/// What must be read from a page. `expect` is compared in parts: what it does not
/// mention may be anything.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The page's address.
    pub url: Url,
    /// A product page or a page of search results.
    pub kind: PageKind,
    /// The HTTP status.
    #[serde(default = "ok")]
    pub status: u16,
    /// The currency the shop is known to sell in.
    #[serde(default)]
    pub shop_currency: Option<Currency>,
    /// The address that must be fetched in place of `url`.
    #[serde(default)]
    pub fetch: Option<Url>,
    /// The verdict.
    pub verdict: Verdict,
    /// The least number of offers or entries.
    #[serde(default)]
    pub min_items: usize,
    /// Fields that every offer or entry must have.
    #[serde(default)]
    pub required: Vec<String>,
    /// Parts of the result, as JSON.
    #[serde(default)]
    pub expect: Value,
}

/// What a stored page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PageKind {
    /// A product page.
    Product,
    /// A page of search results.
    Search,
}

const fn ok() -> u16 {
    200
}

/// Why a fixture cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum FixtureError {
    /// A file cannot be read.
    #[error("{0}: {1}")]
    Io(String, io::Error),
    /// What is expected is written wrongly.
    #[error("{0}: {1}")]
    Expected(String, serde_json::Error),
}

/// The result on one page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The fixture's name.
    pub name: String,
    /// One line for each difference, `PATH: expected …, found …`; empty where all is well.
    pub differences: Vec<String>,
}

/// Runs an adapter on one stored page.
///
/// # Errors
/// [`FixtureError::Expected`] if the expectation cannot be read.
pub fn run(
    manifest: &Manifest,
    name: &str,
    body: &[u8],
    expected: &str,
) -> Result<Report, FixtureError> {
    let expected: Expected = serde_json::from_str(expected)
        .map_err(|e| FixtureError::Expected(format!("{name}.expected.json"), e))?;
    let page = Page {
        url: &expected.url,
        status: expected.status,
        content_type: None,
        body,
        shop_currency: expected.shop_currency,
    };
    let mut differences = Vec::new();
    if let Some(fetch) = &expected.fetch {
        let found = manifest.fetch_address(&expected.url);
        if found != *fetch {
            differences.push(differs("fetch", &json!(fetch), &json!(found)));
        }
    }
    let (verdict, items, whole) = match expected.kind {
        PageKind::Product => {
            let x = adapter::read(manifest, &page);
            let whole = json!(x);
            (x.verdict, whole["offers"].clone(), whole)
        }
        PageKind::Search => {
            let x = adapter::list(manifest, &page);
            let whole = json!({ "listings": x.listings, "next": x.next, "reason": x.reason });
            (x.verdict, whole["listings"].clone(), whole)
        }
    };
    if verdict != expected.verdict {
        let reason = whole["reason"].as_str().unwrap_or("no reason given");
        differences.push(format!(
            "verdict: expected {}, found {} ({reason})",
            expected.verdict.as_str(),
            verdict.as_str(),
        ));
    }
    let items = items.as_array().map_or(&[][..], Vec::as_slice);
    if items.len() < expected.min_items {
        differences.push(format!(
            "items: expected at least {}, found {}",
            expected.min_items,
            items.len()
        ));
    }
    for (i, item) in items.iter().enumerate() {
        for field in &expected.required {
            if item.get(field).is_none_or(Value::is_null) {
                differences.push(format!("item {i}: {field} is missing"));
            }
        }
    }
    compare("", &expected.expect, &whole, &mut differences);
    Ok(Report {
        name: name.to_owned(),
        differences,
    })
}

/// Runs an adapter on all pages in its folder `fixtures`, by name.
///
/// # Errors
/// [`FixtureError`] if a page or its expectation cannot be read.
pub fn run_folder(manifest: &Manifest, dir: &Path) -> Result<Vec<Report>, FixtureError> {
    let io = |path: &Path| {
        let name = path.display().to_string();
        move |e| FixtureError::Io(name, e)
    };
    let mut pages: Vec<_> = fs::read_dir(dir)
        .map_err(io(dir))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
            name.is_some_and(|n| !n.ends_with(".expected.json") && !n.starts_with('.'))
        })
        .collect();
    pages.sort();
    pages
        .iter()
        .map(|path| {
            let name = path
                .file_name()
                .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
            let mut body = Vec::new();
            fs::File::open(path)
                .and_then(|f| f.take(MAX_PAGE).read_to_end(&mut body))
                .map_err(io(path))?;
            let expected = dir.join(format!("{name}.expected.json"));
            let expected = fs::read_to_string(&expected).map_err(io(&expected))?;
            run(manifest, &name, &body, &expected)
        })
        .collect()
}

/// Notes where `found` lacks something `expected` says. Lists are compared in order
/// and length.
fn compare(path: &str, expected: &Value, found: &Value, out: &mut Vec<String>) {
    match (expected, found) {
        (Value::Null, _) if path.is_empty() => {}
        (Value::Object(e), Value::Object(f)) => {
            for (key, value) in e {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                compare(&path, value, f.get(key).unwrap_or(&Value::Null), out);
            }
        }
        (Value::Array(e), Value::Array(f)) => {
            if e.len() != f.len() {
                out.push(format!(
                    "{path}: expected {} entries, found {}",
                    e.len(),
                    f.len()
                ));
            }
            for (i, (e, f)) in e.iter().zip(f).enumerate() {
                compare(&format!("{path}[{i}]"), e, f, out);
            }
        }
        (e, f) if e == f => {}
        (e, f) => out.push(differs(path, e, f)),
    }
}

fn differs(path: &str, expected: &Value, found: &Value) -> String {
    format!("{path}: expected {expected}, found {found}")
}

#[cfg(test)]
mod tests {
    use super::super::BUILT_IN;
    use super::*;

    #[test]
    fn built_in_adapters_read_their_fixtures() {
        let mut faults = Vec::new();
        for b in BUILT_IN {
            let manifest = Manifest::parse(b.manifest, b.id).unwrap_or_else(|e| panic!("{e}"));
            for f in b.fixtures {
                let report = run(&manifest, f.name, f.body.as_bytes(), f.expected)
                    .unwrap_or_else(|e| panic!("{}: {e}", b.id));
                let lines = report.differences.into_iter();
                faults.extend(lines.map(|d| format!("{}/{}: {d}", b.id, f.name)));
            }
        }
        assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    }

    #[test]
    fn differences_name_the_place() {
        let mut out = Vec::new();
        let expected = json!({"offers": [{"price": {"amount": "5.00"}, "name": "Mug"}]});
        let found = json!({"offers": [{"price": {"amount": "6.00"}}, {}], "title": "x"});
        compare("", &expected, &found, &mut out);
        assert_eq!(
            out,
            [
                "offers: expected 1 entries, found 2",
                "offers[0].name: expected \"Mug\", found null",
                "offers[0].price.amount: expected \"5.00\", found \"6.00\"",
            ]
        );
    }
}
