# Is the checkout written in one style? Names file and line of what is not, and fails.
#   Rscript tools/check_style.R [R] [C++]
# C++ is laid out by clang-format (.clang-format; version 14 decides in CI), its guards and includes
# follow the rules below. R follows the linters of .lintr. Both are at most 100 characters wide.
# Files that Rcpp writes are left alone.

main <- function(parts) {
  if (length(parts) == 0) parts <- c("C++", "R")
  problems <- c(
    if ("C++" %in% parts) c(cpp_layout(), cpp_includes()),
    if ("R" %in% parts) r_style()
  )
  cat(problems, sep = "\n")
  cat(length(problems), " style problems (", paste(parts, collapse = ", "), ")\n", sep = "")
  length(problems) > 0
}

# C++ -----------------------------------------------------------------------

cpp_files <- function() {
  files <- list.files("src", "[.](cpp|h|hpp)$", recursive = TRUE, full.names = TRUE)
  setdiff(files, "src/RcppExports.cpp")
}

cpp_layout <- function() {
  if (!nzchar(Sys.which("clang-format"))) {
    return("clang-format is missing (Debian, Ubuntu: apt-get install clang-format)")
  }
  options <- c("--dry-run", "-Werror", "--ferror-limit=0")
  found <- suppressWarnings(
    system2("clang-format", c(options, shQuote(cpp_files())), stdout = TRUE, stderr = TRUE)
  )
  failed <- !is.null(attr(found, "status"))
  places <- grep("^[^ ]+:[0-9]+:[0-9]+: ", found, value = TRUE)
  if (failed && length(places) == 0) c("clang-format failed:", found) else places
}

# A header is guarded by `#pragma once`. Our own headers are named in quotes, from src
# (hmvn/<room>/<file>.hpp), others in angles.
cpp_includes <- function() {
  files <- cpp_files()
  unlist(lapply(files, function(file) {
    text <- readLines(file, warn = FALSE)
    header <- !grepl("[.]cpp$", file)
    quoted <- sub("^\\s*#\\s*include\\s*\"([^\"]+)\".*", "\\1", text)
    angled <- sub("^\\s*#\\s*include\\s*<([^>]+)>.*", "\\1", text)
    own <- function(name) name != text & file.path("src", name) %in% files
    c(
      if (header && !any(text == "#pragma once")) at(file, 1, "a header starts with #pragma once"),
      if (header) at(file, grep("^#ifndef \\w+_H(PP)?_?$", text), "guard by #pragma once instead"),
      at(file, which(own(angled)), "include own headers in quotes"),
      at(file, which(quoted != text & !own(quoted)), "no such header in src")
    )
  }))
}

at <- function(file, line, message) sprintf("%s:%d: %s", file, line, rep(message, length(line)))

# R -------------------------------------------------------------------------

r_style <- function() {
  if (!requireNamespace("lintr", quietly = TRUE)) {
    return("lintr is missing (install.packages(\"lintr\"), or apt-get install r-cran-lintr)")
  }
  folders <- c("R", "tests", "inst", "tools", ".ci", "vignettes")
  files <- list.files(folders, "[.](R|Rmd)$", recursive = TRUE, full.names = TRUE)
  found <- lapply(setdiff(files, "R/RcppExports.R"), lintr::lint)
  unlist(lapply(found, function(lints) {
    vapply(lints, function(lint) {
      sprintf("%s:%d: %s", shorten(lint$filename), lint$line_number, lint$message)
    }, "")
  }))
}

shorten <- function(file) {
  here <- paste0(normalizePath(getwd()), "/")
  file <- normalizePath(file)
  if (startsWith(file, here)) substring(file, nchar(here) + 1) else file
}

# run -----------------------------------------------------------------------

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), ".."))
quit(status = as.integer(main(commandArgs(trailingOnly = TRUE))))
