//! Progress of long work: on a terminal the current step with counts, and while reading a bar with bytes, rate and remaining
//! time; also the message after Ctrl-C.

use std::io::IsTerminal;

use etalon_driver::ports::{Progress, Stage};
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;
use crate::output::Output;
use crate::view::thousands;

/// A bar on a terminal; nothing elsewhere.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
    output: Output,
}

impl Bar {
    /// A bar, hidden where standard error is no terminal. From now on Ctrl-C takes it away and tells what is kept: a run that
    /// is killed leaves nothing that the next one would not mend, so there is nothing else to do.
    pub(crate) fn new(output: Output) -> Self {
        let bar = Self::drawn(output);
        // Without a handler, Ctrl-C ends the program all the same.
        #[cfg(unix)]
        if let Ok(mut signals) = signal_hook::iterator::Signals::new([signal_hook::consts::SIGINT]) {
            let shown = bar.bar.clone();
            std::thread::spawn(move || {
                signals.forever().next();
                shown.finish_and_clear();
                let failure = Failure::interrupted();
                output.tell(&failure.told(output.form()));
                std::process::exit(i32::from(failure.exit_code()));
            });
        }
        bar
    }

    /// A bar, without a word about Ctrl-C.
    pub(crate) fn drawn(output: Output) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden(), output };
        }
        let bar = ProgressBar::new(0);
        // Words that a moment later are others need not be read.
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        let bar = Self { bar, output };
        bar.style("{msg}");
        bar
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }

    /// A bar for work that others do, which goes on when Ctrl-C ends this program.
    pub(crate) fn waiting(output: Output) -> Self {
        Self::drawn(output)
    }

    /// Others are at work with so many files.
    pub(crate) fn at_work(&self, files: u64) {
        self.bar.set_message(format!("the functions are at work with {} files", thousands(files)));
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn total(&self, bytes: u64) {
        self.style("reading: {bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left");
        self.bar.set_length(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn tell(&self, what: &str) {
        self.bar.suspend(|| self.output.note(what));
    }

    fn at(&self, stage: Stage, files: u64) {
        // To say it for each file would take longer than the work.
        if files > 0 && !files.is_multiple_of(100) {
            return;
        }
        let doing = match stage {
            Stage::Listing => "listing",
            Stage::Planning => "planning",
            Stage::Loading => "loading",
        };
        self.style("{msg}");
        self.bar.set_message(format!("{doing}: {} files", thousands(files)));
    }
}
