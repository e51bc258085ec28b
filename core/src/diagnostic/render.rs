//! Renders a diagnostic as text.

use super::Diagnostic;

pub(super) fn render(diagnostic: &Diagnostic, file: &str, _source: &str) -> String {
    format!("{:?}[{}]: {} --> {file}", diagnostic.severity, diagnostic.code, diagnostic.message)
}
