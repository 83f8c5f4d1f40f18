# R CMD build, then R CMD check --as-cran on the tarball, in the folder given. Fails on an error, a
# warning, or a note of our own making. Tests are left out: .ci/run has just run them.

# Notes that come from the machine (check: what its text must match): the library alone is large
# (with debug symbols, if the machine adds them last), the distribution's compiler flags, no HTML
# tidy, a suggested package that the platform does not have.
not_ours <- c(
  "installed package size" = paste0(
    "^\\s*installed size is +[0-9.]+Mb\\s+",
    "sub-directories of 1Mb or more:\\s+libs +[0-9.]+Mb\\s*$"
  ),
  "compilation flags used" = "",
  # DESCRIPTION says that it is needed: objects lie in folders
  "for GNU extensions in Makefiles" = "^GNU make is a SystemRequirements.$",
  "HTML version of manual" = "'?tidy'? (doesn't|found|not)|no command 'tidy'",
  "package dependencies" = "^Packages? suggested but not available for checking: [^\n]*$"
)
largest_tarball <- 10e6

main <- function(work) {
  checkout <- getwd()
  setwd(work)
  has_pandoc <- nzchar(Sys.which("pandoc"))
  has_latex <- nzchar(Sys.which("pdflatex"))
  if (run("build", c(if (!has_pandoc) "--no-build-vignettes", shQuote(checkout))) != 0) {
    return(1)
  }
  tarball <- list.files(pattern = "^hmvn_.*\\.tar\\.gz$")
  # Neither network nor clock, and what the platform lacks of the suggested packages is a note
  Sys.setenv(
    `_R_CHECK_CRAN_INCOMING_` = "false", `_R_CHECK_SYSTEM_CLOCK_` = "0",
    `_R_CHECK_FORCE_SUGGESTS_` = "false",
    # megabytes, with vignettes and the saved results that they read
    `_R_CHECK_PKG_SIZES_THRESHOLD_` = "15"
  )
  left_out <- c(
    "--no-tests", if (!has_pandoc) "--ignore-vignettes", if (!has_latex) "--no-manual"
  )
  status <- run("check", c("--as-cran", left_out, tarball))
  found <- read_check("hmvn.Rcheck/00check.log")
  if (file.size(tarball) > largest_tarball) {
    size <- paste(file.size(tarball), "bytes")
    found <- rbind(
      found, data.frame(Check = "size of the tarball", Status = "ERROR", Output = size, ours = TRUE)
    )
  }
  report(found)
  if (status != 0 || any(found$ours)) 1 else 0
}

run <- function(command, args) system2(file.path(R.home("bin"), "R"), c("CMD", command, args))

# What was not OK: data frame of Check, Status, Output, ours.
read_check <- function(log) {
  found <- as.data.frame(tools::check_packages_in_dir_details(logs = log))
  found <- found[c("Check", "Status", "Output")]
  found <- found[found$Status %in% c("ERROR", "FAIL", "FAILURE", "WARNING", "WARN", "NOTE"), ]
  pattern <- not_ours[found$Check]
  pattern[is.na(pattern) | found$Status != "NOTE"] <- "(?!)" # matches nothing
  found$ours <- !as.logical(mapply(grepl, pattern, found$Output, perl = TRUE))
  found
}

report <- function(found) {
  cat("\n", sum(found$ours), " problems of our own, ", sep = "")
  cat(sum(!found$ours), " notes that come from the machine\n", sep = "")
  whose <- ifelse(found$ours, "ours", "machine")
  cat(sprintf("\n%s (%s): %s\n%s\n", found$Status, whose, found$Check, found$Output), sep = "")
}

quit(status = main(normalizePath(commandArgs(trailingOnly = TRUE)[1])))
