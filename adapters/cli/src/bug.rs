//! Bug: reports a panic, which is always a bug, and ends the program with an exit code of its own. It is a hook, which runs
//! whether panics unwind or abort.

/// Makes every panic, of any thread, end the program with `exit_code`, after `tell` has told it.
pub(crate) fn end_with(exit_code: u8, tell: fn(&str)) {
    std::panic::set_hook(Box::new(move |panic| {
        tell(&panic.to_string());
        std::process::exit(i32::from(exit_code));
    }));
}
