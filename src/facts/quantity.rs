//! Kubernetes quantities (`250m`, `1.5Gi`, `1e3`) as whole nano-units.
//!
//! Grammar: apimachinery `resource.Quantity`. Values round away from zero at nano precision and saturate.

/// An amount in billionths of its unit (bytes, cores, pieces).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Quantity(i128);

const NANO: i128 = 1_000_000_000;

impl Quantity {
    /// Nothing.
    pub const ZERO: Quantity = Quantity(0);

    /// Whole units.
    pub fn whole(units: i64) -> Self {
        Self(i128::from(units) * NANO)
    }

    /// Reads what the API wrote. `None` if it is no quantity.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let (multiplier, divisor) = scale(suffix)?;
        let mut digits: i128 = 0;
        for c in whole.chars().chain(fraction.chars()) {
            digits = digits.checked_mul(10)?.checked_add(i128::from(c.to_digit(10)?))?;
        }
        let divisor = divisor.checked_mul(10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?)?;
        let scaled = digits.saturating_mul(multiplier).saturating_mul(NANO);
        let rounded = scaled / divisor + i128::from(scaled % divisor != 0);
        Some(Self(if negative { -rounded } else { rounded }))
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; negative if `other` is larger.
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `self` times a whole number.
    pub fn times(self, n: i64) -> Self {
        Self(self.0.saturating_mul(i128::from(n)))
    }

