//! Types: what the columns of a statement are, as MySQL calls them, from the numbers of its protocol.

use crate::client::Column;

const UNSIGNED: u16 = 32;
const ENUM: u16 = 256;
const SET: u16 = 2048;
/// The collation of bytes.
const BYTES: u16 = 63;

/// The name of a column's type. A text and bytes have one name each, however long they are.
pub(crate) fn name(column: &Column) -> String {
    let unsigned = if column.flags & UNSIGNED == 0 { "" } else { " unsigned" };
    let name = match column.type_number {
        1 => return format!("tinyint{unsigned}"),
        2 => return format!("smallint{unsigned}"),
        3 => return format!("int{unsigned}"),
        8 => return format!("bigint{unsigned}"),
        9 => return format!("mediumint{unsigned}"),
        16 => return format!("bit({})", column.length),
        7 => return format!("timestamp({})", column.decimals),
        12 => return format!("datetime({})", column.decimals),
        0 | 246 => "decimal",
        4 => "float",
        5 => "double",
        10 | 14 => "date",
        11 => "time",
        13 => "year",
        242 => "vector",
        245 => "json",
        255 => "geometry",
        15 | 249..=254 if column.collation == BYTES && column.flags & (ENUM | SET) == 0 => "binary",
        6 | 15 | 247..=254 => "text",
        number => return format!("number {number}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_the_name_that_mysql_gives_it() {
        let named =
            |type_number, collation, flags| name(&Column { type_number, collation, length: 9, flags, decimals: 6 });
        assert_eq!(named(8, BYTES, UNSIGNED), "bigint unsigned");
        assert_eq!(named(16, BYTES, UNSIGNED), "bit(9)");
        assert_eq!([named(7, BYTES, 0), named(12, BYTES, 0)], ["timestamp(6)", "datetime(6)"]);
        assert_eq!(named(13, BYTES, UNSIGNED), "year");
        assert_eq!([named(252, BYTES, 0), named(252, 45, 0), named(254, BYTES, ENUM)], ["binary", "text", "text"]);
        assert_eq!([named(242, BYTES, 0), named(99, BYTES, 0)], ["vector", "number 99"]);
    }
}
