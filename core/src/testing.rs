//! Testing: strategies and laws. A law is a plain function that holds for every input; property tests and fuzz targets
//! call the same ones.
