# Installs what this checkout needs and the machine lacks: the packages that DESCRIPTION names, then
# hmvn itself. Only functions: first_run.R and run_tests.R source this file from a checkout.

# The packages DESCRIPTION names, then hmvn. `for_tests`: also what tests use, but no vignettes.
# Returns the library that hmvn is in.
install_missing <- function(checkout, for_tests = FALSE) {
  use_writable_library()
  needed <- read_requirements(checkout, c("Depends", "Imports", "LinkingTo"))
  suggested <- read_requirements(checkout, "Suggests")
  if (!for_tests) suggested <- suggested[suggested$package %in% used_by_vignettes, ]
  install_tools()
  if (!for_tests) install_pandoc()
  install_prebuilt(lacking(rbind(needed, suggested)))
  # Tests are worth compiling for, vignettes are not
  install_from_cran(if (for_tests) rbind(needed, suggested) else needed)
  if (length(lacking(needed)) > 0) {
    stop("Could not install ", toString(lacking(needed)), ".", call. = FALSE)
  }
  if (for_tests && length(lacking(suggested)) > 0) {
    say("Could not install ", toString(lacking(suggested)), ": what uses them is skipped.")
  }
  install_checkout(checkout, vignettes = !for_tests && can_build_vignettes())
}

needed_by_vignettes <- c("knitr", "rmarkdown", "MASS", "nlme")
# Without those beyond, some pages show code that has not run.
used_by_vignettes <- c(
  needed_by_vignettes, "ggplot2", "bayesplot", "loo", "dbplyr", "DBI", "RSQLite"
)

# The folder of the checkout, from the script that Rscript runs (tools/<script>.R).
checkout_folder <- function() {
  script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
  script <- gsub("~+~", " ", script, fixed = TRUE)
  folder <- if (length(script) == 1) file.path(dirname(script), "..") else "."
  if (!file.exists(file.path(folder, "DESCRIPTION"))) {
    stop("Run this from a checkout of hmvn: Rscript tools/<script>.R", call. = FALSE)
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

# Debian and its relatives carry CRAN's packages built, as r-cran-<name>: seconds instead of a
# compilation each.
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
    lib <- library_to_write()
    tryCatch(
      utils::install.packages(packages, lib = lib, repos = cran(), Ncpus = n_cores()),
      error = function(cnd) say(conditionMessage(cnd))
    )
  }
}

# Where nobody chose a mirror: the first of those R itself lists, which redirects to the nearest.
cran <- function() {
  repos <- getOption("repos")
  if (!is.null(repos) && !"@CRAN@" %in% repos) return(repos)
  utils::getCRANmirrors(local.only = TRUE)$URL[1]
}

# system --------------------------------------------------------------------

# Compiling needs a compiler and make; Debian's RcppParallel asks dpkg-architecture where its
# library lies.
install_tools <- function() {
  config <- c("CMD", "config", "CXX17")
  compiler <- system2(r_command(), config, stdout = TRUE, stderr = FALSE)
  compiler <- strsplit(compiler[1], " ")[[1]][1]
  debian <- nzchar(Sys.which("apt-get"))
  tools <- c(
    make = "r-base-dev", if (debian) c(`dpkg-architecture` = "dpkg-dev"),
    stats::setNames("r-base-dev", compiler)
  )
  missing <- unique(tools[!nzchar(Sys.which(names(tools)))])
  if (length(missing) == 0) return(invisible())
  if (debian && is_root()) {
    apt_get("update")
    apt_install(missing)
  } else if (debian) {
    say("As root: apt-get install ", paste(missing, collapse = " "))
  } else {
    say(
      "No C++ compiler found. Install Xcode's command line tools (macOS), Rtools (Windows) or ",
      "your system's R development package."
    )
  }
}

# Vignettes are written by pandoc.
install_pandoc <- function() {
  if (!nzchar(Sys.which("pandoc")) && nzchar(Sys.which("apt-get")) && is_root()) {
    apt_get("update")
    apt_install("pandoc")
  }
}

r_command <- function() file.path(R.home("bin"), "R")

is_root <- function() {
  .Platform$OS.type == "unix" && identical(system2("id", "-u", stdout = TRUE), "0")
}

apt_install <- function(names) {
  if (length(names) > 0) apt_get(c("install", "--yes", "--no-install-recommends", names))
}

# Once more if it fails: package servers have their moments.
apt_get <- function(args) {
  say("apt-get ", paste(args, collapse = " "))
  options <- c("-o", "Acquire::Retries=3", "--quiet=2")
  command <- function() {
    run_quietly("apt-get", c(options, args), env = "DEBIAN_FRONTEND=noninteractive")
  }
  if (command() != 0) {
    Sys.sleep(10)
    if (command() != 0) say("apt-get ", args[1], " failed.")
  }
}

# What a command writes is shown only when it fails.
run_quietly <- function(command, args, env = character()) {
  log <- tempfile("log")
  on.exit(unlink(log))
  status <- system2(
    command, shQuote(args), stdout = log, stderr = log, stdin = nullfile(), env = env
  )
  if (status != 0 && command != "apt-cache") {
    writeLines(utils::tail(readLines(log, warn = FALSE), 30), stderr())
  }
  status
}

