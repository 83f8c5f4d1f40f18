# Are all words of the pages words? Needs the package spelling.
#   Rscript tools/check_spelling.R [--accept]
# Those that no dictionary of British English has are in inst/WORDLIST; --accept adds what is new.
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
checkout <- normalizePath(file.path(here, ".."))
wordlist <- file.path(checkout, "inst", "WORDLIST")

# Formulas are no words: a page without them, in the folder `work`.
without_formulas <- function(page, work) {
  text <- paste(readLines(page, encoding = "UTF-8"), collapse = "\n")
  for (formula in c("(?s)\\$\\$.*?\\$\\$", "(?<![\\\\`])\\$[^$`\n]+\\$")) {
    # as many lines as before
    at <- gregexpr(formula, text, perl = TRUE)
    regmatches(text, at) <- lapply(regmatches(text, at), function(x) gsub("[^\n]+", " ", x))
  }
  copy <- file.path(work, basename(page))
  writeLines(text, copy, useBytes = TRUE)
  copy
}

work <- tempfile("pages")
dir.create(work)
pages <- c(
  list.files(file.path(checkout, "vignettes"), "[.]Rmd$", full.names = TRUE),
  list.files(checkout, "[.]md$", full.names = TRUE)
)
pages <- pages[basename(pages) != "LICENSE.md"]
files <- c(
  vapply(pages, without_formulas, "", work = work),
  list.files(file.path(checkout, "man"), "[.]Rd$", full.names = TRUE)
)
known <- if (file.exists(wordlist)) readLines(wordlist, encoding = "UTF-8") else character()
found <- spelling::spell_check_files(files, ignore = known, lang = "en_GB")
said <- read.dcf(file.path(checkout, "DESCRIPTION"), c("Title", "Description"))
found <- rbind(found, spelling::spell_check_text(said, ignore = known, lang = "en_GB"))
if (nrow(found) > 0L) print(found)
if ("--accept" %in% commandArgs(trailingOnly = TRUE)) {
  writeLines(sort(unique(c(known, found$word)), method = "radix"), wordlist, useBytes = TRUE)
} else if (nrow(found) > 0L) {
  cat("Mend them, or accept them as words: Rscript tools/check_spelling.R --accept\n")
  quit(status = 1)
} else {
  cat("Spelling: nothing found\n")
}
