# What tests of the input side share.

with_options <- function(options, code) {
  old <- options(options)
  on.exit(options(old))
  force(code)
}

quietly <- function(code) suppressMessages(code, classes = "hmvn_message")

# Statistics of complete rows by definition, for comparison.
moments_by_hand <- function(y) {
  y <- as.matrix(y)
  centred <- sweep(y, 2, colMeans(y))
  list(n = nrow(y), mean = unname(colMeans(y)), scatter = unname(crossprod(centred)))
}

resolved_prior <- function(statistics, ..., frame = "raw") {
  resolve_prior(hmvn_prior(...), statistics, frame)
}

pool <- function(mean = "none", sd = "none", cor = "none") c(mean = mean, sd = sd, cor = cor)
pool_all <- function(..., slope = "none") c(pool(...), slope = slope)

# How often each of these functions of the package is called while `code` runs.
count_calls <- function(names, code) {
  calls <- stats::setNames(integer(length(names)), names)
  where <- asNamespace("hmvn")
  for (name in names) {
    local({
      own <- name
      suppressMessages(
        trace(
          own, tracer = function() calls[[own]] <<- calls[[own]] + 1L, where = where, print = FALSE
        )
      )
    })
  }
  on.exit(suppressMessages(for (name in names) untrace(name, where = where)))
  force(code)
  calls
}

# Evaluates `code` with one of the package's functions replaced.
with_replaced <- function(name, replacement, code) {
  where <- asNamespace("hmvn")
  theirs <- get(name, where)
  put <- function(f) {
    unlockBinding(name, where)
    assign(name, f, where)
    lockBinding(name, where)
  }
  put(replacement)
  on.exit(put(theirs))
  force(code)
}

# Evaluates `code` as if the machine had so many bytes of memory.
with_machine <- function(bytes, code) with_replaced("machine_bytes", function() bytes, code)

# What a fresh R process prints that evaluates `code`; `before`: what the shell does first.
run_r <- function(code, before = "", timeout = 120) {
  file <- tempfile(fileext = ".R")
  on.exit(unlink(file))
  paths <- bquote(.libPaths(.(.libPaths())))
  writeLines(c(deparse(paths), deparse(code)), file)
  command <- paste(before, shQuote(file.path(R.home("bin"), "Rscript")), shQuote(file))
  suppressWarnings(system2(
    "sh", c("-c", shQuote(command)), stdout = TRUE, stderr = FALSE, timeout = timeout
  ))
}

# new_model_data() by arguments of fit_hmvn().
model_data <- function(data, group, features = NULL, weights = NULL, covariates = NULL) {
  columns <- list(group = group, features = features, weights = weights, covariates = covariates)
  new_model_data(data, columns)
}