n_cores <- function() {
  cores <- parallel::detectCores()
  if (is.na(cores)) 1L else cores
}

# hmvn itself ---------------------------------------------------------------

# From a copy in the temporary folder, so that the checkout stays as it is. Not again where this
# very source is installed already: its checksums stay with the installed package. Returns the
# library.
install_checkout <- function(checkout, vignettes) {
  code <- c("R", "src", "inst", "man", "DESCRIPTION", "NAMESPACE")
  sums <- c(checksum(checkout, code), if (vignettes) checksum(checkout, "vignettes"))
  lib <- library_to_write()
  mark <- file.path(lib, "hmvn", "checkout.md5")
  if (file.exists(mark) && all(sums %in% readLines(mark))) {
    say("hmvn of this checkout is installed.")
    return(invisible(lib))
  }
  work <- tempfile("hmvn")
  dir.create(work)
  on.exit(unlink(work, recursive = TRUE))
  source <- copy_checkout(checkout, work)
  say("Compiling and installing hmvn into ", lib, " (some minutes).")
  flags <- make_flags()
  if (!install_source(source, lib, flags)) {
    stop("hmvn could not be installed; see above.", call. = FALSE)
  }
  if (vignettes) {
    say("Building the vignettes (about a minute).")
    # Everything is compiled in `source`: the second time only pages are added
    built <- build_vignettes(source, lib) && install_source(source, lib, flags)
    if (!built) say("Vignettes could not be built. ", without_vignettes)
  }
  writeLines(sums, mark)
  invisible(lib)
}

# The files of the checkout that belong to the package, as `R CMD build` takes them. Returns their
# folder.
copy_checkout <- function(checkout, work) {
  old <- setwd(work)
  on.exit(setwd(old))
  built <- run_quietly(r_command(), c("CMD", "build", "--no-build-vignettes", checkout))
  if (built != 0) stop("R CMD build failed; see above.", call. = FALSE)
  utils::untar(list.files(pattern = "^hmvn_.*[.]tar[.]gz$"))
  file.path(work, "hmvn")
}

# Without the debug symbols of R's default compiler flags. Is it installed?
install_source <- function(source, lib, flags) {
  args <- c("CMD", "INSTALL", "--strip", paste0("--library=", lib), source)
  run_quietly(r_command(), args, env = paste0("MAKEFLAGS=", shQuote(flags))) == 0
}

without_vignettes <- "hmvn is installed without vignettes; read them in the folder vignettes/."

can_build_vignettes <- function() {
  packages <- vapply(needed_by_vignettes, requireNamespace, logical(1), quietly = TRUE)
  missing <- c(needed_by_vignettes[!packages], if (!nzchar(Sys.which("pandoc"))) "pandoc")
  if (length(missing) > 0) say(toString(missing), " not found. ", without_vignettes)
  length(missing) == 0
}

# Writes inst/doc of the sources, by the hmvn that is installed in `lib`. Did it work?
build_vignettes <- function(source, lib) {
  script <- tempfile("vignettes", fileext = ".R")
  on.exit(unlink(script))
  writeLines(c(
    "arguments <- commandArgs(trailingOnly = TRUE)",
    ".libPaths(c(arguments[2], .libPaths()))",
    "built <- tools::buildVignettes(dir = arguments[1], tangle = TRUE, clean = FALSE)",
    "doc <- file.path(arguments[1], 'inst', 'doc')",
    "dir.create(doc)",
    "setwd(built$dir)",
    "stopifnot(file.copy(c(built$docs, built$outputs, unlist(built$sources)), doc))"
  ), script)
  run_quietly(file.path(R.home("bin"), "Rscript"), c(script, source, lib)) == 0
}

# As many compilers at a time as there are cores and gigabytes of free memory: one needs up to 1 GB.
# MAKEFLAGS of the user's own decide.
make_flags <- function() {
  own <- Sys.getenv("MAKEFLAGS")
  if (nzchar(own)) return(own)
  gigabytes <- suppressWarnings(c(
    linux_number("/proc/meminfo", "^MemAvailable: *([0-9]+) kB$") / 2^20,
    linux_number("/sys/fs/cgroup/memory.max", "^([0-9]+)$") / 2^30
  ))
  jobs <- max(1, min(n_cores(), floor(gigabytes), na.rm = TRUE))
  say(jobs, " compilers at a time, of up to 1 GB of memory each; MAKEFLAGS=-j1 is for one.")
  paste0("-j", jobs)
}

linux_number <- function(file, pattern) {
  if (!file.exists(file)) return(NA)
  lines <- grep(pattern, readLines(file, warn = FALSE), value = TRUE)
  if (length(lines) == 1) as.double(sub(pattern, "\\1", lines)) else NA
}

checksum <- function(checkout, parts) {
  files <- unlist(lapply(parts, function(part) {
    path <- file.path(checkout, part)
    if (dir.exists(path)) file.path(part, list.files(path, recursive = TRUE)) else part
  }))
  files <- files[!grepl("[.](o|so|dll)$|^inst/doc/", files)]
  sums <- tempfile()
  on.exit(unlink(sums))
  writeLines(paste(tools::md5sum(file.path(checkout, files)), files), sums)
  unname(tools::md5sum(sums))
}
