//! Chapter 9 of PostgreSQL's manual, section by section: each function is there, or is refused with a reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use etalon_core::diagnostic::{Code, Diagnostic};
use etalon_core::expr::Expr;

use crate::spec::check_page;

/// The sections and the names of their functions, those with a syntax of their own too. Operators are functions by
/// another spelling.
const SECTIONS: &[(&str, &str, &str)] = &[
    ("9.1", "Logical operators", "booleq boolne"),
    (
        "9.2",
        "Comparison",
        "num_nonnulls num_nulls int4eq int8lt float8ge numeric_ne text_lt date_le timestamp_gt timestamptz_eq interval_lt bpchareq \
         byteaeq jsonb_eq timetz_ge btint4cmp int4larger",
    ),
    (
        "9.3",
        "Mathematics",
        "abs cbrt ceil ceiling degrees div exp factorial floor gcd lcm ln log log10 min_scale mod pi power radians round scale \
         sign sqrt trim_scale trunc width_bucket random setseed acos acosd asin asind atan atand atan2 atan2d cos cosd cot cotd \
         sin sind tan tand sinh cosh tanh asinh acosh atanh int4pl numeric_add float8mul int8div numeric_mod dpow int4and int4or \
         int4xor int4not int4shl int4shr",
    ),
    (
        "9.4",
        "Texts",
        "bit_length char_length character_length lower normalize octet_length overlay position substring trim upper ascii btrim \
         chr concat concat_ws format initcap left length lpad ltrim md5 parse_ident pg_client_encoding quote_ident quote_literal \
         quote_nullable regexp_count regexp_instr regexp_like regexp_match regexp_matches regexp_replace \
         regexp_split_to_array regexp_split_to_table regexp_substr repeat replace reverse right rpad rtrim split_part \
         starts_with string_to_array string_to_table strpos substr to_ascii to_hex translate unistr textcat",
    ),
    (
        "9.5",
        "Bytes",
        "bit_count byteacat convert convert_from convert_to decode encode get_bit get_byte set_bit set_byte sha224 sha256 sha384 \
         sha512",
    ),
    ("9.7", "Patterns", "textlike texticlike textnlike bpcharlike bytealike textregexeq texticregexeq textregexne"),
    ("9.8", "Formatting", "to_char to_date to_number to_timestamp"),
    (
        "9.9",
        "Dates and times",
        "age clock_timestamp date_bin date_part date_trunc extract isfinite justify_days justify_hours justify_interval \
         localtime make_date make_interval make_time make_timestamp make_timestamptz now overlaps pg_sleep pg_sleep_for \
         pg_sleep_until statement_timestamp timeofday timezone transaction_timestamp date_pl_interval date_pli \
         timestamp_mi timestamp_pl_interval interval_mul interval_div time_mi_time timetz_pl_interval",
    ),
    ("9.10", "Enumerated types", "enum_first enum_last enum_range"),
    (
        "9.11",
        "Geometry",
        "area center diagonal diameter height isclosed isopen npoints pclose popen radius slope width box bound_box circle \
         line lseg path point polygon",
    ),
    (
        "9.12",
        "Network addresses",
        "abbrev broadcast family host hostmask inet_merge inet_same_family masklen netmask network set_masklen macaddr8_set7bit",
    ),
    (
        "9.13",
        "Searching words",
        "array_to_tsvector get_current_ts_config numnode plainto_tsquery phraseto_tsquery websearch_to_tsquery querytree \
         setweight strip to_tsquery to_tsvector json_to_tsvector jsonb_to_tsvector ts_delete ts_filter ts_headline ts_rank \
         ts_rank_cd ts_rewrite tsquery_phrase tsvector_to_array ts_debug ts_lexize ts_parse ts_token_type ts_stat",
    ),
    ("9.14", "UUIDs", "gen_random_uuid"),
    (
        "9.15",
        "XML",
        "xmlcomment xmlconcat xmlelement xmlforest xmlpi xmlroot xmlagg xmlexists xml_is_well_formed xml_is_well_formed_document \
         xml_is_well_formed_content xpath xpath_exists xmltable table_to_xml query_to_xml cursor_to_xml schema_to_xml \
         database_to_xml",
    ),
    (
        "9.16",
        "JSON",
        "to_json to_jsonb array_to_json row_to_json json_build_array jsonb_build_array json_build_object jsonb_build_object \
         json_object jsonb_object json_array_elements jsonb_array_elements json_array_elements_text \
         jsonb_array_elements_text json_array_length jsonb_array_length json_each jsonb_each json_each_text jsonb_each_text \
         json_extract_path jsonb_extract_path json_extract_path_text jsonb_extract_path_text json_object_keys \
         jsonb_object_keys json_populate_record jsonb_populate_record json_populate_recordset jsonb_populate_recordset \
         json_to_record jsonb_to_record json_to_recordset jsonb_to_recordset json_strip_nulls jsonb_strip_nulls jsonb_set \
         jsonb_set_lax jsonb_insert jsonb_path_exists jsonb_path_match jsonb_path_query jsonb_path_query_array \
         jsonb_path_query_first jsonb_path_exists_tz jsonb_path_match_tz jsonb_path_query_tz jsonb_path_query_array_tz \
         jsonb_path_query_first_tz jsonb_pretty json_typeof jsonb_typeof jsonb_contains jsonb_contained jsonb_exists \
         jsonb_exists_any jsonb_exists_all jsonb_concat jsonb_delete jsonb_delete_path jsonb_path_exists_opr \
         jsonb_path_match_opr",
    ),
    ("9.17", "Sequences", "nextval setval currval lastval"),
    ("9.18", "Conditions", "coalesce nullif greatest least"),
    (
        "9.19",
        "Arrays",
        "array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position array_positions \
         array_prepend array_remove array_replace array_to_string array_upper cardinality trim_array unnest",
    ),
    ("9.20", "Ranges", "lower_inc upper_inc lower_inf upper_inf isempty range_merge multirange"),
    (
        "9.21",
        "Aggregates",
        "array_agg avg bit_and bit_or bit_xor bool_and bool_or count every json_agg jsonb_agg json_object_agg jsonb_object_agg \
         max min range_agg range_intersect_agg string_agg sum corr covar_pop covar_samp regr_avgx regr_avgy regr_count \
         regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev stddev_pop stddev_samp variance var_pop var_samp \
         mode percentile_cont percentile_disc rank dense_rank percent_rank cume_dist grouping",
    ),
    ("9.22", "Windows", "row_number ntile lag lead first_value last_value nth_value"),
    ("9.25", "Sets of rows", "generate_series generate_subscripts"),
    (
        "9.26",
        "The session",
        "current_database current_query current_schema current_schemas inet_client_addr inet_client_port inet_server_addr \
         inet_server_port pg_backend_pid version txid_current txid_current_if_assigned",
    ),
    ("9.27", "Settings", "current_setting set_config"),
];

