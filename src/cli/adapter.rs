//! `emptor adapter`: list, check, test and start adapters. Offline, without the daemon.

mod skeleton;

use super::context::{CliError, Exit, Result, aside, print_line};
use crate::engine::adapter::Manifest;
use crate::market::adapters::fixtures::{self, Report};
use crate::market::adapters::{self, Adapter, BUILT_IN, MANIFEST, Origin, Registry};
use clap::Subcommand;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `emptor adapter`
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  emptor adapter list
  emptor adapter new my-shop --host shop.example --from page.html
  emptor adapter check ./my-shop
  emptor adapter test ./my-shop")]
pub enum AdapterCommand {
    /// The adapters there are, and what is wrong with yours
    #[command(alias = "ls")]
    List,
    /// Run adapters on their stored pages
    #[command(after_help = "Examples:
  emptor adapter test               all adapters
  emptor adapter test woocommerce   one of them
  emptor adapter test ./my-shop     a folder with adapter.toml and fixtures/")]
    Test {
        /// Ids, folders or manifests; all adapters where none is given
        #[arg(value_name = "ID|PATH")]
        which: Vec<String>,
    },
    /// Say whether manifests are well written
    Check {
        /// Manifests or their folders
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Start an adapter of your own
    New {
        /// Its id: lower case letters, digits and hyphens
        id: String,
        /// The host it reads; without one it is a preset
        #[arg(long)]
        host: Option<String>,
        /// A saved product page to become its first fixture
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
}

/// Runs the command; `dir` is the person's adapter directory.
#[must_use]
pub fn run(command: &AdapterCommand, json: bool, dir: &Path) -> ExitCode {
    let done = match command {
        AdapterCommand::List => list(json, dir),
        AdapterCommand::Test { which } => test(which, json, dir),
        AdapterCommand::Check { files } => check(files, json),
        AdapterCommand::New { id, host, from } => {
            new(id, host.as_deref(), from.as_deref(), json, dir)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => e.report(),
    }
}

fn list(json: bool, dir: &Path) -> Result {
    let (registry, _) = Registry::load(dir);
    if json {
        let all: Vec<Value> = registry.iter().map(describe).collect();
        let broken: Vec<Value> = registry
            .broken()
            .map(|(file, error)| json!({ "file": file, "error": error }))
            .collect();
        print_line(&json!({ "adapters": all, "broken": broken }).to_string());
        return Ok(());
    }
    let mut table = comfy_table::Table::new();
    table
        .load_style(comfy_table::presets::NOTHING)
        .set_header(["ID", "VERSION", "READS", "SEARCH", "FROM", "NAME"]);
    for adapter in registry.iter() {
        let m = &adapter.manifest;
        table.add_row([
            m.id.to_string(),
            m.version.to_string(),
            reads(m),
            if m.search.is_some() { "yes" } else { "no" }.to_owned(),
            match &adapter.origin {
                Origin::BuiltIn => "emptor".to_owned(),
                Origin::File(_) => "you".to_owned(),
            },
            m.name.clone(),
        ]);
    }
    print_line(&table.to_string());
    for (_, error) in registry.broken() {
        aside(format_args!("error: {error}\n"));
    }
    Ok(())
}

fn reads(manifest: &Manifest) -> String {
    if manifest.hosts.is_empty() {
        return "any host you choose".to_owned();
    }
    let hosts: Vec<String> = manifest.hosts.iter().map(ToString::to_string).collect();
    hosts.join(", ")
}

fn describe(adapter: &Adapter) -> Value {
    let m = &adapter.manifest;
    let hosts: Vec<String> = m.hosts.iter().map(ToString::to_string).collect();
    let file = match &adapter.origin {
        Origin::BuiltIn => None,
        Origin::File(path) => Some(path),
    };
    json!({
        "id": m.id.as_str(),
        "version": m.version.to_string(),
        "name": m.name,
        "about": m.about,
        "hosts": hosts,
        "search": m.search.is_some(),
        "product": m.product.is_some(),
        "file": file,
    })
}

/// The stored pages of one adapter, run.
struct Tested {
    id: String,
    reports: Vec<Report>,
}

fn test(which: &[String], json: bool, dir: &Path) -> Result {
    let mut tested = Vec::new();
    if which.is_empty() {
        let (registry, _) = Registry::load(dir);
        for adapter in registry.iter() {
            tested.push(test_one(adapter)?);
        }
        if let Some((_, error)) = registry.broken().next() {
            return Err(CliError::failed(error));
        }
    } else {
        for name in which {
            tested.push(test_one(&find(name, dir)?)?);
        }
    }
    let pages: usize = tested.iter().map(|t| t.reports.len()).sum();
    let failed = tested
        .iter()
        .flat_map(|t| &t.reports)
        .filter(|r| !r.differences.is_empty())
        .count();
    if json {
        let adapters: Vec<Value> = tested.iter().map(tested_json).collect();
        print_line(&json!({ "ok": failed == 0, "adapters": adapters }).to_string());
    } else {
        for t in &tested {
            for report in &t.reports {
                let mark = if report.differences.is_empty() {
                    "ok  "
                } else {
                    "FAIL"
                };
                print_line(&format!("{mark} {}/{}", t.id, report.name));
                for line in &report.differences {
                    print_line(&format!("       {line}"));
                }
            }
            if t.reports.is_empty() {
                print_line(&format!("none {}: no stored pages", t.id));
            }
        }
    }
    if failed > 0 {
        return Err(
            CliError::failed(format!("{failed} of {pages} pages read differently"))
                .hint("mend the selectors, or the .expected.json where the page says otherwise"),
        );
    }
    Ok(())
}

fn tested_json(tested: &Tested) -> Value {
    let fixtures: Vec<Value> = tested
        .reports
        .iter()
        .map(|r| {
            json!({
                "name": r.name,
                "ok": r.differences.is_empty(),
                "differences": r.differences,
            })
        })
        .collect();
    json!({ "id": tested.id, "fixtures": fixtures })
}

fn test_one(adapter: &Adapter) -> Result<Tested> {
    let manifest = &adapter.manifest;
    let id = manifest.id.to_string();
    let fault = |e: fixtures::FixtureError| CliError::failed(e.to_string());
    let reports = match &adapter.origin {
        Origin::BuiltIn => BUILT_IN
            .iter()
            .filter(|b| b.id == id)
            .flat_map(|b| b.fixtures)
            .map(|f| fixtures::run(manifest, f.name, f.body.as_bytes(), f.expected).map_err(fault))
            .collect::<Result<_>>()?,
        Origin::File(path) => {
            let folder = path.with_file_name("fixtures");
            // A manifest that lies alone in the directory has no folder of its own.
            if path.ends_with(MANIFEST) && folder.is_dir() {
                fixtures::run_folder(manifest, &folder).map_err(fault)?
            } else {
                Vec::new()
            }
        }
    };
    Ok(Tested { id, reports })
}

/// An adapter by a path, or else by its id.
fn find(name: &str, dir: &Path) -> Result<Adapter> {
    let path = Path::new(name);
    if path.exists() {
        return adapters::from_file(&manifest_in(path))
            .map_err(|e| CliError::failed(e.to_string()));
    }
    let (registry, _) = Registry::load(dir);
    registry.by_id(name).cloned().ok_or_else(|| {
        CliError::new(Exit::NotFound, format!("there is no adapter `{name}`"))
            .hint("`emptor adapter list` shows all; a path names a folder or a manifest")
    })
}

/// The manifest of a folder; a file is its own.
fn manifest_in(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join(MANIFEST)
    } else {
        path.to_owned()
    }
}

fn check(files: &[PathBuf], json: bool) -> Result {
    let mut faults = 0;
    let mut lines = Vec::new();
    for file in files {
        let file = manifest_in(file);
        let (line, value) = match adapters::from_file(&file) {
            Ok(adapter) => {
                let m = &adapter.manifest;
                let text = format!("{}: ok, {} {}", file.display(), m.id, m.version);
                let value = json!({ "file": file, "ok": true, "id": m.id.as_str() });
                (text, value)
            }
            Err(e) => {
                faults += 1;
                let mut value = json!({ "file": file, "ok": false, "error": e.to_string() });
                if let adapters::LoadError::Manifest(e) = &e {
                    value["line"] = json!(e.line);
                    value["field"] = json!(e.field);
                }
                (e.to_string(), value)
            }
        };
        if !json {
            print_line(&line);
        }
        lines.push(value);
    }
    if json {
        print_line(&json!({ "ok": faults == 0, "files": lines }).to_string());
    }
    if faults > 0 {
        return Err(
            CliError::failed(format!("{faults} of {} manifests are wrong", files.len()))
                .hint("docs/adapters.md says what each field may be"),
        );
    }
    Ok(())
}

fn new(id: &str, host: Option<&str>, from: Option<&Path>, json: bool, dir: &Path) -> Result {
    let files = skeleton::write(id, host, from, dir)?;
    if json {
        print_line(&json!({ "files": files }).to_string());
    } else {
        for file in &files {
            print_line(&format!("wrote {}", file.display()));
        }
        print_line(&format!("edit it, then run `emptor adapter test {id}`"));
    }
    Ok(())
}