    /// So many hundredths of it.
    pub fn share(self, percent: i64) -> Self {
        Self(self.0.saturating_mul(i128::from(percent)) / 100)
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether it is less than nothing.
    pub fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// In units, fractions lost towards zero.
    pub fn units(self) -> i64 {
        saturated(self.0 / NANO)
    }

    /// In thousandths, rounded up: CPU as `kubectl` counts it.
    pub fn millis(self) -> i64 {
        saturated(-self.0.saturating_neg().div_euclid(NANO / 1000))
    }

    /// As people read it: `cpu` in cores or thousandths, bytes with a binary suffix, anything else as a count.
    pub fn show(self, resource: &str) -> String {
        match resource {
            "cpu" => {
                let millis = self.millis();
                if millis % 1000 == 0 { (millis / 1000).to_string() } else { format!("{millis}m") }
            }
            "memory" | "ephemeral-storage" | "storage" => self.bytes(),
            name if name.starts_with("hugepages-") => self.bytes(),
            _ => self.units().to_string(),
        }
    }

    /// Bytes with the largest binary suffix that leaves at least one unit; one decimal, which is rounded down.
    fn bytes(self) -> String {
        let bytes = i128::from(self.units());
        let (sign, size) = if bytes < 0 { ("-", -bytes) } else { ("", bytes) };
        for (power, suffix) in [(60, "Ei"), (50, "Pi"), (40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki")] {
            let unit = 1i128 << power;
            if size >= unit {
                let tenths = size * 10 / unit;
                let (whole, tenth) = (tenths / 10, tenths % 10);
                return if tenth == 0 {
                    format!("{sign}{whole}{suffix}")
                } else {
                    format!("{sign}{whole}.{tenth}{suffix}")
                };
            }
        }
        format!("{sign}{size}")
    }
}

/// The number, or what is nearest to it among those of 64 bits.
fn saturated(number: i128) -> i64 {
    i64::try_from(number.clamp(i64::MIN.into(), i64::MAX.into())).unwrap_or_default()
}

/// What a suffix multiplies and divides by.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    Some(match suffix {
        "" => (1, 1),
        "n" => (1, NANO),
        "u" => (1, 1_000_000),
        "m" => (1, 1000),
        "k" => (1000, 1),
        "M" => (1_000_000, 1),
        "G" => (NANO, 1),
        "T" => (NANO * 1000, 1),
        "P" => (NANO * 1_000_000, 1),
        "E" => (NANO * NANO, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10i128.checked_pow(exponent.unsigned_abs().min(30))?;
            if exponent.is_negative() { (1, power) } else { (power, 1) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_of_the_api_is_read() {
        for (text, nanos) in [
            ("1", NANO),
            ("250m", NANO / 4),
            ("0.25", NANO / 4),
            (".5", NANO / 2),
            ("1e3", 1000 * NANO),
            ("1E-3", NANO / 1000),
            ("1Ki", 1024 * NANO),
            ("1.5Gi", 3 * (1 << 29) * NANO),
            ("2E", 2 * NANO * NANO * NANO),
            ("100n", 100),
            ("-1", -NANO),
        ] {
            assert_eq!(Quantity::parse(text), Some(Quantity(nanos)), "{text}");
        }
        for text in ["", "m", "1Zi", "1.2.3", "abc", "1 Gi", "1e", "--1"] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }

    #[test]
    fn absurd_numbers_saturate() {
        assert!(Quantity::parse("99999999999999999999Ei").is_some());
        assert_eq!(Quantity::parse(&"9".repeat(60)), None);
    }

    #[test]
    fn amounts_read_as_kubectl_prints_them() {
        let show = |text, resource| Quantity::parse(text).unwrap().show(resource);
        assert_eq!(show("1900m", "cpu"), "1900m");
        assert_eq!(show("64", "cpu"), "64");
        assert_eq!(show("900Gi", "memory"), "900Gi");
        assert_eq!(show("23533120Ki", "memory"), "22.4Gi");
        assert_eq!(show("2", "nvidia.com/gpu"), "2");
    }

    #[test]
    fn every_suffix_is_worth_what_the_api_says() {
        for (suffix, nanos) in [
            ("n", 1),
            ("u", 1000),
            ("m", NANO / 1000),
            ("k", 1000 * NANO),
            ("M", 1_000_000 * NANO),
            ("G", 1_000_000_000 * NANO),
            ("T", 1_000_000_000_000 * NANO),
            ("P", 1_000_000_000_000_000 * NANO),
            ("E", 1_000_000_000_000_000_000 * NANO),
            ("Ki", 1024 * NANO),
            ("Mi", 1024 * 1024 * NANO),
            ("Gi", 1024 * 1024 * 1024 * NANO),
            ("Ti", 1_099_511_627_776 * NANO),
            ("Pi", 1_125_899_906_842_624 * NANO),
            ("Ei", 1_152_921_504_606_846_976 * NANO),
            ("e0", NANO),
        ] {
            assert_eq!(Quantity::parse(&format!("1{suffix}")), Some(Quantity(nanos)), "{suffix}");
        }
        assert_eq!(Quantity::parse("0.1n"), Some(Quantity(1)), "what is less than a billionth counts as one");
    }

    #[test]
    fn cpu_is_rounded_up_to_thousandths_and_whole_units_down() {
        for (text, millis, units) in [
            ("0", 0, 0),
            ("1500m", 1500, 1),
            ("1001u", 2, 0),
            ("-1500m", -1500, -1),
            ("-1500u", -1, 0),
            ("99999999999Ei", i64::MAX, i64::MAX),
            ("-99999999999Ei", i64::MIN, i64::MIN),
        ] {
            let quantity = Quantity::parse(text).unwrap();
            assert_eq!((quantity.millis(), quantity.units()), (millis, units), "{text}");
            assert_eq!(quantity.is_negative(), text.starts_with('-'), "{text}");
        }
    }

    #[test]
    fn bytes_have_a_suffix_and_pieces_have_none() {
        let show = |text, resource| Quantity::parse(text).unwrap().show(resource);
        assert_eq!(show("2Mi", "hugepages-2Mi"), "2Mi");
        assert_eq!(show("2Mi", "nvidia.com/memory"), "2097152");
        assert_eq!(show("0", "memory"), "0");
        assert_eq!(show("1023", "storage"), "1023");
        assert_eq!(show("-1536", "ephemeral-storage"), "-1.5Ki");
    }
}
