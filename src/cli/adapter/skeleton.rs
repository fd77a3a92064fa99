//! The beginning of an adapter, to be edited by a person.

use crate::cli::context::{CliError, Result};
use crate::engine::adapter::Manifest;
use crate::engine::extract::{self, Page};
use crate::market::adapters::MANIFEST;
use crate::model::Verdict;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use url::Url;

const SKELETON: &str = r##"format = 1
id = "{id}"
version = "0.1.0"
name = "{name}"
hosts = [{hosts}]
# For prices without a currency beside them, and for `1.299`:
# currency = "EUR"
# locale = "de-DE"

# Each field takes a CSS selector, or a list of sources tried in order:
#   { css = "…", attr = "…" }   { meta = "…" }   { json_ld = "/offers/price" }
#   { script = "script#data", json = "/product/price" }   { url = true, regex = '…' }
# `emptor adapter check` names the line of a fault.

[layout]
# Found on every product page. If it is missing, the layout changed.
product = ["h1"]

[product.fields]
name = "h1"
price = ".price"
availability = [
    { css = ".stock", transform = [{ words = [["out of stock", "OutOfStock"], ["in stock", "InStock"]] }] },
]

# [search]
# url = "{base}/search?q={query}"
# items = ".product-card"
# empty = ".no-results"
# [search.fields]
# url = { css = "a", attr = "href" }
# name = "a"
# price = ".price"
"##;

/// Writes manifest, fixture and expectation; the paths written.
pub fn write(
    id: &str,
    host: Option<&str>,
    from: Option<&Path>,
    dir: &Path,
) -> Result<Vec<PathBuf>> {
    let text = SKELETON.replace("{id}", id).replace("{name}", id).replace(
        "{hosts}",
        &host.map_or_else(String::new, |h| format!("\"{h}\"")),
    );
    let folder = dir.join(id);
    let file = folder.join(MANIFEST);
    // The only parts not written here are the id and the host.
    Manifest::parse(&text, "adapter").map_err(|e| CliError::usage(e.message))?;
    if file.exists() {
        return Err(
            CliError::failed(format!("{} is there already", file.display()))
                .hint("choose another id or edit that file"),
        );
    }
    let page = from
        .map(|path| read_page(path).map(|body| (path, body)))
        .transpose()?;
    let fixtures = folder.join("fixtures");
    make_dir(&fixtures)?;
    save(&file, text.as_bytes())?;
    let mut written = vec![file];
    if let Some((path, body)) = page {
        let is_json = path.extension().is_some_and(|e| e == "json");
        let name = if is_json {
            "product.json"
        } else {
            "product.html"
        };
        let expected = expected(&body, host.unwrap_or("shop.example"));
        for (file, content) in [
            (fixtures.join(name), body),
            (fixtures.join(format!("{name}.expected.json")), expected),
        ] {
            save(&file, &content)?;
            written.push(file);
        }
    }
    Ok(written)
}

/// What the generic readers see on the page: a first expectation to correct by hand.
fn expected(body: &[u8], host: &str) -> Vec<u8> {
    let host = host.trim_start_matches("*.");
    let url = Url::parse(&format!("https://{host}/"));
    let seen = extract::read_page(&Page {
        body,
        content_type: None,
        url: url.as_ref().ok(),
    });
    let offer = seen
        .offers
        .first()
        .filter(|_| seen.verdict == Verdict::Value);
    let first = offer.map_or_else(
        || json!({ "name": "…", "price": { "amount": "0.00", "currency": "EUR" } }),
        |o| json!({ "name": o.name, "price": o.price, "availability": o.availability }),
    );
    let value = json!({
        "url": format!("https://{host}/"),
        "kind": "product",
        "verdict": "value",
        "min_items": 1,
        "required": ["name", "price"],
        "expect": { "offers": [first] },
    });
    let mut text = serde_json::to_vec_pretty(&value).unwrap_or_default();
    text.push(b'\n');
    text
}

fn read_page(path: &Path) -> Result<Vec<u8>> {
    let size = fs::metadata(path).map(|m| m.len());
    match size {
        Ok(size) if size > 8 << 20 => Err(CliError::failed(format!(
            "{} is larger than 8 MiB",
            path.display()
        ))),
        _ => fs::read(path).map_err(|e| CliError::failed(format!("{}: {e}", path.display()))),
    }
}

fn make_dir(dir: &Path) -> Result {
    fs::create_dir_all(dir).map_err(|e| CliError::failed(format!("{}: {e}", dir.display())))
}

fn save(file: &Path, content: &[u8]) -> Result {
    fs::write(file, content).map_err(|e| CliError::failed(format!("{}: {e}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_adapter_is_well_formed_and_never_overwrites() {
        let dir = tempfile::tempdir().expect("a directory");
        let page = dir.path().join("saved.html");
        fs::write(&page, "<h1>Mug</h1><p class=price>5,00 €</p>").expect("write");
        let files =
            write("my-shop", Some("shop.example"), Some(&page), dir.path()).expect("written");
        assert_eq!(files.len(), 3);
        let text = fs::read_to_string(&files[0]).expect("read");
        let manifest = Manifest::parse(&text, "x").expect("well formed");
        assert!(manifest.claims("shop.example").is_some());
        assert!(write("my-shop", None, None, dir.path()).is_err());
        for (id, host) in [
            ("My Shop", None),
            ("../x", None),
            ("x", Some("https://shop.example")),
        ] {
            assert!(write(id, host, None, dir.path()).is_err(), "{id} {host:?}");
        }
        assert!(!dir.path().join("x").exists());
    }
}
