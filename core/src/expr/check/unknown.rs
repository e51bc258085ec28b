//! Unknown: names of functions that Etalon does not have, and why: what to use in their place, or why an expression over one
//! row cannot do it.

use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::expr::functions;

/// Functions over many rows.
const AGGREGATES: &str = "any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp cume_dist \
    dense_rank every first_value json_agg json_object_agg jsonb_agg jsonb_object_agg lag last_value lead listagg max median \
    min mode nth_value ntile percent_rank percentile_cont percentile_disc range_agg range_intersect_agg rank regr_avgx \
    regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy row_number stddev stddev_pop \
    stddev_samp string_agg sum var_pop var_samp variance xmlagg grouping";

/// Functions of the clock, or of the session.
const IMPURE: &str = "clock_timestamp convert_timezone_now currval current_database current_query current_schema current_schemas \
    current_setting getdate inet_client_addr inet_client_port inet_server_addr inet_server_port lastval localtime nextval now \
    pg_backend_pid pg_client_encoding pg_sleep pg_sleep_for pg_sleep_until set_config setval statement_timestamp sysdate \
    timeofday transaction_timestamp txid_current txid_current_if_assigned version";

/// Functions of chance.
const CHANCE: &str =
    "gen_random_uuid generate_uuid rand random random_normal setseed uuid uuid_generate_v4 uuid_string newid";

/// What other systems call by another name, and its name here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("ifnull isnull", "`coalesce(a, b)` is the first value that is not NULL"),
    ("year month day hour minute second quarter week", "write `extract(year from …)`, with the unit that is wanted"),
    ("if iff iif", "write `case when … then … else … end`"),
    ("zeroifnull", "write `coalesce(…, 0)`"),
    ("nullifzero", "write `nullif(…, 0)`"),
    ("strptime parse_date str_to_date", "`to_date(text, 'YYYY-MM-DD')` reads by a pattern"),
    ("parse_timestamp parse_datetime", "`to_timestamp(text, 'YYYY-MM-DD HH24:MI:SS')` reads by a pattern"),
    ("date_format strftime format_date format_timestamp time_format", "`to_char(…, 'YYYY-MM-DD')` writes by a pattern"),
    ("split strsplit", "`split_part(text, ',', 1)` takes one part out"),
    ("regexp_extract regexp_match_group", "`regexp_substr(text, pattern)` takes the match out"),
    ("safe_cast try_convert", "write `try_cast(… as integer)`, which is NULL where the cast fails"),
    ("instr locate", "`strpos(text, part)` finds a part"),
    ("json_extract json_value get_json_object json_query", "`->` and `->>` take a value out: `detail ->> 'name'`"),
    ("parse_json", "write `json_parse(…)`"),
    ("string_length char_len", "write `length(…)`"),
    ("to_varchar to_string", "cast it: `…::varchar(20)`"),
    ("toint to_int to_integer to_double to_decimal to_boolean", "cast it: `…::integer`, or `try_cast(… as integer)`"),
    ("unix_timestamp to_unixtime epoch", "write `extract(epoch from …)`"),
    ("from_unixtime timestamp_seconds", "write `to_timestamp(…)`"),
    ("datetime", "cast it: `…::timestamp`"),
    ("ucase", "write `upper(…)`"),
    ("lcase", "write `lower(…)`"),
    ("farm_hash farm_fingerprint xxhash64 hash", "`md5`, `sha2` and `fnv_hash` are the hashes"),
];

