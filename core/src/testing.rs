//! Laws and strategies, shared by the property tests and the fuzz targets.

pub mod spec;
