//! The wire, spoken by hand.
