# Builds the site of the installed package and looks for what is broken in it: topics and articles
# that _pkgdown.yml does not list, and links within the site that lead nowhere. Needs no internet.
# Usage: Rscript tools/site.R [folder], by default site/ in the session's temporary folder.

given <- commandArgs(trailingOnly = TRUE)
folder <- if (length(given)) given[[1L]] else file.path(tempdir(), "site")
options(pkgdown.internet = FALSE)

pkgdown::check_pkgdown(".")
pkgdown::build_site(
  ".", override = list(destination = normalizePath(folder, mustWork = FALSE)), preview = FALSE,
  devel = FALSE, new_process = FALSE, install = FALSE
)

# The targets of links of a page that lie within the site, as files; without anchors.
local_targets <- function(page) {
  text <- paste(readLines(page, warn = FALSE), collapse = "\n")
  found <- regmatches(text, gregexpr("(href|src)=\"[^\"]+\"", text))[[1L]]
  target <- sub("[#?].*$", "", sub("^(href|src)=\"([^\"]+)\"$", "\\2", found))
  target <- target[nzchar(target) & !grepl("^([a-z]+:|//)", target)]
  unique(file.path(dirname(page), utils::URLdecode(target)))
}

pages <- list.files(folder, "\\.html$", recursive = TRUE, full.names = TRUE)
broken <- unlist(lapply(pages, function(page) {
  lost <- Filter(Negate(file.exists), local_targets(page))
  if (length(lost)) paste0(page, " -> ", lost)
}))
writeLines(c(broken, paste(length(pages), "pages,", length(broken), "broken links, in", folder)))
quit(status = as.integer(length(broken) > 0L))
