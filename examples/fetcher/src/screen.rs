//! What the user sees: a line for each fetch that is over, and below them a bar for each that is not.

use std::time::Duration;

use console::style;
use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressStyle};
use mage::CallError;

use crate::interfaces::FetchObserver;

const SPINNER: &str = "  {spinner:.cyan} {bytes:>10}                                {wide_msg:.dim}";
const BAR: &str = "  {spinner:.cyan} {bytes:>10} {bar:30.cyan/blue} {wide_msg:.dim}";

/// The terminal, or whatever standard output is.
#[derive(Default)]
pub(crate) struct Screen {
    bars: MultiProgress,
}

impl Screen {
    /// Prints a line above all bars.
    pub(crate) fn print(&self, line: impl std::fmt::Display) {
        self.bars.suspend(|| println!("{line}"));
    }

    /// Begins a bar.
    pub(crate) fn row(&self, url: &str) -> Row {
        let bar = self.bars.add(ProgressBar::no_length().with_style(template(SPINNER)));
        bar.set_message(url.to_owned());
        bar.enable_steady_tick(Duration::from_millis(80));
        Row { bar, status: None, total: None }
    }

    /// Ends a bar, with the line that stays. `answer` is what the network process said at the end, if it could.
    pub(crate) fn finish(&self, row: Row, url: &str, answer: &Result<String, CallError>) {
        row.bar.finish_and_clear();
        self.bars.remove(&row.bar);
        let failed = |reason: &dyn std::fmt::Display| {
            format!("  {}  {url}  {}", style(format_args!("{:<26}", "failed")).red(), style(reason).red())
        };
        self.print(match (answer, row.status, row.total) {
            (Ok(failure), Some(status), Some((bytes, seconds))) if failure.is_empty() => {
                let paint = style(status);
                let status = if status < 400 { paint.green() } else { paint.yellow() };
                let (size, time) = (HumanBytes(bytes.unsigned_abs()).to_string(), seconds * 1000.0);
                format!("  {status}  {size:>10}  {time:>6.0} ms  {url}")
            }
            (Ok(failure), ..) => failed(failure),
            (Err(error), ..) => failed(error),
        });
    }
}

/// One fetch. The network process reports to it through a pipe.
pub(crate) struct Row {
    bar: ProgressBar,
    status: Option<i32>,
    total: Option<(i64, f64)>,
}

impl Row {
    /// How many bytes came, if all did.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.total.map(|(bytes, _)| bytes.unsigned_abs())
    }
}

impl FetchObserver for Row {
    fn on_response(&mut self, status: i32, size: i64) {
        self.status = Some(status);
        if let Ok(size) = u64::try_from(size) {
            self.bar.set_length(size);
            self.bar.set_style(template(BAR));
        }
    }

    fn on_received(&mut self, received: i64) {
        self.bar.set_position(received.unsigned_abs());
    }

    fn on_finished(&mut self, received: i64, seconds: f64) {
        self.total = Some((received, seconds));
    }
}

fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).expect("the templates above are well-formed").progress_chars("━╸─")
}
