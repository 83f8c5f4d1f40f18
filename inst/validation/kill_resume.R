# Runs that are killed at random moments, checkpoints that are damaged, two processes on one, and
# what checkpoints cost. Writes results/kill_resume.csv beside itself.
#
#   Rscript inst/validation/kill_resume.R [runs of a kind]

library(hmvn)

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "kill_runs.R"))

# `runs` runs of a kind, each killed once at a random moment between its start and the time that
# the whole takes, and gone on with.
kill_runs <- function(kind, runs, scale) {
  whole <- uninterrupted(kind, scale)
  found <- lapply(seq_len(runs), function(i) kill_and_resume(kind, 1, scale, whole))
  row_of(
    paste("killed:", kind), runs, sum(vapply(found, `[[`, TRUE, "identical")),
    sum(vapply(found, `[[`, 0, "killed"))
  )
}

# Changes one byte of a random file of a checkpoint, or cuts it: is this an error of its class that
# leaves all files as they are?
damage_once <- function(folder) {
  copy <- tempfile("damaged-")
  dir.create(copy)
  on.exit(unlink(copy, recursive = TRUE))
  file.copy(list.files(folder, full.names = TRUE), copy)
  path <- sample(list.files(copy, "^(header|part-)", full.names = TRUE), 1)
  bytes <- readBin(path, "raw", file.size(path))
  if (stats::runif(1) < 0.5) {
    bytes <- bytes[seq_len(sample(length(bytes), 1) - 1)]
  } else {
    at <- sample(length(bytes), 1)
    bytes[at] <- xor(bytes[at], as.raw(2^sample(0:7, 1)))
  }
  writeBin(bytes, path)
  sums <- tools::md5sum(list.files(copy, full.names = TRUE))
  outcome <- tryCatch(resume_hmvn(copy), error = identity)
  inherits(outcome, "hmvn_error_checkpoint") &&
    identical(sums, tools::md5sum(list.files(copy, full.names = TRUE)))
}

damage <- function(times) {
  folder <- tempfile("whole-")
  process <- start_run("partial", folder, 20)
  process$wait()
  fine <- vapply(seq_len(times), function(i) damage_once(folder), TRUE)
  row_of("damaged files", times, sum(fine))
}

# Processor seconds that writing a part takes, in % of a minute. Draws of 60 seconds are larger than
# those of a shorter time, so that it is also given for each MB.
cost <- function(every) {
  data <- data.frame(g = rep(1:100, each = 20), matrix(stats::rnorm(6000), 2000))
  folder <- tempfile("cost-")
  seconds <- function(folder) {
    time <- system.time(suppressMessages(suppressWarnings(fit_hmvn(
      data, ~g, pooling = "partial", chains = 2, iter_sampling = 2000, seed = 1, progress = FALSE,
      checkpoint = folder, checkpoint_every = every
    ))))
    sum(time[c("user.self", "sys.self")])
  }
  without <- min(replicate(3, seconds(NULL)))
  more <- seconds(folder) - without
  files <- list.files(folder, "^part-", full.names = TRUE)
  rbind(
    row_of("cost of writing a part, % of a minute", length(files), more / length(files) / 0.6),
    row_of("cost by MB, ms", length(files), 1e3 * more / (sum(file.size(files)) / 1e6))
  )
}

row_of <- function(what, tried, as_wanted, interrupted = NA) {
  data.frame(
    what = what, tried = tried, interrupted = interrupted, as_wanted = signif(as_wanted, 3)
  )
}

# Results are written as they come.
main <- function(runs) {
  set.seed(1)
  results <- NULL
  note <- function(rows) {
    results <<- rbind(results, rows)
    print(rows)
    path <- file.path(here, "results", "kill_resume.csv")
    utils::write.csv(results, path, row.names = FALSE)
  }
  note(row_of("second process refused", 1, second_is_refused()))
  note(damage(100))
  note(cost(1))
  for (kind in names(kill_kinds)) note(kill_runs(kind, runs, scale = 20))
}

given <- commandArgs(trailingOnly = TRUE)
main(if (length(given)) as.integer(given[[1]]) else 20)
