//! Spans of time as kubectl prints them.

use jiff::Timestamp;

/// A span in the two-unit form of kubectl's AGE column.
///
/// Source: apimachinery `duration.HumanDuration`. A span below zero reads `0s`: clocks of nodes and clients differ.
pub fn human(seconds: i64) -> String {
    let s = seconds.max(0);
    let (m, h, d) = (s / 60, s / 3600, s / 86400);
    let two = |whole: i64, unit: &str, rest: i64, sub: &str| {
        if rest == 0 { format!("{whole}{unit}") } else { format!("{whole}{unit}{rest}{sub}") }
    };
    match s {
        0..120 => format!("{s}s"),
        120..600 => two(m, "m", s % 60, "s"),
        600..10_800 => format!("{m}m"),
        10_800..28_800 => two(h, "h", m % 60, "m"),
        28_800..172_800 => format!("{h}h"),
        172_800..691_200 => two(d, "d", h % 24, "h"),
        691_200..63_072_000 => format!("{d}d"),
        63_072_000..252_288_000 => two(d / 365, "y", d % 365, "d"),
        _ => format!("{}y", d / 365),
    }
}

/// Seconds from `earlier` to `later`; negative if the clocks say so.
pub fn seconds_between(earlier: Timestamp, later: Timestamp) -> i64 {
    later.as_second().saturating_sub(earlier.as_second())
}

/// Whole seconds of a duration as Go prints it: `2m40s`, `1h0m0s`, `500ms`. `None` if it is none.
pub fn go_duration(text: &str) -> Option<i64> {
    go_seconds(text).map(|seconds| seconds as i64)
}

/// Seconds of a duration as Go writes it, with their fraction. `None` if it is none.
pub fn go_seconds(text: &str) -> Option<f64> {
    let mut seconds = 0.0_f64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at(letters);
        let scale = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * scale;
        rest = next;
    }
    (!text.is_empty()).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::{go_duration, go_seconds, human};

    #[test]
    fn durations_of_go_are_read() {
        for (text, seconds) in
            [("2m40s", Some(160)), ("5m0s", Some(300)), ("1h0m0s", Some(3600)), ("500ms", Some(0)), ("1500ms", Some(1))]
        {
            assert_eq!(go_duration(text), seconds);
        }
        for text in ["", "5", "m", "2x", "back"] {
            assert_eq!(go_duration(text), None, "{text}");
        }
    }

    #[test]
    fn spans_read_as_in_the_age_column() {
        for (seconds, text) in [
            (-5, "0s"),
            (119, "119s"),
            (332, "5m32s"),
            (600, "10m"),
            (10_800, "3h"),
            (12_000, "3h20m"),
            (90_000, "25h"),
            (200_000, "2d7h"),
            (800_000, "9d"),
            (730 * 86_400, "2y"),
            (740 * 86_400, "2y10d"),
            (8 * 365 * 86_400, "8y"),
        ] {
            assert_eq!(human(seconds), text);
        }
    }

    #[test]
    fn fractions_of_a_second_count_as_what_they_are() {
        for (text, seconds) in [("2s500ms", 2.5), ("250us", 0.000_25), ("250µs", 0.000_25), ("5ns", 0.000_000_005)] {
            let read = go_seconds(text).unwrap();
            assert!((read - seconds).abs() < 1e-12, "{text}: {read}");
        }
    }
}
