# Writes the table of speeds into README.md, between its two marks, from the saved results:
#   Rscript inst/benchmarks/readme_table.R
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "problems.R"))

rows <- c(
  seed = "2 groups x 2 features, 1,000 rows each",
  iris = "iris: 3 groups x 4 features, 50 rows each",
  synth = "20 x 5, 200 rows each", big = "200 x 5, 50 rows each",
  schools_partial = "25 x 3, 2 to 40 rows, partially pooled",
  groups_partial = "200 x 5, 50 rows each, partially pooled",
  collinear_partial = "4 x 5, correlations near 0.99, partially pooled",
  frame_crabs = "crabs: 4 x 5, 50 rows each, priors in the frame",
  frame_schools_partial = "25 x 3, 2 to 40 rows, partially pooled, priors in the frame"
)

number <- function(x) {
  trimws(format(signif(x, 2), big.mark = ",", scientific = FALSE, drop0trailing = TRUE))
}

table_row <- function(name) {
  file <- beside_script("results", paste0("stan_", name, ".csv"))
  if (!file.exists(file)) {
    return(NULL)
  }
  found <- utils::read.csv(file, comment.char = "#")
  found <- stats::setNames(found$median, found$measure)
  cells <- vapply(
    found[c(
      "hmvn_seconds_cpu", "hmvn_per_second_cpu", "stan_per_second_cpu", "ratio_cpu",
      "ratio_sampling"
    )],
    number, ""
  )
  paste0("| ", paste(c(rows[[name]], cells), collapse = " | "), " |")
}

table <- c(
  paste(
    "| problem | processor seconds of the call | effective draws per second |",
    "Stan's | ratio | of sampling alone |"
  ),
  "|---|---|---|---|---|---|",
  unlist(lapply(names(rows), table_row))
)
file <- beside_script("..", "..", "README.md")
readme <- readLines(file)
marks <- match(
  c("<!-- speeds: written by inst/benchmarks/readme_table.R -->", "<!-- end of speeds -->"), readme
)
writeLines(c(readme[seq_len(marks[1])], table, readme[marks[2]:length(readme)]), file)
