//! Quantities: any text is one or none, and sums, differences and what is shown of them never overflow.
#![no_main]

use kubectl_why::facts::Quantity;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut sum = Quantity::ZERO;
    for part in text.split(' ') {
        let Some(one) = Quantity::parse(part) else { continue };
        sum = sum.plus(one);
        for resource in ["cpu", "memory", "pods"] {
            let shown = one.minus(sum).times(i64::MAX).show(resource);
            assert!(Quantity::parse(&shown).is_some(), "{shown}");
        }
        let _ = (one.millis(), one.units(), one.share(i64::MIN), sum.is_negative());
    }
});
