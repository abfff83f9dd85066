//! Times, medians, and how they are shown.
#![expect(clippy::disallowed_types, reason = "benches measure time; the product does not know it")]

use std::time::Instant;

/// Measures one stretch of work.
#[derive(Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time until this moment of the clock that all processes share, in microseconds.
    pub(crate) fn until(&self, nanoseconds: i64) -> f64 {
        self.0.elapsed().as_secs_f64() * 1e6 - (now() - nanoseconds) as f64 / 1e3
    }

    /// The time of one of `count` operations since the start, in microseconds.
    pub(crate) fn each(&self, count: u64) -> f64 {
        self.0.elapsed().as_secs_f64() * 1e6 / count as f64
    }
}

/// The clock that all processes share, in nanoseconds.
pub(crate) fn now() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// What one round of a figure came to, and its reference.
pub(crate) type Pair = (f64, f64);

/// One figure of one scheduler, beside its reference.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) figure: &'static str,
    pub(crate) scheduler: &'static str,
    pub(crate) reference: &'static str,
    pub(crate) unit: &'static str,
    /// Per round: what mage took, and what the reference took.
    pub(crate) rounds: Vec<Pair>,
}

impl Line {
    fn numbers(&self) -> (f64, f64, f64) {
        let value = median(self.rounds.iter().map(|(value, _)| *value).collect());
        let reference = median(self.rounds.iter().map(|(_, reference)| *reference).collect());
        // Within each round, then the median: what drifts between rounds drops out.
        let ratio = median(self.rounds.iter().map(|(value, reference)| value / reference).collect());
        (value, reference, ratio)
    }

    pub(crate) fn json(&self) -> String {
        let (value, reference, ratio) = self.numbers();
        format!(
            "{{\"figure\":\"{}\",\"scheduler\":\"{}\",\"value\":{value:.3},\"unit\":\"{}\",\"reference\":\"{}\",\
             \"reference_value\":{reference:.3},\"ratio\":{ratio:.3}}}",
            self.figure, self.scheduler, self.unit, self.reference
        )
    }

    pub(crate) fn row(&self) -> String {
        let unit = self.unit;
        let (value, reference, ratio) = self.numbers();
        format!(
            "{:<12} {:<6} {value:>9.3} {unit:<6} {:<12} {reference:>9.3} {unit:<6} {ratio:>6.2}x",
            self.figure, self.scheduler, self.reference
        )
    }
}

/// What half of them exceed.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