/// What PostgreSQL has and no mapping wants, or no type here has: what it does, the names, and what to use instead.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "makes several rows, or several columns, of one value",
        "generate_series generate_subscripts json_array_elements json_array_elements_text json_each json_each_text \
         json_object_keys json_populate_record json_populate_recordset json_to_record json_to_recordset jsonb_array_elements \
         jsonb_array_elements_text jsonb_each jsonb_each_text jsonb_object_keys jsonb_path_query jsonb_path_query_tz \
         jsonb_populate_record jsonb_populate_recordset jsonb_to_record jsonb_to_recordset regexp_matches \
         regexp_split_to_table string_to_table unnest xmltable",
        "a row stays one row: `->`, `#>` and `jsonb_path_query_array` take values out, the warehouse takes them apart",
    ),
    (
        "is about arrays of other arrays, or of rows",
        "array_dims array_fill array_positions parse_ident row_to_json",
        "`string_to_array`, `regexp_match`, `array_position` are about arrays of texts",
    ),
    (
        "is about searching words, which the warehouse does not do",
        "array_to_tsvector get_current_ts_config json_to_tsvector jsonb_to_tsvector numnode phraseto_tsquery plainto_tsquery \
         querytree setweight strip to_tsquery to_tsvector ts_debug ts_delete ts_filter ts_headline ts_lexize ts_parse ts_rank \
         ts_rank_cd ts_rewrite ts_stat ts_token_type tsquery_phrase tsvector_to_array websearch_to_tsquery",
        "",
    ),
    (
        "is about ranges",
        "daterange int4range int8range isempty lower_inc lower_inf multirange numrange range_merge tsrange tstzrange upper_inc \
         upper_inf",
        "two columns hold the ends of a range; `between` and `overlaps` compare with them",
    ),
    (
        "is about shapes in a plane",
        "area bound_box box center circle diagonal diameter height isclosed isopen line lseg npoints path pclose point polygon \
         popen radius slope width",
        "",
    ),
    (
        "is about network addresses",
        "abbrev broadcast family host hostmask inet_merge inet_same_family macaddr8_set7bit masklen netmask network \
         set_masklen",
        "",
    ),
    ("is about enumerated types", "enum_first enum_last enum_range", "`one_of` says which values a column has"),
    (
        "is about XML",
        "cursor_to_xml database_to_xml query_to_xml schema_to_xml table_to_xml xml_is_well_formed \
         xml_is_well_formed_content xml_is_well_formed_document xmlcomment xmlconcat xmlelement xmlexists xmlforest xmlparse \
         xmlpi xmlroot xmlserialize xpath xpath_exists",
        "",
    ),
    ("leaves characters out by the rules of old encodings", "to_ascii", "`translate` replaces characters"),
    (
        "is a part of how PostgreSQL keeps, sorts or sends values",
        "bpchar_larger bpchar_smaller btboolcmp btbpchar_pattern_cmp btfloat48cmp btfloat4cmp btfloat84cmp btfloat8cmp \
         btint24cmp btint28cmp btint2cmp btint42cmp btint48cmp btint4cmp btint82cmp btint84cmp btint8cmp bttext_pattern_cmp \
         bttextcmp byteacmp date_larger date_smaller float4larger float4smaller float8larger float8smaller hash_numeric \
         hashbpchar hashfloat4 hashfloat8 hashint2 hashint4 hashint8 hashtext in_range int2larger int2smaller int4inc \
         int4larger int4smaller int8dec int8inc int8larger int8smaller interval_hash interval_larger interval_smaller jsonb_cmp \
         jsonb_hash numeric_cmp numeric_inc numeric_larger numeric_smaller text_larger text_smaller time_cmp time_hash \
         time_larger time_smaller timestamp_hash timestamp_larger timestamp_smaller timestamptz_larger timestamptz_smaller \
         timetz_cmp timetz_hash timetz_larger timetz_smaller",
        "operators compare values, `greatest` and `least` choose among them, `fnv_hash` and `md5` hash them",
    ),
];

fn is_among(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|known| known == word)
}

/// The mistake of a function that asks the clock or the session.
pub(super) fn of_the_clock(name: &str, place: Span) -> Diagnostic {
    Diagnostic::error(Code::NotScalar, place, format!("`{name}` would give another value in every run"))
        .with_help("`batch_time()` is the time of the run, and the same whenever it is repeated")
}

/// The mistake of a name that is no function.
pub(super) fn unknown_function(name: &str, place: Span) -> Diagnostic {
    if is_among(AGGREGATES, name) {
        return Diagnostic::error(Code::NotScalar, place, format!("`{name}` needs the other rows of the table"))
            .with_help("an expression sees one row; aggregate in the warehouse, after loading");
    }
    if is_among(IMPURE, name) {
        return of_the_clock(name, place);
    }
    if is_among(CHANCE, name) {
        return Diagnostic::error(Code::NotScalar, place, format!("`{name}` would give another value in every run"))
            .with_help("a key that stays the same: `md5(source_name() || ':' || record_offset())`");
    }
    if let Some((_, help)) = ELSEWHERE.iter().find(|(names, _)| is_among(names, name)) {
        return Diagnostic::error(Code::UnknownFunction, place, format!("there is no function `{name}`"))
            .with_help(*help);
    }
    if let Some((what, _, help)) = REFUSED.iter().find(|(_, names, _)| is_among(names, name)) {
        let wrong = Diagnostic::error(Code::Unsupported, place, format!("`{name}` is not supported: it {what}"));
        return if help.is_empty() { wrong } else { wrong.with_help(*help) };
    }
    let special = ["coalesce", "nullif", "greatest", "least", "nvl", "nvl2", "decode"];
    let known = functions::all().map(|function| function.name).chain(special);
    Diagnostic::error(Code::UnknownFunction, place, format!("there is no function `{name}`")).with_nearest(name, known)
}
