//! Prints reports and decides nothing.

pub mod json;
pub mod overview;
mod page;
mod safe;
pub mod text;

pub use page::Style;
pub use safe::Safe;
