//! `kubectl why`: the binary. Everything is in the library.

fn main() -> std::process::ExitCode {
    kubectl_why::cli::main()
}
