//! The `emptor` binary: see [`emptor::cli`].

fn main() -> std::process::ExitCode {
    emptor::cli::run()
}
