//! A cloud on one machine.