/// What stands before the page's table.
const HEAD: &str = "# PostgreSQL's functions\n\nGenerated by a test; do not edit. This page says which functions of chapter 9 of PostgreSQL 15's \
    manual Etalon has, by section: how many are supported, and which are refused for what reason. [Functions](functions.md) describes each, and \
    [the differences](postgresql-differences.md) lists results that differ. Operators may also be called by the names of their functions: \
    `int4pl(1, 2)`. Bit strings (9.6), subqueries (9.23) and the server's own tasks (9.28 to 9.30) are refused altogether; rows and arrays can \
    be compared (9.24) if they are written out. What gives an array stands inside other functions or before a subscript: \
    `(string_to_array(a, ','))[1]`.\n\n| Section | | Supported | Refused |\n|---|---|---|---|\n";

#[test]
fn every_function_of_chapter_nine_is_there_or_refused_with_a_reason() {
    let mut page = String::from(HEAD);
    for (number, title, names) in SECTIONS {
        let mut there = 0;
        let mut refused: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for name in names.split_whitespace() {
            match reason(name) {
                None => there += 1,
                Some(reason) => refused.entry(reason).or_default().push(name),
            }
        }
        let _ = write!(page, "| {number} | {title} | {there} | ");
        let refused = refused.iter().map(|(reason, names)| match names.as_slice() {
            [first, second, third, _, ..] => {
                format!("`{first}`, `{second}`, `{third}` and {} more: {reason}", names.len() - 3)
            }
            names => format!("`{}`: {reason}", names.join("`, `")),
        });
        page.push_str(&refused.collect::<Vec<_>>().join("; "));
        page.push_str(" |\n");
    }
    check_page("postgresql-functions.md", &page);
}

/// Why a function is refused, without its name, whatever it is called with; `None` if it is there.
fn reason(name: &str) -> Option<String> {
    let calls = [format!("{name}(null)"), format!("{name}(null, null)")];
    let reasons = calls.iter().map(|call| {
        let wrong = Expr::compile(call, &[]).err()?;
        let is_unknown = wrong.iter().any(|wrong| wrong.code == Code::UnknownFunction);
        assert!(!is_unknown, "{name} is neither there nor refused with a reason");
        let is_refused = |code| matches!(code, Code::Unsupported | Code::NotScalar);
        // What gives an array is there for other functions.
        let is_array = |wrong: &Diagnostic| &*wrong.message == "an array is not supported here";
        let wrong = wrong.into_iter().find(|wrong| is_refused(wrong.code) && !is_array(wrong))?;
        let fact = wrong.message.trim_start_matches(&format!("`{name}` "));
        Some(fact.trim_start_matches("is not supported: it ").to_owned())
    });
    reasons.collect::<Option<Vec<_>>>()?.pop()
}
