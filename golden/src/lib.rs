//! Golden cases: pipelines a user could write, their input, and exactly what must come out. See `README.md` beside.
