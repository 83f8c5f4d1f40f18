# A program of stancode() in the syntax of rstan 2.21: arrays, functions under their names of then,
# two functions that it lacks, and declarations before statements.
older_syntax <- function(code) {
  lines <- strsplit(code, "\n", fixed = TRUE)[[1]]
  lines <- sub(" *//.*", "", lines)
  lines <- gsub("std_normal_lcdf\\(([^|]*) \\| \\)", "normal_lcdf(\\1 | 0, 1)", lines)
  lines <- gsub("%/%", "/", lines, fixed = TRUE)
  lines <- gsub("\\bsize\\(", "num_elements(", lines)
  lines <- gsub("\\babs\\(", "fabs(", lines)
  lines <- gsub("\\btail\\b", "tail_", lines) # the name of a function then
  array <- "^( *)array\\[((?:[^][]|\\[[^]]*\\])*)\\] (.*?) (\\w+)( = .*)?;$"
  lines <- sub(array, "\\1\\3 \\4[\\2]\\5;", lines, perl = TRUE)
  at <- match("functions {", lines)
  lacking <- c(
    "  real std_normal_log_qf(real x) { return inv_Phi(exp(x)); }",
    "  real inv_inc_beta(real a, real b, real p) {",
    "    real low = 0; real high = 1;",
    "    for (i in 1:200) {",
    "      real middle = 0.5 * (low + high);",
    "      if (inc_beta(a, b, middle) < p) low = middle; else high = middle;",
    "    }",
    "    return 0.5 * (low + high);",
    "  }"
  )
  lines <- if (is.na(at)) c("functions {", lacking, "}", lines) else append(lines, lacking, at)
  for (block in c("transformed parameters {", "generated quantities {")) {
    start <- match(block, lines)
    if (is.na(start)) next
    end <- start + match("}", lines[-seq_len(start)])
    inside <- seq(start + 1, length.out = end - start - 1)
    lines <- c(lines[seq_len(start)], declared_first(lines[inside]), lines[end:length(lines)])
  }
  paste0(c(lines, ""), collapse = "\n")
}

# Top-level declarations of a block before its statements; what defines is a statement.
declared_first <- function(lines) {
  pattern <- "^  ((real|(vector|matrix)\\[[^]]*\\]) (\\w+)(\\[G\\])?)( = .*|;)$"
  top <- grepl(pattern, lines)
  defines <- top & !grepl("^  [^=]*;$", lines)
  declarations <- paste0(sub(pattern, "  \\1", lines[top]), ";")
  statements <- lines
  statements[defines] <- sub(pattern, "  \\4\\6", lines[defines])
  c(declarations, statements[!top | defines])
}
