//! Laws of the linter of Redshift's statements.

use crate::warehouse::dialect::redshift::lint::lint;

/// Any text has a list of offences, in the order of their places, which are in the text.
pub fn any_text_has_its_offences(sql: &str) {
    let offences = lint(sql);
    for offence in &offences {
        assert!(sql.is_char_boundary(offence.offset), "{offence:?} in {} bytes", sql.len());
    }
    assert!(offences.is_sorted_by_key(|offence| offence.offset));
    // A comment in front is nobody's offence.
    let moved = lint(&format!("/* load */\n{sql}"));
    assert_eq!(offences.len(), moved.len());
}
