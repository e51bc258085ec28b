//! Borders: the last value before an end and the first behind it, and each counter of a task.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use etalon_core::expr::Expr;
use etalon_core::receipt::Counts;
use etalon_core::value::show::show;

/// What a constant expression is: its value, or the code of its fault.
fn result(expression: &str) -> String {
    match Expr::compile(expression, &[]) {
        Ok((expr, _)) => show(&*expr.constant().unwrap().values, 0).unwrap(),
        Err(wrong) => wrong.iter().find_map(|one| one.fault).unwrap().to_string(),
    }
}

#[test]
fn centuries_end_with_their_last_year() {
    for (unit, day, wanted) in [
        ("century", "2000-12-31", "20"),
        ("century", "2001-01-01", "21"),
        ("century", "0100-12-31", "1"),
        ("century", "0101-01-01", "2"),
        ("century", "0001-12-31 BC", "-1"),
        ("century", "0100-01-01 BC", "-1"),
        ("century", "0101-12-31 BC", "-2"),
        ("millennium", "2000-12-31", "2"),
        ("millennium", "2001-01-01", "3"),
        ("decade", "1999-12-31", "199"),
        ("decade", "2000-01-01", "200"),
    ] {
        assert_eq!(result(&format!("extract({unit} from date '{day}')")), wanted, "{unit} of {day}");
    }
}

#[test]
fn a_local_time_before_the_first_is_out_of_range() {
    let local = |instant: &str| result(&format!("timestamptz '{instant}' at time zone 'America/New_York'"));
    assert_eq!(local("4714-11-24 04:56:02+00 BC"), "4714-11-24 00:00:00 BC");
    assert_eq!(local("4714-11-24 04:56:01.999999+00 BC"), "R303");
}

#[test]
fn counts_of_tasks_add_up() {
    let counts = Counts { read: 15, staged: 1, filtered_false: 2, filtered_null: 4, quarantined: 8 };
    let mut sum = counts;
    sum.add(counts);
    assert_eq!(sum, Counts { read: 30, staged: 2, filtered_false: 4, filtered_null: 8, quarantined: 16 });
    assert!(sum.balance());
}
