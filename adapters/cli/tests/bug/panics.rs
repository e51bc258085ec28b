//! A program that panics, on the thread that it is told; `tests/bug.rs` compiles and runs it.

#[path = "../../src/bug.rs"]
mod bug;

fn main() {
    bug::end_with(70, |panic| eprintln!("told: {panic}"));
    if std::env::args().any(|argument| argument == "main") {
        panic!("on purpose");
    }
    let _ = std::thread::spawn(|| panic!("on purpose")).join();
}
