//! Imports point down only: cli, agent, the middle floor, vault/net/worker, engine, model.

use std::fs;
use std::path::{Path, PathBuf};

/// The floor of each top-level module; a module may use those on lower floors, itself, and
/// what [`SIBLINGS`] grants.
const FLOORS: [(&str, u8); 13] = [
    ("model", 0),
    ("engine", 1),
    ("vault", 2),
    ("net", 2),
    ("worker", 2),
    ("market", 3),
    ("tender", 3),
    ("import", 3),
    ("consent", 3),
    ("notify", 3),
    ("agent", 4),
    ("cli", 5),
    ("demo", 5),
];

/// The two floors at the top know each other: `emptor demo` is a command that tells a story
/// with the other commands' words.
const SIBLINGS: [(&str, &str); 2] = [("cli", "demo"), ("demo", "cli")];

fn floor(module: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, floor)| *floor)
}

fn rust_files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a source directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// The top-level module a file belongs to.
fn module_of(src: &Path, file: &Path) -> String {
    let inside = file.strip_prefix(src).expect("below src");
    let first = inside
        .components()
        .next()
        .expect("a name")
        .as_os_str()
        .to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The modules named after `crate::` anywhere in the code, tests included.
fn used(text: &str) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for part in code.split("crate::").skip(1) {
            let name: String = part
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            if !name.is_empty() {
                out.push((number + 1, name));
            }
        }
        assert!(
            !code.contains("use crate::{"),
            "line {}: name the module first",
            number + 1
        );
    }
    out
}

#[test]
fn imports_point_down_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    assert!(files.len() > 50, "the sources were found");
    let mut wrong = Vec::new();
    for file in files {
        let module = module_of(&src, &file);
        if module == "lib" || module == "main" {
            continue;
        }
        let own = floor(&module).unwrap_or_else(|| panic!("`{module}` has no floor"));
        let text = fs::read_to_string(&file).expect("a source file");
        for (line, name) in used(&text) {
            let Some(other) = floor(&name) else { continue };
            let granted = SIBLINGS.contains(&(module.as_str(), name.as_str()));
            if name != module && other >= own && !granted {
                wrong.push(format!("{}:{line}: {module} uses {name}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_check_sees_a_wrong_import() {
    let found = used("use crate::agent::Agent; // crate::cli\nlet x = crate::model::Id::new();");
    assert_eq!(found, [(1, "agent".to_owned()), (2, "model".to_owned())]);
}
