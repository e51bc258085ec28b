//! Bug: a panic is one. It is told, and the program ends with a code of its own, whether panics unwind or abort: a
//! hook runs before either.

/// Makes every panic, of any thread, end the program with `exit_code`, after `tell` has told it.
pub(crate) fn end_with(exit_code: u8, tell: fn(&str)) {
    std::panic::set_hook(Box::new(move |panic| {
        tell(&panic.to_string());
        std::process::exit(i32::from(exit_code));
    }));
}
