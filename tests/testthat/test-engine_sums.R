# Queries for engines that are not here, as dbplyr writes them; what the text must have, as versions
# of dbplyr differ in the rest.

dialects <- c(
  postgres = "DOUBLE PRECISION", sqlite = "DOUBLE PRECISION", redshift = "DOUBLE PRECISION",
  snowflake = "DOUBLE PRECISION", mssql = "DOUBLE PRECISION", teradata = "DOUBLE PRECISION",
  mysql = "DOUBLE", mariadb = "DOUBLE", hive = "DOUBLE", impala = "DOUBLE", spark_sql = "DOUBLE",
  hana = "DOUBLE", odbc = "DOUBLE PRECISION", oracle = "BINARY_DOUBLE", bigquery = "FLOAT64"
)

simulated <- function(dialect) {
  if (dialect == "bigquery") { # of a package of its own
    return(dbplyr::simulate_dbi("BigQueryConnection"))
  }
  name <- paste0("simulate_", dialect)
  if (!name %in% getNamespaceExports("dbplyr")) skip(paste("this dbplyr has no", name))
  getExportedValue("dbplyr", name)()
}

plan_of <- function(con, ...) {
  plan <- list(
    con = con, group = "the group", features = c("x", "y"), numeric = character(),
    categories = character()
  )
  utils::modifyList(plan, list(...))
}

# The query of sums, on one line, names unquoted.
sql_of <- function(dialect, centers = NULL, ...) {
  con <- simulated(dialect)
  table <- dbplyr::lazy_frame(`the group` = "a", x = 1L, y = 1, w = 1, s = "u", con = con)
  plan <- plan_of(con, ...)
  cells <- engine_cells(engine_columns(table, plan), plan)
  text <- as.character(dbplyr::sql_render(sums_query(cells, plan, 2, centers)))
  gsub("[`\"\\[\\]]", "", gsub("\\s+", " ", text), perl = TRUE)
}

count_of_text <- function(pattern, text) lengths(regmatches(text, gregexpr(pattern, text)))

for (dialect in names(dialects)) {
  test_that(paste("sums in the SQL of", dialect), {
    skip_if_not_installed("dbplyr")
    sql <- sql_of(dialect)
    # numbers of 64 bits before anything is computed
    expect_match(sql, paste0("CAST(x1 AS ", dialects[[dialect]], ")"), fixed = TRUE)
    expect_match(sql, paste0("CAST(x2 AS ", dialects[[dialect]], ")"), fixed = TRUE)
    # the window may have a name
    expect_match(sql, "AVG\\(x1\\) OVER (\\(PARTITION BY g1, p1\\)|win1)")
    expect_match(sql, "\\(PARTITION BY g1, p1\\)")
    expect_match(sql, "x1 - m1 AS d1")
    for (product in c("d1 \\* d1", "d1 \\* d2", "d2 \\* d2")) {
      expect_match(sql, paste0("SUM\\(", product, "\\)"))
    }
    expect_match(sql, "COUNT(_BIG)?\\(\\*\\) AS rows")
    # PostgreSQL knows how many groups truth values make
    keys <- if (dialect == "postgres") "b1, b2" else "p1"
    expect_match(sql, paste0("GROUP BY g1, ", keys, "$"))
    expect_match(sql, "CASE WHEN \\(+x1 IS NULL\\)+ THEN 0")
    # nothing that engines lack
    expect_false(grepl("COVAR|VAR_|REGR_|CROSS|JOIN|NUMERIC", sql))
    # cells are tested where that is asked for
    finite <- sql_of(dialect, tested = TRUE)
    number <- paste0("CAST(1.0e+150 AS ", dialects[[dialect]], ")")
    expect_match(finite, paste0("x2 >= -", number, " AND x2 <= ", number), fixed = TRUE)
    expect_match(finite, "SUM(infinite) AS infinite", fixed = TRUE)
    expect_false(grepl("1.0e+150", sql, fixed = TRUE))
    fixed <- sql_of(dialect, centers = c(1e9 + 1 / 3, 0))
    expect_false(grepl("OVER", fixed))
    expect_match(fixed, paste0("CAST(1.0000000003333334e+09 AS ", dialects[[dialect]], ")"),
      fixed = TRUE)
  })
}

test_that("weights enter every sum and the window, and rows of weight 0 do not", {
  skip_if_not_installed("dbplyr")
  sql <- sql_of("postgres", weights = "w")
  expect_match(sql, "SUM\\(w \\* x1\\) OVER .{1,35} / SUM\\(w\\) OVER")
  expect_match(sql, "SUM\\(w \\* \\(?d1 \\* d2\\)?\\)")
  expect_match(sql, "SUM\\(w\\) AS n,")
  expect_match(sql, "WHERE \\(*w > 0")
  expect_identical(count_of_text("SUM\\(w \\*", sql), 2L + 2L + 3L)
})

test_that("one group has no key, and covariates their own mark", {
  skip_if_not_installed("dbplyr")
  expect_match(sql_of("sqlite", group = character()), "GROUP BY p1$")
  sql <- sql_of("sqlite", numeric = "w", categories = "s")
  expect_match(sql, "u1 IS NULL.* OR .*v1 IS NULL.* THEN 0")
  expect_match(sql, "GROUP BY g1, p1, known$")
})

test_that("a pattern takes a whole number of 32 bits for 30 features", {
  skip_if_not_installed("dbplyr")
  con <- dbplyr::simulate_sqlite()
  plan <- list(con = con, features = paste0("f", 1:61))
  expect_identical(word_columns(plan), c("p1", "p2", "p3"))
  expect_named(pattern_words(61L), c("p1", "p2", "p3"))
  table <- data.frame(p1 = c(2^30 - 1, 5, 0), p2 = c(0, 2^29, 1), p3 = c(1, 0, 0))
  observed <- read_words(table, 61)
  expect_identical(which(observed[, 1]), c(1:30, 61L))
  expect_identical(which(observed[, 2]), c(1L, 3L, 60L))
  expect_identical(which(observed[, 3]), 31L)
})

test_that("sums about any centre give the scatter about the mean", {
  x <- with_fixed_seed(8, matrix(rnorm(40), 20))
  sums_about <- function(m) {
    d <- sweep(x, 2, m)
    data.frame(
      rows = 20, m1 = m[1], m2 = m[2], r1 = sum(d[, 1]), r2 = sum(d[, 2]), lo1 = min(x[, 1]),
      lo2 = min(x[, 2]), hi1 = max(x[, 1]), hi2 = max(x[, 2]), s1_1 = sum(d[, 1]^2),
      s1_2 = sum(d[, 1] * d[, 2]), s2_2 = sum(d[, 2]^2)
    )
  }
  hand <- moments_by_hand(x)
  for (m in list(c(0, 0), colMeans(x), c(10, -3))) {
    found <- read_sums(sums_about(m), 1L, matrix(TRUE, 2, 1))
    expect_equal(found$mean[, 1], hand$mean, tolerance = 1e-13)
    expect_equal(found$scatter[, , 1], hand$scatter, tolerance = 1e-13)
    moved <- 20 * (m - colMeans(x))^2 / diag(hand$scatter)
    expect_equal(found$moved, max(moved), tolerance = 1e-10)
  }
})
