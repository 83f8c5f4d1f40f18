# Random input for every export: does each call give a result or an error of class hmvn_error,
# within ten seconds, in a session that lives? Anything else is printed with its seed.
#
#   Rscript inst/validation/fuzz.R [calls] [first seed]        from the package's folder
#
# Calls are made by tests/testthat/helper-fuzz.R, a seed each, in child processes of 1,000 calls, so
# that a crash is one line and no more. Results: results/fuzz.txt beside this file.

arguments <- as.numeric(c(commandArgs(TRUE), NA, NA))
n <- if (is.na(arguments[1])) 20000 else arguments[1]
first <- if (is.na(arguments[2])) 1 else arguments[2]
each <- 1000

child <- function(seeds) {
  code <- c(
    sprintf(".libPaths(c(%s))", toString(shQuote(.libPaths()))),
    "library(hmvn)",
    "env <- new.env(parent = asNamespace('hmvn'))",
    sprintf(
      "for (f in %s) sys.source(file.path('tests/testthat', f), env)",
      "c('helper-fit.R', 'helper-fuzz.R')"
    ),
    "m <- evalq(suppressMessages(fuzz_material()), env)",
    sprintf("for (seed in %.0f:%.0f) {", min(seeds), max(seeds)),
    "  set.seed(seed)",
    "  call <- env$fuzz_call(m)",
    "  cat('@', seed, call$name, '')",
    "  took <- system.time(found <- env$fuzz_once(call), gcFirst = FALSE)[[3]]",
    "  cat(round(took, 1), gsub('\\n', ' ', found), '\\n', sep = ' ')",
    "}"
  )
  file <- tempfile(fileext = ".R")
  on.exit(unlink(file))
  writeLines(code, file)
  out <- suppressWarnings(system2(
    file.path(R.home("bin"), "Rscript"), file, stdout = TRUE, stderr = FALSE, timeout = 10 * each
  ))
  out <- regmatches(out, regexpr("@ [0-9]+ .*", out))
  parts <- strsplit(sub("^@ ", "", out), " +")
  data.frame(
    seed = vapply(parts, function(p) as.numeric(p[1]), 0), name = vapply(parts, `[`, "", 2),
    seconds = vapply(parts, function(p) as.numeric(p[3]), 0),
    found = vapply(parts, function(p) paste(p[-(1:3)], collapse = " "), "")
  )
}

started <- Sys.time()
all <- NULL
next_seed <- first
while (next_seed < first + n) {
  seeds <- seq(next_seed, min(next_seed + each, first + n) - 1)
  got <- child(seeds)
  # the last line of a child that died has no answer
  died <- is.na(got$seconds) | !nzchar(got$found)
  got$found[died] <- "the process died"
  all <- rbind(all, got)
  next_seed <- if (nrow(got)) max(got$seed) + 1 else max(seeds) + 1
}
fine <- all$found %in% c("result", "refused", "not ours")
lines <- c(
  sprintf(
    "%d calls (seeds %.0f to %.0f): %d results, %d refused in our words, %d of other packages'",
    nrow(all), first, first + n - 1, sum(all$found == "result"), sum(all$found == "refused"),
    sum(all$found == "not ours")
  ),
  sprintf(
    "methods, %d wrong, %d crashes; slowest %.1f s; %s calls of each export at least",
    sum(!fine), sum(all$found == "the process died"), max(all$seconds, na.rm = TRUE),
    min(table(all$name))
  ),
  if (any(!fine)) do.call(paste, all[!fine, c("seed", "name", "seconds", "found")])
)
dir.create("inst/validation/results", showWarnings = FALSE)
writeLines(c(lines, format(difftime(Sys.time(), started))), "inst/validation/results/fuzz.txt")
writeLines(lines)
quit(status = any(!fine))
