# Installs what this checkout needs and the machine lacks: the packages that DESCRIPTION names, then hmvn itself.
# Only functions: first_run.R and run_tests.R source this file from a checkout.

# The packages DESCRIPTION names, then hmvn. `suggested`: also what only tests and vignettes use. Returns the library hmvn is in.
install_missing <- function(checkout, suggested = FALSE) {
  use_writable_library()
  fields <- c("Depends", "Imports", "LinkingTo")
  needed <- read_requirements(checkout, fields)
  wanted <- if (suggested) rbind(needed, read_requirements(checkout, "Suggests")) else needed
  install_tools()
  install_prebuilt(lacking(wanted))
  install_from_cran(wanted)
  missing <- lacking(wanted)
  if (any(missing %in% lacking(needed))) {
    stop("Could not install ", toString(intersect(missing, lacking(needed))), ".", call. = FALSE)
  }
  if (length(missing) > 0) {
    say("Could not install ", toString(missing), ": what uses them is skipped.")
  }
  install_checkout(checkout)
}

# The folder of the checkout, from the script that Rscript runs (inst/<folder>/<script>.R).
checkout_folder <- function() {
  script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
  folder <- if (length(script) == 1) file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", "..") else "."
  if (!file.exists(file.path(folder, "DESCRIPTION"))) {
    stop("Run this from a checkout of hmvn: Rscript inst/setup/<script>.R", call. = FALSE)
  }
  normalizePath(folder)
}

say <- function(...) message("-- ", ...)

# packages ------------------------------------------------------------------

# Fields of DESCRIPTION -> data frame of package and the least version that will do ("0": any).
read_requirements <- function(checkout, fields) {
  text <- read.dcf(file.path(checkout, "DESCRIPTION"), fields = fields)
  entries <- trimws(unlist(strsplit(text[!is.na(text)], ",")))
  entries <- entries[nzchar(entries)]
  version <- ifelse(grepl(">=", entries), sub(".*>= *([^) ]+).*", "\\1", entries), "0")
  required <- data.frame(package = sub("[ (\n].*", "", entries), version = version)
  required <- required[order(required$package, -xtfrm(numeric_version(required$version))), ]
  required[required$package != "R" & !duplicated(required$package), ]
}

# Which of them are not there, or too old.
lacking <- function(required) {
  present <- mapply(required$package, required$version, FUN = function(package, version) {
    found <- suppressWarnings(utils::packageDescription(package, fields = "Version"))
    !is.na(found) && package_version(found) >= version
  })
  required$package[!as.logical(present)]
}

# R makes no library of one's own by itself when nobody is there to be asked.
use_writable_library <- function() {
  if (any(file.access(.libPaths(), 2) == 0)) return(invisible())
  own <- path.expand(strsplit(Sys.getenv("R_LIBS_USER"), .Platform$path.sep)[[1]][1])
  dir.create(own, recursive = TRUE, showWarnings = FALSE)
  .libPaths(c(own, .libPaths()))
  # for the R processes started from here
  Sys.setenv(R_LIBS = paste(.libPaths(), collapse = .Platform$path.sep))
}

library_to_write <- function() .libPaths()[file.access(.libPaths(), 2) == 0][1]

# Debian and its relatives carry CRAN's packages built, as r-cran-<name>: seconds instead of a compilation each.
install_prebuilt <- function(packages) {
  if (length(packages) == 0 || !nzchar(Sys.which("apt-get"))) return(invisible())
  names <- paste0("r-cran-", tolower(packages))
  if (!is_root()) {
    say("To take prebuilt packages, run as root: apt-get install ", paste(names, collapse = " "))
    return(invisible())
  }
  apt_get("update")
  known <- vapply(names, function(name) run_quietly("apt-cache", c("show", name)) == 0, logical(1))
  apt_install(names[known])
}

# Twice at most: a download may fail once.
install_from_cran <- function(required) {
  old <- options(timeout = max(600, getOption("timeout")))
  on.exit(options(old))
  for (attempt in 1:2) {
    packages <- lacking(required)
    if (length(packages) == 0) break
    say("Installing from CRAN: ", toString(packages))
    tryCatch(
      utils::install.packages(packages, lib = library_to_write(), repos = cran(), Ncpus = n_cores()),
      error = function(cnd) say(conditionMessage(cnd))
    )
  }
}

