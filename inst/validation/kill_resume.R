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
  data.frame(
    what = paste("killed:", kind), tried = runs,
    interrupted = sum(vapply(found, `[[`, 0, "killed")),
    as_wanted = sum(vapply(found, `[[`, TRUE, "identical"))
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
  process <- start_run("partial", folder, 30)
  process$wait()
  fine <- vapply(seq_len(times), function(i) damage_once(folder), TRUE)
  data.frame(what = "damaged files", tried = times, interrupted = NA, as_wanted = sum(fine))
}

# Processor seconds of a run with a checkpoint every `every` seconds, over those of one without.
cost <- function(every, repeats = 3) {
  data <- data.frame(g = rep(1:100, each = 20), matrix(stats::rnorm(6000), 2000))
  seconds <- function(folder) {
    time <- system.time(suppressMessages(suppressWarnings(fit_hmvn(
      data, ~g, pooling = "partial", chains = 2, iter_sampling = 2000, seed = 1, progress = FALSE,
      checkpoint = folder, checkpoint_every = every
    ))))
    sum(time[c("user.self", "sys.self")])
  }
  both <- replicate(repeats, c(seconds(NULL), seconds(tempfile("cost-"))))
  data.frame(
    what = paste0("cost of a checkpoint every ", every, " s, % of processor time"),
    tried = repeats, interrupted = NA,
    as_wanted = round(100 * (min(both[2, ]) / min(both[1, ]) - 1), 2)
  )
}

main <- function(runs) {
  set.seed(1)
  results <- rbind(
    do.call(rbind, lapply(names(kill_kinds), kill_runs, runs = runs, scale = 30)),
    damage(100),
    data.frame(
      what = "second process refused", tried = 1, interrupted = NA,
      as_wanted = as.integer(second_is_refused())
    ),
    cost(2)
  )
  print(results)
  utils::write.csv(results, file.path(here, "results", "kill_resume.csv"), row.names = FALSE)
}

given <- commandArgs(trailingOnly = TRUE)
main(if (length(given)) as.integer(given[[1]]) else 20)
