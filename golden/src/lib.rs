//! Golden cases: pipelines a user could write, their input, and exactly what must come out. See `README.md` beside.
//!
//! The library is what tests of several crates need of the world.

pub mod mariadb;
pub mod postgres;