# Where nobody chose a mirror: the first of those R itself lists, which redirects to the nearest.
cran <- function() {
  repos <- getOption("repos")
  if (is.null(repos) || "@CRAN@" %in% repos) utils::getCRANmirrors(local.only = TRUE)$URL[1] else repos
}

# system --------------------------------------------------------------------

# Compiling needs a compiler and make; Debian's RcppParallel asks dpkg-architecture where its library lies.
install_tools <- function() {
  compiler <- system2(file.path(R.home("bin"), "R"), c("CMD", "config", "CXX17"), stdout = TRUE, stderr = FALSE)
  compiler <- strsplit(compiler[1], " ")[[1]][1]
  debian <- nzchar(Sys.which("apt-get"))
  tools <- c(make = "r-base-dev", if (debian) c(`dpkg-architecture` = "dpkg-dev"), stats::setNames("r-base-dev", compiler))
  missing <- unique(tools[!nzchar(Sys.which(names(tools)))])
  if (length(missing) == 0) return(invisible())
  if (debian && is_root()) {
    apt_get("update")
    apt_install(missing)
  } else if (debian) {
    say("As root: apt-get install ", paste(missing, collapse = " "))
  } else {
    say("No C++ compiler found. Install Xcode's command line tools (macOS), Rtools (Windows) or your system's R development package.")
  }
}

is_root <- function() .Platform$OS.type == "unix" && identical(system2("id", "-u", stdout = TRUE), "0")

apt_install <- function(names) {
  if (length(names) > 0) apt_get(c("install", "--yes", "--no-install-recommends", names))
}

# Once more if it fails: package servers have their moments.
apt_get <- function(args) {
  say("apt-get ", paste(args, collapse = " "))
  command <- function() run_quietly("apt-get", c("-o", "Acquire::Retries=3", "--quiet=2", args), env = "DEBIAN_FRONTEND=noninteractive")
  if (command() != 0) {
    Sys.sleep(10)
    if (command() != 0) say("apt-get ", args[1], " failed.")
  }
}

# What a command writes is shown only when it fails.
run_quietly <- function(command, args, env = character()) {
  log <- tempfile("log")
  on.exit(unlink(log))
  status <- system2(command, shQuote(args), stdout = log, stderr = log, stdin = nullfile(), env = env)
  if (status != 0 && command != "apt-cache") writeLines(utils::tail(readLines(log, warn = FALSE), 30), stderr())
  status
}

n_cores <- function() {
  cores <- parallel::detectCores()
  if (is.na(cores)) 1L else cores
}

# hmvn itself ---------------------------------------------------------------

# Not again where this very source is installed already: its checksum stays with the installed package. Returns the library.
install_checkout <- function(checkout) {
  sum <- checksum(checkout)
  lib <- library_to_write()
  mark <- file.path(lib, "hmvn", "checkout.md5")
  if (file.exists(mark) && identical(readLines(mark), sum)) {
    say("hmvn of this checkout is installed.")
    return(invisible(lib))
  }
  say("Compiling and installing hmvn into ", lib, " (3 to 5 minutes).")
  status <- run_quietly(
    file.path(R.home("bin"), "R"), c("CMD", "INSTALL", "--preclean", paste0("--library=", lib), checkout),
    env = paste0("MAKEFLAGS=-j", n_cores())
  )
  if (status != 0) stop("hmvn could not be installed; see above.", call. = FALSE)
  writeLines(sum, mark)
  invisible(lib)
}

checksum <- function(checkout) {
  files <- list.files(file.path(checkout, c("R", "src", "inst")), recursive = TRUE, full.names = TRUE)
  files <- c(files[!grepl("\\.(o|so|dll)$", files)], file.path(checkout, c("DESCRIPTION", "NAMESPACE")))
  sums <- tempfile()
  on.exit(unlink(sums))
  writeLines(paste(tools::md5sum(files), substring(files, nchar(checkout) + 2)), sums)
  unname(tools::md5sum(sums))
}
