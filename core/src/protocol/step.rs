//! Step: the three functions that do the work of a pipeline.

/// A step of the way from objects to the table, a function each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Plans what there is to be read.
    Extract,
    /// Reads, checks and stages.
    Transform,
    /// Loads what is staged.
    Load,
}

impl Step {
    /// All of them, in the order of the way.
    pub const ALL: [Self; 3] = [Self::Extract, Self::Transform, Self::Load];

    /// What it is called: `extract`, `transform`, `load`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Extract => "extract",
            Self::Transform => "transform",
            Self::Load => "load",
        }
    }
}
